//! `compact-second-text`: the presets on another text.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::{PRESETS, both_trained, dense, read, settings};
use crate::arguments::Arguments;
use crate::results::{circumstances, grouped, write_section};

/// Trains the presets on the second text, and writes the section.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let file = arguments.second_text().context("it needs another text: --second-text FILE")?;
    let corpus = read(file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!(
        "## Small models on another text\n\nThe presets on a text on which nothing was tuned, \
         `{name}`, {} characters, seed 0, the last 10 % held out: `cargo xtask bench \
         compact-second-text --second-text FILE`. Bits are those for each byte of the held-out \
         text.\n\n\
         | preset | bytes | bits a byte | dense int8, 256 units | ratio of perplexities |\n\
         |---|---|---|---|---|\n",
        grouped(corpus.tokens().len() as u64)
    );
    for (name, preset) in PRESETS {
        let config = settings(preset, &corpus, 0)?;
        let [model, compared] = both_trained(&corpus, [&config, &dense(&config)])?;
        let (bits, dense_bits) = (model.bits_per_byte, compared.bits_per_byte);
        println!("    {name}: {bits:.3} bits a byte, dense {dense_bits:.3}");
        let (bytes, ratio) = (model.artifact.bytes().len(), model.perplexity / compared.perplexity);
        let bytes = grouped(bytes as u64);
        writeln!(text, "| `{name}` | {bytes} | {bits:.3} | {dense_bits:.3} | {ratio:.3} |")?;
    }
    write_section("compact-second-text", &format!("{text}\n{}\n", circumstances()?))
}
