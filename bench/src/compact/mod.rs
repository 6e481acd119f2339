//! `compact`: the presets for a given size, beside the dense model.

pub(crate) mod curves;
pub(crate) mod second_text;
pub(crate) mod teacher;

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::{fs, thread};

use anyhow::{Context, Result, anyhow, ensure};
use charcell::model::TrainedModel;
use charcell::text::Corpus;
use charcell::{
    Artifact, Config, Device, Outcome, Precision, Preset, Teacher, Training, artifact, evaluate,
};
use charcell_flash::{BOARDS, Board};
use device_tests::instructions::recorded;
use device_tests::machines::{CORTEX_M0_PLUS, CORTEX_M4, CORTEX_M55, Machine, RV32IMAC};
use device_tests::programs::Task;
use infer_core::{Normalisation, Token};
use pollster::block_on;

use crate::arguments::Arguments;
use crate::results::{circumstances, grouped, write_section};

/// The share of the text that is held out, at its end.
const HELD_OUT: f32 = 0.1;

/// Trainings of each preset, with different seeds.
const SEEDS: u64 = 3;

/// The presets for a given size.
const PRESETS: [(&str, Preset); 3] =
    [("tiny", Preset::Tiny), ("small", Preset::Small), ("best", Preset::Best)];

/// The cores whose instructions are compared.
const CORES: [Machine; 4] = [CORTEX_M4, CORTEX_M0_PLUS, RV32IMAC, CORTEX_M55];

/// Characters that are counted for the instructions.
const COUNTED_CHARACTERS: usize = 20;

/// A trained model, and how well its artifact predicts the held-out text.
struct Trained {
    model: TrainedModel,
    artifact: Artifact,
    perplexity: f64,
    bits_per_byte: f64,
}

/// Trains the presets with several seeds, and writes the section.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let presets = presets(&read(arguments.time_machine()?)?)?;
    let text = format!(
        "## Small models\n\nAll of *The Time Machine*, the last {:.0} % held out, on the CPU: \
         `cargo xtask bench compact --time-machine FILE`. Perplexities are those of the artifact, \
         in integers, in one pass over the held-out text; weights are those of the epoch that is \
         best on it. Beside each preset stands the model without embedding, with 256 units and \
         weights of eight bits, after the same training. Means of {SEEDS} seeds.\n\n\
         {presets}\n{}\n",
        100.0 * HELD_OUT,
        circumstances()?
    );
    write_section("compact", &text)
}

fn read(file: &Path) -> Result<Corpus> {
    Ok(Corpus::read(&[file.to_owned()], Normalisation::LowerCase, None)?)
}

/// The settings of a preset for this text.
fn settings(preset: Preset, corpus: &Corpus, seed: u64) -> Result<Config> {
    let config = preset.config_for(corpus.vocabulary().characters(), Vec::new())?;
    Ok(Config { validation: HELD_OUT, report_every: 1, seed, ..config })
}

/// These settings for the model that small ones are compared with.
fn dense(config: &Config) -> Config {
    let (hidden, embedding, sparsity, weights) = (256, 0, 0.0, Precision::Int8);
    Config { hidden, embedding, sparsity, weights, ..config.clone() }
}

/// Both models, trained at the same time: a thread each is faster than all threads for each.
fn both_trained(corpus: &Corpus, configs: [&Config; 2]) -> Result<[Trained; 2]> {
    let [first, second] = thread::scope(|scope| {
        let threads = configs.map(|config| scope.spawn(move || trained(corpus, config, None)));
        threads.map(|thread| thread.join().map_err(|_| anyhow!("a training panicked"))?)
    });
    Ok([first?, second?])
}

fn trained(corpus: &Corpus, config: &Config, teacher: Option<&Teacher>) -> Result<Trained> {
    let outcome = block_on(outcome(corpus, config, teacher))?;
    ensure!(outcome.stopped.is_none(), "training stopped: {:?}", outcome.stopped);
    let artifact = artifact(&outcome.model, config.weights)?;
    let tokens: Vec<Token> = corpus.split(HELD_OUT).1.to_vec();
    let evaluation = evaluate(&artifact.model()?, &tokens);
    let characters = corpus.vocabulary().characters();
    let bytes: usize =
        tokens[1..].iter().map(|&token| characters[usize::from(token)].len_utf8()).sum();
    let bits = evaluation.bits_per_character * evaluation.characters as f64;
    let (perplexity, bits_per_byte) = (evaluation.perplexity, bits / bytes as f64);
    Ok(Trained { model: outcome.model, artifact, perplexity, bits_per_byte })
}

async fn outcome(corpus: &Corpus, config: &Config, teacher: Option<&Teacher>) -> Result<Outcome> {
    let device = Device::Cpu { threads: 1 };
    let backend = async |parameters, config: &Config| device.backend(parameters, config).await;
    let new = async |parameters| backend(parameters, config).await;
    let mut training = Training::new(corpus, config, new).await?;
    if let Some(teacher) = teacher {
        training = training.with_teacher(teacher, backend).await?;
    }
    Ok(training.run(|_| ControlFlow::Continue(())).await)
}

/// The table of presets.
fn presets(corpus: &Corpus) -> Result<String> {
    let mut table = String::from(
        "| preset | units | bytes | perplexity | dense int8, 256 units, 324,000 bytes | ratio |",
    );
    for core in CORES {
        write!(table, " {}, instructions |", core.core)?;
    }
    table += "\n|---|---|---|---|---|---|---|---|---|---|\n";
    let mut artifacts = Vec::new();
    for (name, preset) in PRESETS {
        let (mut small, mut large, mut last) = (0.0, 0.0, None);
        for seed in 0..SEEDS {
            let config = settings(preset, corpus, seed)?;
            let [model, compared] = both_trained(corpus, [&config, &dense(&config)])?;
            println!(
                "    {name}, seed {seed}: {:.3}, dense {:.3}",
                model.perplexity, compared.perplexity
            );
            small += model.perplexity / SEEDS as f64;
            large += compared.perplexity / SEEDS as f64;
            last = Some((config.hidden, model.artifact, compared.artifact));
        }
        let (hidden, artifact, compared) = last.context("no seeds")?;
        let bytes = grouped(artifact.bytes().len() as u64);
        write!(
            table,
            "| `{name}` | {hidden} | {bytes} | {small:.3} | {large:.3} | {:.3} |",
            small / large
        )?;
        for core in CORES {
            let found = instructions(&artifact, core)?;
            let ratio = found as f64 / recorded((core, "int8"))? as f64;
            write!(table, " {}, × {ratio:.3} |", grouped(found))?;
        }
        table += "\n";
        if artifacts.is_empty() {
            artifacts.push(compared);
        }
        artifacts.push(artifact);
    }
    Ok(table + "\n" + &speeds(&artifacts))
}

/// The table of computed speeds of the dense model and of the presets.
fn speeds(artifacts: &[Artifact]) -> String {
    let mut table = String::from(
        "Characters per second on the boards, computed as by `charcell inspect`; with as many \
         weights in RAM as fit, and with all of them in flash:\n\n\
         | board | dense int8, 256 units | `tiny` | `small` | `best` |\n|---|---|---|---|---|\n",
    );
    let with_clock = |board: &&Board| board.clock_hz.is_some() && !board.is_emulated();
    for board in BOARDS.iter().filter(with_clock) {
        table += &format!("| {} |", board.title);
        for artifact in artifacts {
            let fits = board.check(artifact.bytes()).is_ok();
            let speed = board.speed_of(artifact.bytes()).filter(|_| fits);
            table += &speed.map_or(" – |".to_owned(), |speed| {
                format!(" {}, {} |", speed.characters_per_second, speed.from_flash_alone)
            });
        }
        table += "\n";
    }
    table
}

/// Instructions for a character on a core, counted under QEMU.
fn instructions(artifact: &Artifact, core: Machine) -> Result<u64> {
    let path = device_tests::folder("models")?.join("counted.postcard");
    fs::write(&path, artifact.bytes())?;
    let (name, characters) = ("count", COUNTED_CHARACTERS);
    let task = Task { name, characters, model: &path, weights: "compact" };
    let output = task.on_machine(&core)?;
    output.trim().parse().with_context(|| format!("not a number of instructions: {output}"))
}
