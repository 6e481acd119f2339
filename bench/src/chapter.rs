//! The chapter's recipe on its own text, *The Time Machine*, compared with the chapter's figures.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, ensure};
use charcell::cpu::Cpu;
use charcell::model::{Dimensions, ParameterName, Parameters, TrainedModel};
use charcell::text::{Batches, Corpus};
use charcell::{
    Backend, Config, Device, Precision, artifact, clip_factor, evaluate, first_choice,
    train_and_predict,
};
use infer_core::Normalisation;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::arguments::Arguments;
use crate::results::{circumstances, write_section};
use pollster::block_on;

/// How many characters of its text the chapter uses.
const CHARACTERS: usize = 10_000;

/// Epochs at which the chapter reports.
const REPORTS: [usize; 4] = [40, 80, 120, 160];

/// Perplexities at [`REPORTS`] that a correct implementation reaches, and the tolerance for the
/// mean of all seeds.
const EXPECTED: [f64; 4] = [7.8, 3.9, 1.95, 1.32];
const TOLERANCE: f64 = 0.1;

/// Limits for what integer inference may cost.
const LARGEST_FACTOR: f64 = 1.003;
const SMALLEST_AGREEMENT: f64 = 0.99;

/// Trains with five seeds, compares with the chapter, and writes the table.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let corpus = corpus(arguments.time_machine()?)?;
    let mut table = String::from(
        "| seed | perplexity at 40 | 80 | 120 | 160 | int8: factor | int8: same first choice |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut sums = [0.0; REPORTS.len()];
    const SEEDS: u64 = 5;
    for seed in 0..SEEDS {
        let (model, perplexities) = train(&corpus, seed)?;
        let (factor, agreement) = compare_int8(&model, &corpus)?;
        let [p40, p80, p120, p160] = perplexities;
        writeln!(
            table,
            "| {seed} | {p40:.2} | {p80:.2} | {p120:.2} | {p160:.3} | {factor:.4} | {:.2} % |",
            agreement * 100.0
        )?;
        println!(
            "    seed {seed}: {p40:.2} {p80:.2} {p120:.2} {p160:.3}, {factor:.4}, {agreement:.4}"
        );
        ensure!(p160 <= 1.45, "seed {seed} ends at {p160}");
        ensure!(factor <= LARGEST_FACTOR, "seed {seed}: int8 loses a factor of {factor}");
        ensure!(agreement >= SMALLEST_AGREEMENT, "seed {seed}: the same choice on {agreement}");
        for (sum, perplexity) in sums.iter_mut().zip(perplexities) {
            *sum += perplexity;
        }
    }
    let means = sums.map(|sum| sum / SEEDS as f64);
    for (mean, expected) in means.into_iter().zip(EXPECTED) {
        ensure!((mean / expected - 1.0).abs() <= TOLERANCE, "mean {mean}, expected {expected}");
    }
    ensure!((1.27..=1.37).contains(&means[3]), "the mean at 160 is {}", means[3]);
    let two_biases = train_with_two_biases(&corpus)?;
    let row = |name: &str, [p40, p80, p120, p160]: [f64; 4]| {
        format!("| {name} | {p40:.2} | {p80:.2} | {p120:.2} | {p160:.3} | | |\n")
    };
    table += &row("mean", means);
    table += &row("two biases a gate, seed 0", two_biases);
    table += &row("the chapter, from scratch", [7.95, 3.83, 1.92, 1.32]);
    table += &row("the chapter, framework layer", [8.29, 4.63, 2.38, 1.48]);
    let text = format!(
        "## The chapter's recipe\n\n\
         *The Time Machine*, first {CHARACTERS} characters, 256 units, 160 epochs, on the CPU: \
         `cargo xtask test --full --time-machine FILE`. int8 is compared with f32 on the same \
         text, teacher-forced.\n\n{table}\n\
         A gate has one bias, as in the chapter's own code. The framework layer has two, which \
         doubles each update of their sum, and explains its higher perplexity.\n\n{}\n",
        circumstances()?
    );
    write_section("chapter", &text)
}

/// The part of the text that the chapter uses.
pub(crate) fn corpus(time_machine: &Path) -> Result<Corpus> {
    let files = [time_machine.to_owned()];
    let corpus = Corpus::read(&files, Normalisation::LowerCase, Some(CHARACTERS))?;
    let is_right = corpus.vocabulary().size() == 43;
    ensure!(is_right, "{} is not the chapter's text", time_machine.display());
    Ok(corpus)
}

/// The chapter's training: the model, and the perplexities at [`REPORTS`].
pub(crate) fn train(corpus: &Corpus, seed: u64) -> Result<(TrainedModel, [f64; 4])> {
    let config = Config { seed, ..Config::default() };
    let mut perplexities = Vec::new();
    let device = Device::Cpu { threads: 0 };
    let outcome = block_on(train_and_predict(corpus, &config, &device, |report| {
        perplexities.push(report.perplexity);
    }))?;
    ensure!(outcome.stopped.is_none(), "training stopped: {:?}", outcome.stopped);
    Ok((outcome.model, REPORTS.map(|epoch| perplexities[epoch - 1])))
}

/// The factor by which int8 raises the perplexity, and the share of first choices that stay the
/// same.
pub(crate) fn compare_int8(model: &TrainedModel, corpus: &Corpus) -> Result<(f64, f64)> {
    let tokens = corpus.tokens().to_vec();
    let predict = |weights| -> Result<(f64, Vec<usize>)> {
        let artifact = artifact(model, weights)?;
        let model = artifact.model()?;
        let mut choices = Vec::new();
        model.predict_each(&tokens, |predictions, _| choices.push(first_choice(predictions)));
        Ok((evaluate(&model, &tokens).perplexity, choices))
    };
    let (perplexity, choices) = predict(Precision::F32)?;
    let (int8_perplexity, int8_choices) = predict(Precision::Int8)?;
    let same = choices.iter().zip(&int8_choices).filter(|(a, b)| a == b).count();
    Ok((int8_perplexity / perplexity, same as f64 / choices.len() as f64))
}

/// The perplexities at [`REPORTS`] of a model with two biases a gate, which have the same gradient.
fn train_with_two_biases(corpus: &Corpus) -> Result<[f64; 4]> {
    let config = Config::default();
    let dimensions = Dimensions {
        vocabulary: corpus.vocabulary().size(),
        hidden: config.hidden,
        layers: config.layers,
    };
    let mut random = ChaCha8Rng::seed_from_u64(config.seed);
    let mut parameters = Parameters::init(dimensions, &mut random);
    let mut cpu = Cpu::new(parameters.clone(), &config, 0)?;
    let batches =
        Batches::new(corpus.tokens(), config.sampling, config.batch_size, config.num_steps)?;
    let mut perplexities = Vec::new();
    for _ in 0..config.epochs {
        let windows = batches.epoch(&mut random);
        let mut loss_nats = 0.0;
        let count = windows.len() as f64;
        for window in windows {
            loss_nats += cpu.compute_gradients(&window, false) / count;
            // Both biases count in the norm, and both are updated, so their sum changes twice as
            // much.
            let biases = |name| if matches!(name, ParameterName::B(_)) { 2.0 } else { 1.0 };
            let square = |name| {
                let gradient = cpu.gradients().get(name).iter().map(|&g| f64::from(g).powi(2));
                biases(name) * gradient.sum::<f64>()
            };
            let norm = Parameters::names(dimensions).map(square).sum::<f64>().sqrt();
            let rate = config.learning_rate * clip_factor(norm, config.clip) as f32;
            for name in Parameters::names(dimensions) {
                let changes =
                    cpu.gradients().get(name).iter().map(|g| rate * biases(name) as f32 * g);
                for (parameter, change) in parameters.get_mut(name).iter_mut().zip(changes) {
                    *parameter -= change;
                }
            }
            block_on(cpu.set_parameters(&parameters))?;
        }
        perplexities.push(loss_nats.exp());
    }
    Ok(REPORTS.map(|epoch| perplexities[epoch - 1]))
}
