//! `compact-teacher`: small models with and without a teacher.

use std::fmt::Write;
use std::thread;

use anyhow::{Result, anyhow};
use charcell::text::Corpus;
use charcell::{Config, Preset, Teacher};

use super::{SEEDS, Trained, read, settings, trained};
use crate::arguments::Arguments;
use crate::results::{circumstances, write_section};

/// The models that are taught.
const TAUGHT: [(&str, Preset); 2] = [("tiny", Preset::Tiny), ("small", Preset::Small)];

/// Trains a teacher for each seed and what it teaches, and writes the section.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let corpus = read(arguments.time_machine()?)?;
    let mut text = String::from(
        "## Small models with a teacher\n\nPerplexities of `tiny` and `small` as above, taught by \
         `best` of the same seed: `cargo xtask bench compact-teacher --time-machine FILE`.\n\n\
         | seed | `best` | `tiny` | `small` |\n|---|---|---|---|\n",
    );
    let mut means = [0.0; TAUGHT.len() + 1];
    for seed in 0..SEEDS {
        let best = trained(&corpus, &settings(Preset::Best, &corpus, seed)?, None)?;
        let teacher = Teacher::new(best.model, "best".into())?;
        let taught = thread::scope(|scope| {
            let threads = TAUGHT.map(|(_, preset)| {
                let (corpus, teacher) = (&corpus, &teacher);
                scope.spawn(move || perplexity_of_taught(corpus, preset, seed, teacher))
            });
            threads.map(|thread| thread.join().map_err(|_| anyhow!("a training panicked"))?)
        });
        let [tiny, small] = taught;
        let perplexities = [best.perplexity, tiny?, small?];
        write_row(&mut text, &seed.to_string(), perplexities)?;
        println!("    seed {seed}: {perplexities:.3?}");
        for (mean, perplexity) in means.iter_mut().zip(perplexities) {
            *mean += perplexity / SEEDS as f64;
        }
    }
    write_row(&mut text, "mean", means)?;
    write_section("compact-teacher", &format!("{text}\n{}\n", circumstances()?))
}

fn write_row(text: &mut String, name: &str, [best, tiny, small]: [f64; 3]) -> Result<()> {
    Ok(writeln!(text, "| {name} | {best:.3} | {tiny:.3} | {small:.3} |")?)
}

fn perplexity_of_taught(
    corpus: &Corpus,
    preset: Preset,
    seed: u64,
    teacher: &Teacher,
) -> Result<f64> {
    let config: Config = settings(preset, corpus, seed)?;
    let config = config.with_teacher(Some(teacher.origin().clone()));
    let Trained { perplexity, .. } = trained(corpus, &config, Some(teacher))?;
    Ok(perplexity)
}
