//! Charcell as one of the peers.

use std::io::{self, BufRead};
use std::path::Path;

use anyhow::{Context, Result, bail};
use charcell::cpu::Cpu;
use charcell::model::TrainedModel;
use charcell::text::{Batches, Corpus, Window};
use charcell::{Artifact, Backend, Config, Iterations, Precision, artifact};

use super::work::Work;
use pollster::block_on;

/// Follows the orders from standard input that `bench/peers/peer.py` describes: trains on the CPU,
/// and generates with `infer-core`, from an artifact in int8 (`generate`) or f32 (`generate-f32`).
pub(crate) fn follow(folder: &Path) -> Result<()> {
    let (work, parameters) = Work::read(folder)?;
    let corpus = work.corpus()?;
    let mut cpu = Cpu::new(parameters, &Config::default(), 0)?;
    let (int8, f32) = (&mut None, &mut None);
    println!("ready");
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (order, number) = line.split_once(' ').context("an order isn't a word and a number")?;
        let number = number.parse()?;
        match order {
            "epoch" => println!("{}", epoch(&mut cpu, &corpus, number)?),
            "generate" => {
                println!("{}", generate(&mut cpu, &corpus, Precision::Int8, int8, number)?)
            }
            "generate-f32" => {
                println!("{}", generate(&mut cpu, &corpus, Precision::F32, f32, number)?);
            }
            _ => bail!("unknown order {order}"),
        }
    }
    Ok(())
}

/// Trains an epoch that starts at token `offset`, and returns the mean loss in nats.
fn epoch(cpu: &mut Cpu, corpus: &Corpus, offset: usize) -> Result<f64> {
    let Config { sampling, batch_size, num_steps, learning_rate, .. } = Config::default();
    let batches = Batches::new(corpus.tokens(), sampling, batch_size, num_steps)?;
    let windows: Vec<Window> = batches.epoch_from(offset).collect();
    match block_on(cpu.train(&windows, &vec![learning_rate.into(); windows.len()]))? {
        Iterations::Done(iterations) => {
            let sum: f64 = iterations.iter().map(|iteration| iteration.loss_nats).sum();
            Ok(sum / iterations.len() as f64)
        }
        Iterations::Diverged => bail!("training diverged"),
    }
}

/// Generates `count` characters after the vocabulary's first one. The first call exports the
/// artifact, and later ones reuse it.
fn generate(
    cpu: &mut Cpu,
    corpus: &Corpus,
    precision: Precision,
    exported: &mut Option<Artifact>,
    count: usize,
) -> Result<String> {
    if exported.is_none() {
        let model = TrainedModel {
            parameters: block_on(cpu.parameters())?,
            precision: Precision::F32,
            vocabulary: corpus.vocabulary().clone(),
            normalisation: corpus.normalisation(),
            prefixes: Vec::new(),
        };
        *exported = Some(artifact(&model, precision)?);
    }
    let model = exported.as_ref().context("it was just exported")?.model()?;
    let first = corpus.vocabulary().characters()[0];
    let greedy = infer_core::Sampling::greedy();
    Ok(model.text(&first.to_string(), count, greedy)?.escape_default().to_string())
}
