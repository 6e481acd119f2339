//! Measures training on a GPU: the error of gradients against f64, a training, and the time of each
//! kernel.

use std::fmt::Write;

use anyhow::{Result, ensure};
use charcell::cpu::Cpu;
use charcell::gpu::{Adapter, Gpu, profile};
use charcell::model::Parameters;
use charcell::text::{Batches, Corpus};
use charcell::{Config, Device, train_and_predict};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::arguments::Arguments;
use crate::chapter;
use crate::reference::{Reference, relative_error};
use crate::results::{circumstances, write_section};
use pollster::block_on;

/// Tolerances for the gradients of each window against f64, relative to their norm.
const GPU_TOLERANCE: f64 = 5e-6;
const CPU_TOLERANCE: f64 = 1e-6;

/// Epochs to train, and the range of perplexities that a correct implementation ends in.
const EPOCHS: usize = 40;
const EXPECTED: std::ops::RangeInclusive<f64> = 7.0..=8.6;

/// Measures the adapter that `CHARCELL_TEST_ADAPTER` names, or the best one, which may be software,
/// and writes the section of the results.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let name = std::env::var("CHARCELL_TEST_ADAPTER").unwrap_or_default();
    let adapter = block_on(Adapter::find(Some(&name)))?;
    let corpus = chapter::corpus(arguments.time_machine()?)?;
    let config = Config { epochs: EPOCHS, ..Config::default() };
    let (gpu_error, cpu_error) = gradient_errors(&adapter, &corpus, &config)?;
    println!(
        "    largest gradient error: {gpu_error:.1e} on {adapter}, {cpu_error:.1e} on the CPU"
    );
    ensure!(gpu_error <= GPU_TOLERANCE, "a gradient of the GPU is off by {gpu_error:e}");
    ensure!(cpu_error <= CPU_TOLERANCE, "a gradient of the CPU is off by {cpu_error:e}");
    let (perplexity, seconds) = train(&corpus, &config, &Device::Gpu(adapter.clone()))?;
    let (_, cpu_seconds) = train(&corpus, &config, &Device::Cpu { threads: 0 })?;
    println!("    perplexity {perplexity:.2}, {seconds:.3} s an epoch; CPU {cpu_seconds:.3} s");
    ensure!(EXPECTED.contains(&perplexity), "perplexity {perplexity} after {EPOCHS} epochs");
    let text = format!(
        "## Training on a GPU\n\n\
         The chapter's recipe on {adapter} ({}): `cargo xtask test --full --time-machine FILE`.\n\n\
         | | |\n|---|---|\n\
         | largest error of an epoch's gradients against f64, relative to the norm | \
         {gpu_error:.1e} |\n\
         | the same on the CPU | {cpu_error:.1e} |\n\
         | perplexity after {EPOCHS} epochs | {perplexity:.2} |\n\
         | seconds an epoch (median) | {seconds:.3} |\n\
         | the same on the CPU | {cpu_seconds:.3} |\n\n\
         One iteration, `charcell devices --profile`:\n\n{}\n{}\n",
        adapter.kind(),
        profile_table(&adapter, &corpus, &config)?,
        circumstances()?
    );
    write_section("gpu", &text)
}

/// The largest relative error of an epoch's gradients at the initial weights, on the GPU and on the
/// CPU.
fn gradient_errors(adapter: &Adapter, corpus: &Corpus, config: &Config) -> Result<(f64, f64)> {
    let &Config { batch_size, num_steps, sampling, .. } = config;
    let mut random = ChaCha8Rng::seed_from_u64(config.seed);
    let parameters = Parameters::init(config.dimensions(corpus), &mut random);
    let mut gpu = block_on(Gpu::new(adapter, &parameters, config))?;
    let mut cpu = Cpu::new(parameters.clone(), config, 0)?;
    let mut reference = Reference::new(&parameters, batch_size);
    let batches = Batches::new(corpus.tokens(), sampling, batch_size, num_steps)?;
    let (mut gpu_error, mut cpu_error) = (0_f64, 0_f64);
    for window in batches.epoch(&mut random) {
        let (_, expected) = reference.gradients(&window);
        let (_, gradients) = block_on(gpu.compute_gradients(&window, false))?;
        gpu_error = gpu_error.max(relative_error(&gradients, &expected));
        cpu.compute_gradients(&window, false);
        cpu_error = cpu_error.max(relative_error(cpu.gradients(), &expected));
    }
    Ok((gpu_error, cpu_error))
}

/// The last perplexity, and the median seconds of an epoch.
fn train(corpus: &Corpus, config: &Config, device: &Device) -> Result<(f64, f64)> {
    let (mut perplexity, mut seconds) = (f64::INFINITY, Vec::new());
    let outcome = block_on(train_and_predict(corpus, config, device, |report| {
        perplexity = report.perplexity;
        seconds.push(report.seconds);
    }))?;
    ensure!(outcome.stopped.is_none(), "training stopped: {:?}", outcome.stopped);
    seconds.sort_by(f64::total_cmp);
    Ok((perplexity, seconds[seconds.len() / 2]))
}

fn profile_table(adapter: &Adapter, corpus: &Corpus, config: &Config) -> Result<String> {
    let mut table = String::from("| kernel | dispatches | ms | GFLOP/s |\n|---|---|---|---|\n");
    for time in block_on(profile(adapter, config.dimensions(corpus), config))? {
        let (milliseconds, rate) = (time.seconds * 1e3, time.flop as f64 / time.seconds * 1e-9);
        let name = time.kernel.name;
        writeln!(table, "| `{name}` | {} | {milliseconds:.2} | {rate:.1} |", time.dispatches)?;
    }
    Ok(table)
}
