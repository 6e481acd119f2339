//! `charcell generate`.

use std::ops::ControlFlow;
use std::path::PathBuf;

use charcell::AnyModel;
use clap::Args;
use infer_core::Sampling;

use super::with_model;
use crate::error::Error;
use crate::output::print;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  charcell generate runs/001/model.postcard --prefix \"the traveller\" --temperature 0.7 --seed 1")]
pub(super) struct Arguments {
    /// The artifact.
    model: PathBuf,
    /// The text to continue [default: the artifact's first].
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// How many characters to write.
    #[arg(long, value_name = "N", default_value_t = 200)]
    length: usize,
    /// 0 takes the most probable character always, 1 samples as the model predicts; to 65.
    #[arg(long, value_name = "T", default_value_t = 0.0, allow_negative_numbers = true)]
    temperature: f64,
    /// Only the K most probable characters; 0: all.
    #[arg(long, value_name = "K", default_value_t = 0)]
    top_k: u16,
    /// Only the most probable characters that reach this probability together.
    #[arg(long, value_name = "P", default_value_t = 1.0, allow_negative_numbers = true)]
    top_p: f64,
    /// Start of the random generator: same seed, same text.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Print a JSON object with prefix and continuation.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let sampling = Sampling {
        temperature_milli: milli(
            "--temperature",
            arguments.temperature,
            65.535,
            "from 0 to 65.535",
        )?,
        top_k: arguments.top_k,
        top_p_milli: milli("--top-p", arguments.top_p, 1.0, "from 0 to 1")?,
        seed: arguments.seed,
    };
    with_model(&arguments.model, |_, model| generate(arguments, model, sampling))
}

fn generate(arguments: &Arguments, model: &AnyModel<'_>, sampling: Sampling) -> Result<(), Error> {
    let own = model.header().prefixes.first().copied();
    let prefix = arguments.prefix.as_deref().or(own).unwrap_or_default();
    if arguments.json {
        let text = model.text(prefix, arguments.length, sampling)?;
        let continuation = text.strip_prefix(prefix).unwrap_or_default();
        let result = serde_json::json!({ "prefix": prefix, "continuation": continuation });
        return print(&format!("{result}\n"));
    }
    // Nothing is printed of a prefix that can't be continued.
    model.tokens(prefix, None)?;
    let mut printed = print(prefix);
    model.generate(prefix, arguments.length, sampling, |character| {
        if printed.is_ok() {
            printed = print(character.encode_utf8(&mut [0; 4]));
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    printed.and_then(|()| print("\n"))
}

/// `value` in thousandths; only 0 becomes 0, which may mean something of its own.
fn milli(
    name: &'static str,
    value: f64,
    largest: f64,
    allowed: &'static str,
) -> Result<u16, Error> {
    if (0.0..=largest).contains(&value) {
        let thousandths = (value * 1000.0).round() as u16;
        return Ok(if value > 0.0 { thousandths.max(1) } else { 0 });
    }
    Err(Error::Option { name, value: value.to_string(), allowed })
}
