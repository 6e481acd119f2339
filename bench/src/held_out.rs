//! Perplexity on held-out text and training time, compared with PyTorch: the same initial weights,
//! windows and settings.
//!
//! This takes half an hour, so the results of each pair of trainings are kept in `target/held-out`
//! and reused when the section is measured again. Delete that folder to measure everything again.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use charcell::model::Parameters;
use charcell::text::{Batches, Corpus};
use charcell::{
    Backend, Config, Device, Optimizer, Precision, Schedule, Training, artifact, evaluate,
    to_safetensors,
};
use infer_core::{Normalisation, Token};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::arguments::Arguments;
use crate::peers::{Peer, script, setup};
use crate::results::{circumstances, commit, write_section};
use pollster::block_on;
use xtask::root;

/// Hidden units and layers.
const MODELS: [(usize, usize); 4] = [(256, 1), (256, 2), (512, 1), (512, 2)];

const SEEDS: u64 = 3;

/// Threads for each of the two.
const THREADS: usize = 1;

/// The result of a training.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Trained {
    perplexity: f64,
    seconds: f64,
}

/// Trains each model with each seed, here and in PyTorch, and writes the table.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let text = arguments.time_machine()?.to_owned();
    setup::pytorch()?;
    let corpus = Corpus::read(&[text], Normalisation::LowerCase, None)?;
    let mut table = String::from(
        "| units | layers | rate | Charcell: perplexity | PyTorch: perplexity | \
         ratio of the means | spread of the seeds | Charcell: seconds | PyTorch: seconds | \
         ratio |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (hidden, layers) in MODELS {
        let mut pairs = Vec::new();
        for seed in 0..SEEDS {
            let (own, pytorch) = compared(&corpus, &config(hidden, layers, seed))?;
            println!(
                "    {hidden} units, {layers} layer(s), seed {seed}: perplexity {:.4}, PyTorch \
                 {:.4}; {:.1} s, PyTorch {:.1} s",
                own.perplexity, pytorch.perplexity, own.seconds, pytorch.seconds
            );
            pairs.push((own, pytorch));
        }
        table += &row(hidden, layers, &pairs)?;
        write(&corpus, &table)?;
    }
    Ok(())
}

/// Writes the section, with the models measured so far.
fn write(corpus: &Corpus, table: &str) -> Result<()> {
    let config = config(256, 1, 0);
    let text = format!(
        "## Held-out text, compared with PyTorch\n\n\
         All of *The Time Machine*, {} characters, of which the last {:.0} % are held out: \
         `cargo xtask test --full --time-machine FILE`. Adam with warm-up and a cosine schedule, \
         gradients clipped to {}, {} rows of {} steps, {} epochs. Both have the same initial \
         weights and windows, one bias a gate and {THREADS} thread, and take turns after each \
         epoch. Perplexity is measured with the last weights, in one pass over the held-out text, \
         for {SEEDS} seeds each; the spread is the largest divided by the smallest. Seconds are \
         for a whole training, the median of the seeds.\n\n{table}\n{}\n",
        corpus.tokens().len(),
        config.validation * 100.0,
        config.clip,
        config.batch_size,
        config.num_steps,
        config.epochs,
        circumstances()?
    );
    write_section("held-out", &text)
}

fn config(hidden: usize, layers: usize, seed: u64) -> Config {
    const EPOCHS: usize = 4;
    Config {
        hidden,
        layers,
        seed,
        num_steps: 32,
        batch_size: 16,
        epochs: EPOCHS,
        optimizer: Optimizer::Adam,
        // At the higher rate, some seeds of the largest model diverge for a while, in PyTorch as
        // well.
        learning_rate: if (hidden, layers) == (512, 2) { 2e-3 } else { 5e-3 },
        schedule: Schedule::Cosine,
        warm_up: 0.05,
        clip: 1.0,
        validation: 0.1,
        report_every: EPOCHS,
        prefixes: Vec::new(),
        ..Config::default()
    }
}

/// A model's row of the table. Fails unless both predict equally well.
fn row(hidden: usize, layers: usize, pairs: &[(Trained, Trained)]) -> Result<String> {
    let (own, pytorch): (Vec<Trained>, Vec<Trained>) = pairs.iter().copied().unzip();
    let ratio = mean(&own) / mean(&pytorch);
    let spread = spread(&own).max(spread(&pytorch));
    ensure!(spread < 1.2, "{hidden} units, {layers} layer(s): a factor of {spread} between seeds");
    ensure!(
        ratio.max(1.0 / ratio) <= spread,
        "{hidden} units, {layers} layer(s): {ratio} times PyTorch, but {spread} between seeds"
    );
    let list = |trained: &[Trained]| {
        let perplexities: Vec<String> =
            trained.iter().map(|trained| format!("{:.3}", trained.perplexity)).collect();
        perplexities.join(", ")
    };
    let (seconds, pytorch_seconds) = (median_seconds(&own), median_seconds(&pytorch));
    let mut row = String::new();
    writeln!(
        row,
        "| {hidden} | {layers} | {} | {} | {} | {ratio:.4} | {spread:.4} | {seconds:.1} | \
         {pytorch_seconds:.1} | {:.2} |",
        config(hidden, layers, 0).learning_rate,
        list(&own),
        list(&pytorch),
        seconds / pytorch_seconds
    )?;
    Ok(row)
}

fn mean(trained: &[Trained]) -> f64 {
    trained.iter().map(|trained| trained.perplexity).sum::<f64>() / trained.len() as f64
}

/// The largest perplexity divided by the smallest.
fn spread(trained: &[Trained]) -> f64 {
    let perplexities = || trained.iter().map(|trained| trained.perplexity);
    perplexities().fold(0.0, f64::max) / perplexities().fold(f64::INFINITY, f64::min)
}

fn median_seconds(trained: &[Trained]) -> f64 {
    let mut seconds: Vec<f64> = trained.iter().map(|trained| trained.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// The result of [`compare`], from an earlier run if that compared the same.
fn compared(corpus: &Corpus, config: &Config) -> Result<(Trained, Trained)> {
    let Config { hidden, layers, seed, .. } = config;
    let path = folder().join(format!("{hidden}-{layers}-{seed}.json"));
    let settings = serde_json::to_string(&(config, corpus.checksum(), THREADS, commit()?))?;
    let read = |text: String| serde_json::from_str::<(String, Trained, Trained)>(&text).ok();
    if let Some((known, own, pytorch)) = fs::read_to_string(&path).ok().and_then(read)
        && known == settings
    {
        return Ok((own, pytorch));
    }
    let (own, pytorch) = compare(corpus, config)?;
    fs::write(&path, serde_json::to_string(&(settings, own, pytorch))?)?;
    Ok((own, pytorch))
}

/// Trains here and in PyTorch, an epoch each in turn, so that both have the same conditions.
fn compare(corpus: &Corpus, config: &Config) -> Result<(Trained, Trained)> {
    prepare(corpus, config)?;
    let mut pytorch = Peer::spawn("PyTorch", script("bench/peers/held_out_peer.py"), &folder())?;
    let device = Device::Cpu { threads: THREADS };
    let backend = async |start| device.backend(start, config).await;
    let mut training = block_on(Training::new(corpus, config, backend))?;
    let (mut seconds, mut pytorch_seconds) = (0.0, 0.0);
    for epoch in 0..config.epochs {
        seconds += train_epoch(&mut training)?;
        let (_, passed): (f64, f64) = pytorch.order("epoch", epoch)?;
        pytorch_seconds += passed;
    }
    let (loss_nats, _): (f64, f64) = pytorch.order("evaluate", 0)?;
    let artifact = artifact(&block_on(training.finish(None)).model, Precision::F32)?;
    let held_out = corpus.split(config.validation).1.to_vec();
    let perplexity = evaluate(&artifact.model()?, &held_out).perplexity;
    let pytorch = Trained { perplexity: loss_nats.exp(), seconds: pytorch_seconds };
    Ok((Trained { perplexity, seconds }, pytorch))
}

/// Trains the next epoch, and returns the seconds that it took.
fn train_epoch<B: Backend>(training: &mut Training<'_, B>) -> Result<f64> {
    loop {
        let progress = block_on(training.advance())?.context("all epochs are done")?;
        if let Some(report) = progress.report {
            return Ok(report.seconds);
        }
    }
}

fn folder() -> PathBuf {
    root().join("target/held-out")
}

/// Writes the input of `bench/peers/held_out_peer.py`, with which a [`Training`] starts.
fn prepare(corpus: &Corpus, config: &Config) -> Result<()> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let mut random = ChaCha8Rng::seed_from_u64(config.seed);
    let parameters = Parameters::init(config.dimensions(corpus), &mut random);
    fs::write(folder.join("weights.safetensors"), to_safetensors(&parameters))?;
    let (text, held_out) = corpus.split(config.validation);
    let batches = Batches::new(text, config.sampling, config.batch_size, config.num_steps)?;
    let (mut windows, mut learning_rates) = (Vec::new(), Vec::new());
    for epoch in 0..config.epochs {
        let epoch_windows = batches.epoch(&mut random);
        let count = epoch_windows.count_all() as f64;
        for (number, window) in epoch_windows.enumerate() {
            learning_rates.push(config.learning_rate_at(epoch as f64 + number as f64 / count));
            windows.extend(window.inputs);
            windows.extend(window.targets);
        }
    }
    fs::write(folder.join("windows.u16"), bytes(&windows))?;
    fs::write(folder.join("held_out.u16"), bytes(&held_out.to_vec()))?;
    let work = json!({
        "vocabulary": corpus.vocabulary().size(),
        "hidden": config.hidden,
        "layers": config.layers,
        "num_steps": config.num_steps,
        "batch_size": config.batch_size,
        "epochs": config.epochs,
        "clip": config.clip,
        "learning_rates": learning_rates,
        "threads": THREADS,
    });
    fs::write(folder.join("work.json"), work.to_string())?;
    Ok(())
}

fn bytes(tokens: &[Token]) -> Vec<u8> {
    tokens.iter().flat_map(|token| token.to_le_bytes()).collect()
}
