//! `charcell generate`.

use std::ops::ControlFlow;
use std::path::PathBuf;

use charcell::AnyModel;
use charcell::text::Changes;
use clap::Args;
use infer_core::Sampling;

use super::shared::{AS_TRAINED, check_effects, with_model};
use crate::error::Error;
use crate::output::{Stream, print, tell_changes, tell_replaced};

#[derive(Debug, Args)]
#[command(after_help = "Example:
  charcell generate runs/001/model.postcard --prefix \"the traveller\" --temperature 0.7 --seed 1")]
pub(super) struct Arguments {
    /// The artifact.
    model: PathBuf,
    /// The text to continue [default: the first prefix in the artifact].
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// How many characters to write.
    #[arg(long, value_name = "N", default_value_t = 200)]
    length: usize,
    /// 0 always takes the most probable character; 1 samples as the model predicts; at most 65.
    #[arg(long, value_name = "T", default_value_t = 0.0, allow_negative_numbers = true)]
    temperature: f64,
    /// With --temperature: only the K most probable characters; 0: all [default: 0].
    #[arg(long, value_name = "K")]
    top_k: Option<u16>,
    /// With --temperature: only the most probable characters that together reach this probability
    /// [default: 1].
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    top_p: Option<f64>,
    /// With --temperature: seed of the random numbers; same seed, same text [default: 0].
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Print a JSON object with prefix and continuation.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let sampling = arguments.sampling()?;
    with_model(&arguments.model, |_, model| generate(arguments, model, sampling))
}

impl Arguments {
    /// How characters are chosen.
    fn sampling(&self) -> Result<Sampling, Error> {
        let &Self { temperature, top_k, top_p, seed, .. } = self;
        let temperature_milli = milli("--temperature", temperature, 65.535, "from 0 to 65.535")?;
        let top_p_milli = milli("--top-p", top_p.unwrap_or(1.0), 1.0, "from 0 to 1")?;
        let (is_greedy, reason) = (temperature_milli == 0, "without a --temperature above 0");
        check_effects(&[
            ("--top-k", is_greedy && top_k.is_some_and(|k| k > 0), reason),
            ("--top-p", is_greedy && top_p_milli < 1000, reason),
            ("--seed", is_greedy && seed.is_some(), reason),
        ])?;
        let (top_k, seed) = (top_k.unwrap_or(0), seed.unwrap_or(0));
        Ok(Sampling { temperature_milli, top_k, top_p_milli, seed })
    }
}

fn generate(arguments: &Arguments, model: &AnyModel<'_>, sampling: Sampling) -> Result<(), Error> {
    let own = model.header().prefixes.first().copied();
    let prefix = arguments.prefix.as_deref().or(own).unwrap_or_default();
    // Fail before printing a prefix that can't be continued.
    model.tokens(prefix, None)?;
    tell_changes(AS_TRAINED, Changes::of(prefix, model.header().normalisation));
    tell_replaced(model.unknown(prefix).as_ref());
    if arguments.json {
        let text = model.text(prefix, arguments.length, sampling)?;
        let continuation = text.strip_prefix(prefix).unwrap_or_default();
        let result = serde_json::json!({ "prefix": prefix, "continuation": continuation });
        return print(&format!("{result}\n"));
    }
    let mut stream = Stream::new(prefix);
    let mut written = Ok(());
    model.generate(prefix, arguments.length, sampling, |character| {
        written = stream.push(character);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written.and_then(|()| stream.end())
}

/// `value` in thousandths. Only 0 itself becomes 0, because that can have a special meaning.
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
