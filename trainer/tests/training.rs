//! Whole training runs: they learn, are reproducible, and stop cleanly.

use charcell::cpu::Cpu;
use charcell::model::{Dimensions, Parameters, State, TrainedModel};
use charcell::text::{Corpus, SHIPPED_TEXT, Window, WindowSampling};
use charcell::{
    Backend, Config, Device, DeviceError, Error, ModelError, Outcome, Precision, Schedule,
    TextError, TrainingError, artifact, clip_factor, evaluate, first_choice, train_and_predict,
};
use infer_core::Normalisation;
use pollster::block_on;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const DEVICE: Device = Device::Cpu { threads: 1 };

fn corpus(characters: usize) -> Corpus {
    Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(characters)).unwrap()
}

fn train(corpus: &Corpus, config: &Config, threads: usize) -> Outcome {
    block_on(train_and_predict(corpus, config, &Device::Cpu { threads }, |_| ())).unwrap()
}

fn small() -> Config {
    Config { hidden: 24, layers: 2, batch_size: 40, num_steps: 20, epochs: 3, ..Config::default() }
}

#[test]
fn the_shipped_text_suits_the_default_prefixes() {
    assert!(SHIPPED_TEXT.chars().count() >= 12_000);
    let start: String = SHIPPED_TEXT.to_lowercase().chars().take(10_000).collect();
    let start = start.replace('\n', " ");
    assert!(start.contains("time traveller") && start.matches("traveller").count() > 20);
}

#[test]
fn the_same_seed_gives_the_same_weights_at_any_number_of_threads() {
    let corpus = corpus(4000);
    for sampling in [WindowSampling::Consecutive, WindowSampling::Random] {
        let config = Config { sampling, epochs: 20, ..small() };
        let one = train(&corpus, &config, 1).model;
        for threads in [1, 2, 3] {
            assert!(train(&corpus, &config, threads).model == one, "{threads} threads");
        }
        let other_seed = train(&corpus, &Config { seed: 1, ..config }, 1).model;
        assert!(other_seed != one);
    }
}

/// Perplexity of a model with `precision` on its corpus, and its first choices.
fn predictions(model: &TrainedModel, corpus: &Corpus, precision: Precision) -> (f64, Vec<usize>) {
    let artifact = artifact(model, precision).unwrap();
    let model = artifact.model().unwrap();
    let (tokens, mut choices) = (corpus.tokens().to_vec(), Vec::new());
    model.predict_each(&tokens, |log_probabilities, _| {
        choices.push(first_choice(log_probabilities))
    });
    (evaluate(&model, &tokens).perplexity, choices)
}

#[test]
fn training_learns_and_int8_loses_next_to_nothing() {
    let corpus = corpus(3000);
    let config = Config { batch_size: 8, epochs: 80, ..Config::default() };
    let mut perplexities = Vec::new();
    let device = block_on(Device::try_gpu(0));
    let outcome = block_on(train_and_predict(&corpus, &config, &device, |report| {
        perplexities.push(report.perplexity);
        let is_reported = report.epoch % 40 == 0;
        assert_eq!(report.continuations.len(), if is_reported { 2 } else { 0 });
        for continuation in &report.continuations {
            assert!(continuation.contains("traveller"), "{continuation}");
        }
    }))
    .unwrap();
    assert_eq!((outcome.epochs, perplexities.len()), (80, 80));
    let (first, last) = (perplexities[0], perplexities[79]);
    assert!(first > 15.0 && last < 2.5, "perplexity {first} at first, {last} at last");

    let (f32_perplexity, f32_choices) = predictions(&outcome.model, &corpus, Precision::F32);
    let (int8_perplexity, int8_choices) = predictions(&outcome.model, &corpus, Precision::Int8);
    let factor = int8_perplexity / f32_perplexity;
    let same = f32_choices.iter().zip(&int8_choices).filter(|(a, b)| a == b).count();
    let agreement = same as f64 / f32_choices.len() as f64;
    assert!(factor < 1.003, "perplexity {f32_perplexity} in f32, {int8_perplexity} in int8");
    assert!(agreement > 0.99, "the same first choice on {agreement}");
}

/// The perplexity is the same as when the whole text is read in one pass that carries the state
/// over: in this short text, the lead-in of each row reaches back to the start.
#[test]
fn held_out_text_has_the_same_perplexity_in_batches_as_in_one_row() {
    let corpus = corpus(4000);
    let config = Config { validation: 0.08, epochs: 5, report_every: 5, ..small() };
    let outcome = train(&corpus, &config, 2);
    let tokens = corpus.split(config.validation).1.to_vec();
    let (inputs, targets) = (&tokens[..tokens.len() - 1], &tokens[1..]);
    let parameters = &outcome.model.parameters;
    let Dimensions { vocabulary, .. } = parameters.dimensions();
    let forward = parameters.forward(inputs, &mut State::zeros(parameters.dimensions(), 1));
    let losses = forward.logits.chunks_exact(vocabulary).zip(targets).map(|(logits, &target)| {
        let sum: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
        sum.ln() - f64::from(logits[usize::from(target)])
    });
    let expected = losses.sum::<f64>() / targets.len() as f64;
    let found = outcome.perplexity.unwrap().ln();
    assert_eq!(outcome.metrics[4].validation_perplexity, outcome.perplexity);
    assert!((found / expected - 1.0).abs() < 1e-6, "{found} nats, expected {expected}");
}

#[test]
fn a_model_that_is_worse_than_guessing_is_reported() {
    let corpus = corpus(4000);
    let check = |config: &Config| train(&corpus, config, 1).check(config);
    check(&small()).unwrap();
    // The epoch's own loss doesn't show it, because it was measured before the update.
    let error = check(&Config { epochs: 1, learning_rate: 1e5, ..small() }).unwrap_err();
    assert!(matches!(error, TrainingError::WorseThanGuessing { characters: 37, .. }), "{error}");
    // An untrained model is not worse than guessing.
    check(&Config { epochs: 1, learning_rate: 1e-9, ..small() }).unwrap();
}

#[test]
fn a_loss_that_is_no_longer_finite_keeps_the_last_good_weights() {
    let corpus = corpus(4000);
    let config = Config { learning_rate: 1e38, clip: 1e30, epochs: 10, ..small() };
    let mut reports = 0;
    let outcome = block_on(train_and_predict(&corpus, &config, &DEVICE, |_| reports += 1)).unwrap();
    assert_eq!(outcome.epochs, reports);
    assert!(outcome.model.parameters.values().iter().all(|value| value.is_finite()));
    let Some(Error::Training(TrainingError::Diverged { epoch, kept, .. })) = outcome.stopped else {
        panic!("it should have stopped: {:?}", outcome.stopped);
    };
    assert_eq!(epoch, kept + 1);
}

/// If text is held out, the kept weights are the best on it, not those of the epoch before.
#[test]
fn a_loss_that_is_no_longer_finite_names_the_weights_that_are_kept() {
    let corpus = corpus(4000);
    let (schedule, decay_every, decay_factor) = (Schedule::Step, 3, 1e30);
    let config = Config { schedule, decay_every, decay_factor, ..small() };
    let config = Config { validation: 0.08, report_every: 2, epochs: 6, ..config };
    let outcome = train(&corpus, &config, 1);
    assert_eq!(outcome.epochs, 2);
    let Some(Error::Training(TrainingError::Diverged { epoch, kept, .. })) = outcome.stopped else {
        panic!("it should have stopped: {:?}", outcome.stopped);
    };
    assert_eq!((epoch, kept), (4, 2));
}

/// As in the chapter's `grad_clipping`.
#[test]
fn a_gradient_beyond_the_limit_is_scaled_down_to_it() {
    let limit = 0.01_f32;
    for (norm, expected) in [(0.0, 1.0), (0.009, 1.0), (0.02, 0.5), (1.0, 0.01)] {
        let factor = clip_factor(norm, limit);
        assert!((factor - expected).abs() < 1e-7, "{factor} at a norm of {norm}");
    }
}

#[test]
fn a_window_carries_the_state_over_or_resets_it() {
    let corpus = corpus(100);
    let dimensions = Dimensions { vocabulary: corpus.vocabulary().size(), hidden: 20, layers: 2 };
    let parameters = Parameters::init(dimensions, &mut ChaCha8Rng::seed_from_u64(0));
    let tokens = corpus.tokens().to_vec();
    let logits = |cpu: &mut Cpu, resets_state| {
        let (inputs, targets) = (tokens[..34].to_vec(), tokens[1..35].to_vec());
        block_on(cpu.logits(&[Window { inputs, targets, resets_state, teacher: None }])).unwrap()
    };
    // Two slices of rows.
    let config = Config { batch_size: 17, num_steps: 2, ..Config::default() };
    let mut cpu = Cpu::new(parameters, &config, 1).unwrap();
    let first = logits(&mut cpu, true);
    let state = cpu.state();
    let second = logits(&mut cpu, false);
    assert_ne!(second, first);
    assert_eq!(logits(&mut cpu, true), first);
    cpu.set_state(&state);
    assert_eq!(logits(&mut cpu, false), second);
}

#[test]
fn invalid_settings_are_refused_by_name() {
    let corpus = corpus(4000);
    let refused = |config: &Config| {
        block_on(train_and_predict(&corpus, config, &DEVICE, |_| ())).map(drop).unwrap_err()
    };
    for (setting, config) in [
        ("hidden", Config { hidden: 0, ..small() }),
        ("num_steps", Config { num_steps: 0, ..small() }),
        ("epochs", Config { epochs: 0, ..small() }),
        ("learning_rate", Config { learning_rate: f32::NAN, ..small() }),
        ("forget_bias", Config { forget_bias: 1e5, ..small() }),
        ("clip", Config { clip: -1.0, ..small() }),
        ("patience", Config { patience: 1, ..small() }),
    ] {
        let error = refused(&config);
        let is_named =
            matches!(&error, Error::Model(ModelError::Setting { name, .. }) if *name == setting);
        assert!(is_named, "{setting}: {error}");
    }
    for config in [Config { hidden: usize::MAX, ..small() }, Config { layers: 5, ..small() }] {
        assert!(matches!(refused(&config), Error::Model(ModelError::TooLarge { .. })));
    }
    for (needed, config) in [
        (6020, Config { batch_size: 300, ..small() }),
        (usize::MAX, Config { num_steps: usize::MAX, ..small() }),
    ] {
        let Error::Text(TextError::ShorterThanBatch { needed: found, .. }) = refused(&config)
        else {
            panic!("a batch of {needed} characters is accepted");
        };
        assert_eq!(found, needed);
    }
    let too_many = Device::Cpu { threads: 1025 };
    let error = block_on(train_and_predict(&corpus, &small(), &too_many, |_| ())).unwrap_err();
    assert!(matches!(error, Error::Device(DeviceError::TooManyThreads { threads: 1025, .. })));
    let error = refused(&Config { prefixes: vec!["travÉller".into()], ..small() });
    let Error::Text(TextError::Prefix { prefix, character, position }) = error else {
        panic!("{error}");
    };
    assert_eq!((prefix.as_str(), character, position), ("travéller", 'é', 4));
    let error = refused(&Config { prefixes: vec!["a".into(); 9], ..small() });
    assert!(matches!(error, Error::Model(ModelError::TooManyPrefixes { found: 9 })));
    let no_text = Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(0)).unwrap_err();
    assert!(matches!(no_text, TextError::NoCharacters));
}
