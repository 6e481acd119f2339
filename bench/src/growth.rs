//! The cost of a multiply-add at sizes other than the chapter's, and the memory for a character.

use std::fmt::Write;
use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};
use charcell::cpu::Cpu;
use charcell::gpu::{Adapter, Gpu};
use charcell::model::{Dimensions, Parameters};
use charcell::text::Window;
use charcell::{Backend, Config};
use infer_core::Token;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::peers::multiply_adds;
use crate::results::{circumstances, write_section};
use pollster::block_on;

/// The chapter's vocabulary.
pub(crate) const VOCABULARY: usize = 43;

const LEARNING_RATE: f32 = 1.0;

/// H, B, T and L of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) hidden: usize,
    pub(crate) batch_size: usize,
    pub(crate) num_steps: usize,
    pub(crate) layers: usize,
}

impl Sizes {
    /// The recipe's sizes.
    pub(crate) const CHAPTER: Self = Self { hidden: 256, batch_size: 32, num_steps: 35, layers: 1 };

    /// The recipe's sizes, and variants in which one size has one of the given values.
    fn around(
        hidden: &[usize],
        batch_size: &[usize],
        num_steps: &[usize],
        layers: &[usize],
    ) -> Vec<Self> {
        let recipe = Self::CHAPTER;
        let hidden = hidden.iter().map(|&hidden| Self { hidden, ..recipe });
        let batch_size = batch_size.iter().map(|&batch_size| Self { batch_size, ..recipe });
        let num_steps = num_steps.iter().map(|&num_steps| Self { num_steps, ..recipe });
        let layers = layers.iter().map(|&layers| Self { layers, ..recipe });
        [recipe]
            .into_iter()
            .chain(hidden)
            .chain(batch_size)
            .chain(num_steps)
            .chain(layers)
            .collect()
    }

    pub(crate) fn dimensions(self) -> Dimensions {
        Dimensions { vocabulary: VOCABULARY, hidden: self.hidden, layers: self.layers }
    }

    fn config(self) -> Config {
        let Self { hidden, batch_size, num_steps, layers } = self;
        Config { hidden, batch_size, num_steps, layers, ..Config::default() }
    }

    fn parameters(self) -> Parameters {
        Parameters::init(self.dimensions(), &mut ChaCha8Rng::seed_from_u64(0))
    }

    /// A window of arbitrary tokens.
    fn window(self) -> Window {
        let token = |n: usize| (n * 7919 % VOCABULARY) as Token;
        let count = self.batch_size * self.num_steps;
        let inputs: Vec<Token> = (0..count).map(token).collect();
        Window { targets: inputs.clone(), inputs, resets_state: false, teacher: None }
    }

    /// A training of these sizes on the CPU after its first iteration, and a window for more.
    pub(crate) fn on_cpu(self, threads: usize) -> Result<(Cpu, Window)> {
        let mut cpu = Cpu::new(self.parameters(), &self.config(), threads)?;
        let window = self.window();
        block_on(cpu.train(std::slice::from_ref(&window), &[LEARNING_RATE.into()]))?;
        Ok((cpu, window))
    }

    /// Multiply-adds of an iteration, forward and backward.
    fn multiply_adds(self) -> f64 {
        (3 * multiply_adds(self.dimensions()) * self.batch_size * self.num_steps) as f64
    }

    fn row(self) -> String {
        let Self { hidden, batch_size, num_steps, layers } = self;
        format!("| {hidden} | {batch_size} | {num_steps} | {layers} |")
    }
}

const HEADER: &str = "| hidden units | batch | steps | layers |";

/// Writes the section of the CPU.
pub(crate) fn measure_cpu() -> Result<()> {
    let sizes =
        Sizes::around(&[64, 128, 512, 1024], &[1, 4, 8, 16, 64, 256], &[64, 128, 256], &[2, 3]);
    let mut costs = Vec::new();
    for &sizes in &sizes {
        let cost = |threads| -> Result<f64> {
            let (mut cpu, window) = sizes.on_cpu(threads)?;
            picoseconds(sizes, &mut cpu, &window)
        };
        costs.push([cost(1)?, cost(0)?]);
    }
    let best = [0, 1].map(|n| costs.iter().map(|cost| cost[n]).fold(f64::INFINITY, f64::min));
    let mut table = format!(
        "{HEADER} ps a multiply-add, one thread | × the best | all cores | × the best |\n\
         |---|---|---|---|---|---|---|---|\n"
    );
    for (sizes, [one, all]) in sizes.iter().zip(&costs) {
        let (to_one, to_all) = (one / best[0], all / best[1]);
        let row = sizes.row();
        writeln!(table, "{row} {one:.1} | {to_one:.2} | {all:.1} | {to_all:.2} |")?;
    }
    let (stated, measured) = memory()?;
    let text = format!(
        "## Growth on the CPU\n\n\
         The cost of a multiply-add, an iteration's time over all of its products, around the \
         chapter's sizes: `cargo xtask bench growth-cpu`.\n\n{table}\n\
         The cost stays within 1.6 of the best, except for batches of fewer than eight rows. They \
         read every weight for few products, and aren't divided between threads, because each \
         thread would read all weights for even fewer.\n\n\
         Activations use {stated} bytes per character and layer according to their shapes (seven \
         numbers a unit: four gates, cell state, its tanh, hidden state). Measured as the growth \
         of the resident memory from one layer to three, it is {measured:.0}.\n\n{}\n",
        circumstances()?
    );
    print!("{table}");
    println!("    {stated} bytes a character and layer stated, {measured:.0} measured");
    write_section("growth-cpu", &text)
}

/// Writes the section of the GPU, or of a software adapter.
pub(crate) fn measure_gpu() -> Result<()> {
    let name = std::env::var("CHARCELL_TEST_ADAPTER").unwrap_or_default();
    let adapter = block_on(Adapter::find(Some(&name)))?;
    let sizes = Sizes::around(&[64, 512], &[8, 128], &[128], &[2]);
    let mut costs = Vec::new();
    for &sizes in &sizes {
        let mut gpu = block_on(Gpu::new(&adapter, &sizes.parameters(), &sizes.config()))?;
        let window = sizes.window();
        block_on(gpu.train(std::slice::from_ref(&window), &[LEARNING_RATE.into()]))?;
        costs.push(picoseconds(sizes, &mut gpu, &window)?);
    }
    let best = costs.iter().copied().fold(f64::INFINITY, f64::min);
    let mut table =
        format!("{HEADER} ps a multiply-add | × the best |\n|---|---|---|---|---|---|\n");
    for (sizes, cost) in sizes.iter().zip(&costs) {
        writeln!(table, "{} {cost:.1} | {:.2} |", sizes.row(), cost / best)?;
    }
    let text = format!(
        "## Growth on a GPU\n\n\
         The same on {adapter} ({}): `cargo xtask bench growth-gpu`.\n\n{table}\n\
         With 64 units or 8 rows, there are too few products to outweigh the dispatches of a step, \
         whose number is the same for all sizes.\n\n{}\n",
        adapter.kind(),
        circumstances()?
    );
    print!("{table}");
    write_section("growth-gpu", &text)
}

/// The cost of a multiply-add, in picoseconds: the lowest of several iterations.
fn picoseconds(sizes: Sizes, backend: &mut impl Backend, window: &Window) -> Result<f64> {
    /// How long to measure a size, and the fewest iterations.
    const SECONDS: f64 = 0.7;
    const REPEATS: usize = 3;
    let (start, mut least) = (Instant::now(), f64::INFINITY);
    let mut repeats = 0;
    while repeats < REPEATS || start.elapsed().as_secs_f64() < SECONDS {
        let before = Instant::now();
        block_on(backend.train(std::slice::from_ref(window), &[LEARNING_RATE.into()]))?;
        least = least.min(before.elapsed().as_secs_f64());
        repeats += 1;
    }
    Ok(least / sizes.multiply_adds() * 1e12)
}

/// Bytes per character and layer: computed from the shapes, and measured.
fn memory() -> Result<(usize, f64)> {
    let sizes = Sizes { batch_size: 128, num_steps: 256, ..Sizes::CHAPTER };
    let numbers = infer_core::layout::GATES + 3;
    let taken = |layers| -> Result<f64> {
        let sizes = Sizes { layers, ..sizes };
        let training = sizes.on_cpu(1)?;
        let taken = resident_bytes()?;
        drop(training);
        Ok(taken)
    };
    let (one, three) = (taken(1)?, taken(3)?);
    let characters = sizes.batch_size * sizes.num_steps;
    Ok((numbers * sizes.hidden * size_of::<f32>(), (three - one) / (2 * characters) as f64))
}

/// The resident memory of this process, in bytes.
fn resident_bytes() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("memory needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmRSS")?;
    Ok(kibibytes.trim().parse::<f64>()? * 1024.0)
}
