//! Compares the presets: perplexity on held-out text against seconds.

use std::fmt::Write;
use std::fs;

use anyhow::{Result, ensure};
use charcell::text::Corpus;
use charcell::{Config, Device, EpochReport, Preset, train_and_predict};
use infer_core::Normalisation;

use crate::arguments::Arguments;
use crate::chart::{self, Line};
use crate::results::{circumstances, write_section};
use pollster::block_on;
use xtask::root;

/// The presets, and the number of epochs between two measurements of perplexity.
const PRESETS: [(&str, Preset, usize); 2] =
    [("chapter", Preset::Chapter, 5), ("good", Preset::Good, 1)];

/// Trains with each preset to the end, and writes the table and the picture.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let text = arguments.time_machine()?.to_owned();
    let corpus = Corpus::read(&[text], Normalisation::LowerCase, None)?;
    let mut table = String::from(
        "| preset | epochs | s | perplexity in training | on held-out text, best | after s |\n\
         |---|---|---|---|---|---|\n",
    );
    let mut lines = Vec::new();
    for (name, preset, report_every) in PRESETS {
        let config = Config { validation: 0.1, report_every, ..preset.config() };
        let device = Device::Cpu { threads: 0 };
        let outcome = block_on(train_and_predict(&corpus, &config, &device, |_| {}))?;
        ensure!(outcome.stopped.is_none(), "training stopped: {:?}", outcome.stopped);
        let points = curve(&outcome.metrics);
        let (best_after, best) = best(&points);
        let (seconds, _) = points.last().copied().unwrap_or_default();
        let (epochs, trained) =
            outcome.metrics.last().map_or((0, 0.0), |last| (last.epoch, last.perplexity));
        println!("    {name}: {best:.3} after {best_after:.0} of {seconds:.0} s");
        writeln!(
            table,
            "| `{name}` | {epochs} | {seconds:.0} | {trained:.2} | {best:.3} | {best_after:.0} |"
        )?;
        lines.push(Line { name, points });
    }
    let [chapter, good] = [0, 1].map(|number: usize| best(&lines[number].points));
    ensure!(good.1 < chapter.1, "good reaches {}, the chapter {}", good.1, chapter.1);
    ensure!(good.0 < chapter.0, "good takes {} s, the chapter {} s", good.0, chapter.0);
    let picture = chart::curves(&lines, "seconds of training, all cores", 4.0..30.0)?;
    fs::write(root().join("docs/presets.svg"), picture)?;
    let text = format!(
        "## The presets\n\n\
         All of *The Time Machine*, the last 10 % held out, seed 0, on the CPU: `cargo xtask test \
         --full --time-machine FILE`. Seconds count training only.\n\n{table}\n\
         ![Perplexity on held-out text against seconds](presets.svg)\n\n{}\n",
        circumstances()?
    );
    write_section("presets", &text)
}

/// Seconds of training, and the perplexity on held-out text at that time.
fn curve(metrics: &[EpochReport]) -> Vec<(f64, f64)> {
    let mut seconds = 0.0;
    let points = metrics.iter().filter_map(|report| {
        seconds += report.seconds;
        Some((seconds, report.validation_perplexity?))
    });
    points.collect()
}

/// The point with the lowest perplexity.
fn best(points: &[(f64, f64)]) -> (f64, f64) {
    let lowest = points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
    lowest.unwrap_or((f64::INFINITY, f64::INFINITY))
}
