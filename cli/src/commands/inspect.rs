//! `charcell inspect`.

use std::fmt::Write;
use std::path::PathBuf;

use charcell::{AnyModel, Artifact};
use charcell_flash::Board;
use clap::Args;
use infer_core::artifact::{StoredPrecision, Tensor, tensors};
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
        print(&(as_text(&description) + &advice(&arguments.model, artifact, model.dimensions())))
    })
}

fn describe(artifact: &Artifact, model: &AnyModel<'_>) -> Value {
    let (header, memory) = (model.header(), model.memory());
    let Dimensions { vocabulary, hidden, layers } = model.dimensions();
    let (weights, quantisation) = match &header.precision {
        StoredPrecision::Int8(quantisation) => ("int8", json!(quantisation)),
        StoredPrecision::F32 => ("f32", Value::Null),
    };
    let replacement = header.replacement.and_then(|token| model.vocabulary().character(token));
    let tensor = |tensor: Tensor| {
        let Tensor { name, layer, offset, bytes } = tensor;
        json!({ "name": name.to_string(), "layer": layer, "offset": offset, "bytes": bytes })
    };
    json!({
        "weights": weights,
        "layers": layers,
        "hidden": hidden,
        "vocabulary": header.vocabulary,
        "vocabulary_size": vocabulary,
        "normalisation": header.normalisation,
        "replacement": replacement,
        "prefixes": header.prefixes,
        "quantisation": quantisation,
        "tensors": tensors(artifact.bytes()).map(tensor).collect::<Vec<Value>>(),
        "flash_bytes": artifact.bytes().len(),
        "state_bytes": memory.state_bytes,
        "state_bytes_on_cortex_m0": state_bytes_on_cortex_m0(model),
        "view_bytes": memory.view_bytes,
        "stack_bytes": memory.stack_bytes,
        "loading_stack_bytes": memory.loading_stack_bytes,
        "generating_bytes": memory.generating_bytes(),
        "boards": boards(artifact, model),
    })
}

/// The boards that the model fits, and how fast they write with it.
fn boards(artifact: &Artifact, model: &AnyModel<'_>) -> Vec<Value> {
    let describe = |board: &Board| {
        let mut description = describe_speed(board.speed(model.dimensions()));
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
    for name in ["weights", "layers", "hidden", "vocabulary_size", "vocabulary"] {
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
