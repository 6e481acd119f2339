//! Runs that stop and resume continue exactly as if they had never stopped, whatever stopped them.

use std::ops::ControlFlow;

use charcell::text::{Corpus, SHIPPED_TEXT, WindowSampling};
use charcell::{
    Checkpoint, Config, Device, EpochReport, LengthSetting, Mismatch, OnDevice, Optimizer, Outcome,
    Precision, Progress, Schedule, Teacher, Training, train_and_predict,
};
use infer_core::Normalisation;
use pollster::block_on;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DEVICE: Device = Device::Cpu { threads: 2 };

fn corpus() -> Corpus {
    Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(4000)).unwrap()
}

fn small() -> Config {
    Config {
        hidden: 12,
        batch_size: 8,
        num_steps: 20,
        epochs: 6,
        report_every: 2,
        ..Config::default()
    }
}

/// With every feature that has a state of its own.
fn rich() -> Config {
    Config {
        layers: 2,
        optimizer: Optimizer::AdamW,
        learning_rate: 0.01,
        clip: 1.0,
        dropout: 0.2,
        forget_bias: 1.0,
        sampling: WindowSampling::Random,
        validation: 0.1,
        ..small()
    }
}

/// With everything that makes models smaller, and a teacher.
fn compact() -> Config {
    Config {
        hidden: 24,
        embedding: 5,
        weights: Precision::Int4,
        sparsity: 0.6,
        recurrent_dropout: 0.2,
        teacher: Some(teacher().origin().clone()),
        ..rich()
    }
}

/// A model of other sizes, with a vocabulary in another order, that teaches.
fn teacher() -> Teacher {
    let text = format!("θ{SHIPPED_TEXT}");
    let corpus = Corpus::from_text(&text, Normalisation::LowerCase, Some(4001)).unwrap();
    let config =
        Config { hidden: 17, layers: 2, embedding: 3, weights: Precision::Int4, ..small() };
    let model = block_on(train_and_predict(&corpus, &config, &DEVICE, |_| ())).unwrap().model;
    Teacher::new(model, "teacher".into()).unwrap()
}

fn training<'a>(corpus: &'a Corpus, config: &Config) -> Training<'a, OnDevice> {
    let backend = async |parameters| DEVICE.backend(parameters, config).await;
    taught(block_on(Training::new(corpus, config, backend)).unwrap(), config)
}

/// With its teacher, if it has one.
fn taught<'a>(training: Training<'a, OnDevice>, config: &Config) -> Training<'a, OnDevice> {
    if config.teacher.is_none() {
        return training;
    }
    let backend = async |parameters, config: &Config| DEVICE.backend(parameters, config).await;
    block_on(training.with_teacher(&teacher(), backend)).unwrap()
}

/// A checkpoint that was written and read back, and the reports of its epochs.
fn checkpoint(training: &mut Training<'_, OnDevice>) -> (Checkpoint, Vec<EpochReport>) {
    let checkpoint = block_on(training.checkpoint()).unwrap();
    let checkpoint = Checkpoint::from_bytes(&checkpoint.to_bytes()).unwrap();
    (checkpoint, training.metrics().to_vec())
}

fn resumed<'a>(
    corpus: &'a Corpus,
    config: &Config,
    (checkpoint, metrics): (Checkpoint, Vec<EpochReport>),
) -> Training<'a, OnDevice> {
    let backend = async |parameters| DEVICE.backend(parameters, config).await;
    let training = Training::resume(corpus, config, &checkpoint, metrics, backend);
    taught(block_on(training).unwrap(), config)
}

fn finish(training: Training<'_, OnDevice>) -> Outcome {
    let outcome = block_on(training.run(|_| ControlFlow::Continue(())));
    assert!(outcome.stopped.is_none(), "{:?}", outcome.stopped);
    outcome
}

fn assert_same(outcome: &Outcome, expected: &Outcome) {
    assert!(outcome.model == expected.model, "the same weights");
    assert_eq!(outcome.epochs, expected.epochs);
    let measured = |outcome: &Outcome| -> Vec<_> {
        let reports = outcome.metrics.iter();
        reports.map(|r| (r.loss_nats, r.gradient_norm, r.validation_perplexity)).collect()
    };
    assert_eq!(measured(outcome), measured(expected));
}

#[test]
fn three_epochs_and_three_more_are_six() {
    let corpus = corpus();
    for config in [small(), rich()] {
        let whole = finish(training(&corpus, &config));
        let mut first = training(&corpus, &Config { epochs: 3, report_every: 3, ..config.clone() });
        while block_on(first.advance()).unwrap().is_some() {}
        let saved = checkpoint(&mut first);
        assert_eq!(saved.0.epochs(), 3);
        let both = finish(resumed(&corpus, &Config { report_every: 2, ..config.clone() }, saved));
        if config.validation == 0.0 {
            assert!(both.model.parameters != finish(first).model.parameters);
            assert_same(&both, &whole);
        } else {
            assert!(both.metrics[5].loss_nats == whole.metrics[5].loss_nats);
        }
    }
}

#[test]
fn a_run_resumes_in_the_middle_of_an_epoch() {
    let corpus = corpus();
    let cosine = Config { schedule: Schedule::Cosine, warm_up: 0.1, ..rich() };
    let taught = Config { teacher: Some(teacher().origin().clone()), ..small() };
    type Moment = (Config, fn(&Progress) -> bool);
    let moments: [Moment; 7] = [
        (taught, |progress| (2..progress.iterations).contains(&progress.iteration)),
        (small(), |progress| progress.iteration < progress.iterations),
        (cosine.clone(), |progress| progress.iteration < progress.iterations),
        (cosine, |progress| progress.held_out.is_some_and(|share| share < 1.0)),
        // Between two of the moments at which weights are left out.
        (compact(), |progress| progress.epoch == 3 && progress.iteration < progress.iterations),
        // The first epoch whose weights are rounded is trained, but not reported.
        (Config { report_every: 1, ..compact() }, |progress| {
            progress.epoch == 3 && progress.held_out.is_some()
        }),
        (Config { epochs: 1, ..compact() }, |progress| progress.held_out.is_some()),
    ];
    for (config, is_moment) in moments {
        let whole = finish(training(&corpus, &config));
        let mut first = training(&corpus, &config);
        while !is_moment(&block_on(first.advance()).unwrap().unwrap()) {}
        let saved = checkpoint(&mut first);
        let outcome = finish(resumed(&corpus, &config, saved));
        assert_same(&outcome, &whole);
        let texts = |outcome: &Outcome| -> Vec<Vec<String>> {
            outcome.metrics.iter().map(|report| report.continuations.clone()).collect()
        };
        assert_eq!(texts(&outcome), texts(&whole));
        // The run that made the checkpoint isn't affected by it.
        assert_same(&finish(first), &whole);
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_the_difference() {
    let corpus = corpus();
    let mut first = training(&corpus, &small());
    block_on(first.advance()).unwrap();
    let checkpoint = block_on(first.checkpoint()).unwrap();
    let refused = |config: Config, corpus: &Corpus, name: &str, values: [&str; 2]| {
        let Err(Mismatch::Setting { setting, here, there }) = checkpoint.check(&config, corpus)
        else {
            panic!("another {name} is accepted");
        };
        assert_eq!(setting, name);
        assert_eq!([there.as_str(), here.as_str()], values);
    };
    refused(Config { hidden: 13, ..small() }, &corpus, "hidden", ["12", "13"]);
    refused(Config { seed: 1, ..small() }, &corpus, "seed", ["0", "1"]);
    refused(Config { clip: 0.5, ..small() }, &corpus, "clip", ["0.01", "0.5"]);
    let adam = Config { optimizer: Optimizer::Adam, ..small() };
    refused(adam, &corpus, "optimizer", ["\"sgd\"", "\"adam\""]);
    let cosine = Config { schedule: Schedule::Cosine, ..small() };
    refused(cosine, &corpus, "schedule", ["\"constant\"", "\"cosine\""]);
    let other = Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(4001)).unwrap();
    let checksums = [corpus.checksum().to_string(), other.checksum().to_string()];
    let checksums = checksums.each_ref().map(String::as_str);
    refused(small(), &other, "the corpus's checksum", checksums);
    let other = Corpus::from_text(SHIPPED_TEXT, Normalisation::None, Some(4000)).unwrap();
    refused(small(), &other, "normalisation", ["\"chapter\"", "\"none\""]);
    let mut source = corpus.source().clone();
    source.replacement = Some('e');
    let other = Corpus::open(&source).unwrap();
    refused(small(), &other, "replacement", ["null", "\"e\""]);
    let teacher = teacher().origin().clone();
    let checksum = teacher.weights_checksum.to_string();
    let taught = Config { teacher: Some(teacher), ..small() };
    let name = "the checksum of the teacher teacher";
    refused(taught, &corpus, name, ["not set", &checksum]);
    let longer = Config { epochs: 50, report_every: 1, prefixes: vec!["a".into()], ..small() };
    checkpoint.check(&longer, &corpus).unwrap();
}

/// Only if nothing has depended on it from the start.
#[test]
fn the_number_of_epochs_may_change_if_past_epochs_stay_the_same() {
    let corpus = corpus();
    let step = Config { schedule: Schedule::Step, decay_every: 2, ..small() };
    let whole = finish(training(&corpus, &step));
    let mut first = training(&corpus, &Config { epochs: 3, ..step.clone() });
    while block_on(first.advance()).unwrap().is_some() {}
    let (saved, metrics) = checkpoint(&mut first);
    let error = saved.check(&Config { epochs: 2, ..step.clone() }, &corpus).unwrap_err();
    assert_eq!(error, Mismatch::Done { here: 2, done: 3 });
    assert_same(&finish(resumed(&corpus, &step, (saved, metrics))), &whole);

    let cosine = Config { schedule: Schedule::Cosine, ..small() };
    let warm = Config { warm_up: 0.25, ..step.clone() };
    let int4 = Config { weights: Precision::Int4, ..step.clone() };
    let sparse = Config { sparsity: 0.5, ..step };
    for (config, setting) in [
        (cosine, LengthSetting::Cosine),
        (warm, LengthSetting::WarmUp(0.25)),
        (int4, LengthSetting::Int4),
        (sparse, LengthSetting::Sparsity(0.5)),
    ] {
        let saved = block_on(training(&corpus, &config).checkpoint()).unwrap();
        saved.check(&config, &corpus).unwrap();
        let error = saved.check(&Config { epochs: 12, ..config }, &corpus).unwrap_err();
        assert_eq!(error, Mismatch::Length { setting, here: 12, there: 6 });
    }
}

#[test]
fn damaged_checkpoints_are_refused() {
    let corpus = corpus();
    let mut training = training(&corpus, &rich());
    block_on(training.advance()).unwrap();
    let bytes = block_on(training.checkpoint()).unwrap().to_bytes();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..200 {
        let mut damaged = bytes.clone();
        damaged[random.random_range(0..bytes.len())] ^= 1 << random.random_range(0..8);
        Checkpoint::from_bytes(&damaged).unwrap_err();
        Checkpoint::from_bytes(&bytes[..random.random_range(0..bytes.len())]).unwrap_err();
    }
}
