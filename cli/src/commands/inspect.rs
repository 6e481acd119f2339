//! `charcell inspect`.

use std::fmt::Write;
use std::path::PathBuf;

use charcell::{AnyModel, Artifact, Precision};
use charcell_flash::Board;
use clap::Args;
use infer_core::artifact::{Compaction, StoredPrecision, Tensor, TensorName, tensors};
use infer_core::layout::BLOCK_COLUMNS;
use infer_core::{Dimensions, Int8, Memory};
use serde_json::{Value, json};

use super::boards::{advice, describe_speed, fitting};
use super::shared::with_model;
use crate::error::Error;
use crate::output::print;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  charcell inspect runs/001/model.postcard")]
pub(super) struct Arguments {
    /// The artifact.
    model: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    with_model(&arguments.model, |artifact, model| {
        let description = describe(artifact, model);
        if arguments.json {
            return print(&format!("{description}\n"));
        }
        print(&(as_text(&description) + &advice(&arguments.model, artifact)))
    })
}

fn describe(artifact: &Artifact, model: &AnyModel<'_>) -> Value {
    let (header, memory) = (model.header(), model.memory());
    let Dimensions { vocabulary, hidden, layers } = model.dimensions();
    let Compaction { is_int4, is_sparse, embedding } = header.precision.compaction();
    let weights = match header.precision {
        StoredPrecision::F32 => Precision::F32,
        _ if is_int4 => Precision::Int4,
        _ => Precision::Int8,
    };
    let replacement = header.replacement.and_then(|token| model.vocabulary().character(token));
    let tensor = |tensor: Tensor| {
        let Tensor { name, layer, offset, bytes } = tensor;
        json!({ "name": name.to_string(), "layer": layer, "offset": offset, "bytes": bytes })
    };
    json!({
        "weights": weights,
        "embedding": embedding,
        "kept_blocks": is_sparse.then(|| kept_blocks(artifact, model.dimensions())),
        "layers": layers,
        "hidden": hidden,
        "vocabulary": header.vocabulary,
        "vocabulary_size": vocabulary,
        "normalisation": header.normalisation,
        "replacement": replacement,
        "prefixes": header.prefixes,
        "quantisation": header.precision.quantisation(),
        "tensors": tensors(artifact.bytes()).map(tensor).collect::<Vec<Value>>(),
        "flash_bytes": artifact.bytes().len(),
        "state_bytes": memory.state_bytes,
        "state_bytes_on_cortex_m0": state_bytes_on_cortex_m0(model),
        "view_bytes": memory.view_bytes,
        "stack_bytes": memory.stack_bytes,
        "loading_stack_bytes": memory.loading_stack_bytes,
        "generating_bytes": memory.generating_bytes(),
        "boards": boards(artifact),
    })
}

/// The share of the blocks of recurrent weights that are kept.
fn kept_blocks(artifact: &Artifact, Dimensions { hidden, layers, .. }: Dimensions) -> f64 {
    let numbers =
        tensors(artifact.bytes()).filter(|tensor| tensor.name == TensorName::BlockColumns);
    let kept: u32 = numbers.map(|tensor| tensor.bytes).sum();
    f64::from(kept) / (layers * hidden * hidden.div_ceil(BLOCK_COLUMNS)) as f64
}

/// The boards that the model fits, and how fast they write with it.
fn boards(artifact: &Artifact) -> Vec<Value> {
    let describe = |board: &Board| {
        let mut description = describe_speed(board.speed_of(artifact.bytes()));
        description["name"] = board.name.into();
        description
    };
    fitting(artifact).into_iter().map(describe).collect()
}

/// Bytes of the state on a Cortex-M0 or M0+, where the hidden states of int8 models use more RAM.
fn state_bytes_on_cortex_m0(model: &AnyModel<'_>) -> usize {
    match model {
        AnyModel::Int8(model) => Memory::on_armv6m::<Int8>(model.dimensions()).state_bytes,
        AnyModel::F32(model) => model.memory().state_bytes,
    }
}

/// The numbers about the RAM that a program needs.
const MEMORY: [&str; 6] = [
    "state_bytes",
    "state_bytes_on_cortex_m0",
    "view_bytes",
    "stack_bytes",
    "generating_bytes",
    "loading_stack_bytes",
];

fn as_text(description: &Value) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &Value| {
        let plain = value.as_str().map_or_else(|| value.to_string(), |value| format!("{value:?}"));
        writeln!(text, "{name:24} {plain}").expect("writing to a string succeeds");
    };
    for name in ["weights", "embedding", "kept_blocks", "layers", "hidden"] {
        line(name, &description[name]);
    }
    for name in ["vocabulary_size", "vocabulary"] {
        line(name, &description[name]);
    }
    for name in ["normalisation", "replacement", "prefixes", "quantisation", "flash_bytes"] {
        line(name, &description[name]);
    }
    for name in MEMORY {
        line(name, &description[name]);
    }
    for tensor in description["tensors"].as_array().into_iter().flatten() {
        let name =
            format!("{} of layer {}", tensor["name"].as_str().unwrap_or_default(), tensor["layer"]);
        let (offset, bytes) = (&tensor["offset"], &tensor["bytes"]);
        writeln!(text, "  {name:24} {bytes:>8} bytes at {offset}")
            .expect("writing to a string succeeds");
    }
    text
}
