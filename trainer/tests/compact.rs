//! Training for smaller artifacts: weights that are left out, and weights of four bits.

use std::ops::ControlFlow;

use charcell::model::{Dimensions, ParameterName, Parameters};
use charcell::text::{Corpus, SHIPPED_TEXT};
use charcell::{
    Config, Device, ImportOptions, Optimizer, Outcome, Precision, Pretrained, Training, artifact,
    evaluate, import, to_safetensors,
};
use infer_core::Normalisation;
use infer_core::layout::{BLOCK_COLUMNS, GATES};
use pollster::block_on;

const DEVICE: Device = Device::Cpu { threads: 2 };

fn corpus() -> Corpus {
    Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(4000)).unwrap()
}

/// With a hidden size that isn't a multiple of a block's eight columns.
fn config() -> Config {
    Config {
        hidden: 20,
        layers: 2,
        embedding: 6,
        weights: Precision::Int4,
        sparsity: 0.6,
        batch_size: 8,
        num_steps: 20,
        epochs: 10,
        report_every: 1,
        optimizer: Optimizer::AdamW,
        learning_rate: 0.02,
        clip: 1.0,
        validation: 0.1,
        ..Config::default()
    }
}

fn train(config: &Config) -> Outcome {
    let corpus = corpus();
    let backend = async |parameters| DEVICE.backend(parameters, config).await;
    let training = block_on(Training::new(&corpus, config, backend)).unwrap();
    let outcome = block_on(training.run(|_| ControlFlow::Continue(())));
    assert!(outcome.stopped.is_none(), "{:?}", outcome.stopped);
    outcome
}

/// How many of a layer's blocks are left out; each is left out whole or not at all.
fn left_out(outcome: &Outcome, layer: usize) -> (usize, usize) {
    let parameters = &outcome.model.parameters;
    let Dimensions { hidden, .. } = parameters.dimensions();
    let w_hh = parameters.get(ParameterName::WHh(layer));
    let (mut zero, mut all) = (0, 0);
    for rows in w_hh.chunks(BLOCK_COLUMNS * GATES * hidden) {
        for unit in 0..hidden {
            let block = rows.chunks_exact(hidden).map(|values| values[unit] == 0.0);
            let zeros = block.clone().filter(|&is_zero| is_zero).count();
            assert!([0, block.len()].contains(&zeros), "{zeros} of a block are 0");
            zero += usize::from(zeros > 0);
            all += 1;
        }
    }
    (zero, all)
}

#[test]
fn the_stated_share_of_the_blocks_is_left_out() {
    let outcome = train(&config());
    for layer in 0..2 {
        // 20 units by 3 blocks of columns, the last of which is short.
        assert_eq!(left_out(&outcome, layer), (36, 60));
    }
    let dense = train(&Config { sparsity: 0.0, ..config() });
    assert_eq!(left_out(&dense, 0), (0, 60));
}

/// Some blocks are due after the only iteration.
#[test]
fn blocks_are_left_out_in_the_shortest_training() {
    let config = Config { sparsity: 0.5, epochs: 1, batch_size: 2, num_steps: 1100, ..config() };
    let outcome = train(&config);
    assert_eq!(left_out(&outcome, 1), (30, 60));
}

/// There is no limit to the epochs of a training.
#[test]
fn blocks_of_an_endless_training_are_kept() {
    let corpus = corpus();
    let config = Config { epochs: usize::MAX, patience: 1, ..config() };
    for config in [Config { sparsity: 0.0, ..config.clone() }, config] {
        let backend = async |parameters| DEVICE.backend(parameters, &config).await;
        let mut training = block_on(Training::new(&corpus, &config, backend)).unwrap();
        for _ in 0..3 {
            assert!(block_on(training.advance()).unwrap().is_some());
        }
        let outcome = block_on(training.interrupt());
        assert_eq!((left_out(&outcome, 0), outcome.model.precision), ((0, 60), Precision::F32));
    }
}

#[test]
fn weights_that_the_layers_read_have_fifteen_values_a_row() {
    let outcome = train(&config());
    assert_eq!(outcome.model.precision, Precision::Int4);
    let effective = outcome.model.effective_parameters();
    let dimensions = effective.dimensions();
    let names = [ParameterName::WIh(0), ParameterName::WHh(1), ParameterName::WOut];
    for name in names {
        let columns = if name == ParameterName::WOut {
            dimensions.vocabulary
        } else {
            GATES * dimensions.hidden
        };
        for column in 0..columns {
            let weights = effective.get(name)[column..].iter().step_by(columns);
            let largest = weights.clone().fold(1e-9_f32, |largest, w| largest.max(w.abs()));
            for weight in weights {
                let units = weight * 7.0 / largest;
                assert!((units - units.round()).abs() < 1e-4, "{name}: {units} sevenths");
            }
        }
    }
}

/// Each epoch reads held-out text with the weights that it ends with.
#[test]
fn weights_are_rounded_from_the_middle_of_the_training_on() {
    for embedding in [0, 6] {
        let int4 = Config { embedding, ..config() };
        let int8 = Config { weights: Precision::Int8, ..int4.clone() };
        let losses = |config| {
            let reports = train(config).metrics.into_iter();
            reports.map(|report| (report.loss_nats, report.validation_perplexity)).collect()
        };
        let [int4, int8]: [Vec<_>; 2] = [losses(&int4), losses(&int8)];
        assert_eq!(int4[..4], int8[..4]);
        assert_eq!(int4[4].0, int8[4].0);
        assert_ne!(int4[4].1, int8[4].1);
        assert!(int4[5..].iter().zip(&int8[5..]).all(|(a, b)| a.0 != b.0 && a.1 != b.1));
    }
}

#[test]
fn held_out_text_is_read_with_the_weights_of_the_artifact() {
    let outcome = train(&config());
    let artifact = artifact(&outcome.model, Precision::F32).unwrap();
    let held_out = corpus().split(config().validation).1.to_vec();
    let evaluation = evaluate(&artifact.model().unwrap(), &held_out);
    let factor = evaluation.perplexity / outcome.perplexity.unwrap();
    assert!((factor - 1.0).abs() < 1e-4, "{factor}");
}

/// The first epochs predict unseen text with weights that no artifact will have.
#[test]
fn only_models_in_their_final_form_count_as_the_best() {
    let outcome = train(&Config { learning_rate: 0.5, epochs: 10, ..config() });
    assert!(outcome.epochs >= 7, "the best of epoch {}", outcome.epochs);
    let perplexities: Vec<f64> =
        outcome.metrics.iter().map(|report| report.validation_perplexity.unwrap()).collect();
    let least = perplexities[6..].iter().copied().fold(f64::MAX, f64::min);
    assert_eq!(outcome.perplexity, Some(least));
}

/// An embedding is written as PyTorch's `nn.Embedding`, and imported as rows of input weights.
#[test]
fn a_model_with_an_embedding_is_imported_as_it_was_exported() {
    let config = Config { weights: Precision::Int8, epochs: 1, ..config() };
    let model = train(&config).model;
    let options = ImportOptions { normalisation: Normalisation::LowerCase, ..Default::default() };
    let characters = model.vocabulary.characters();
    let file = to_safetensors(&model.parameters);
    let imported = import(&file, characters, &options).unwrap().model.parameters;
    let expected = model.effective_parameters();
    assert_eq!(imported.architecture(), expected.architecture());
    for (found, expected) in imported.values().iter().zip(expected.values()) {
        assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
    }
}

/// The rows of an embedding follow their characters; the input weights after it are kept.
#[test]
fn a_training_starts_from_a_run_with_an_embedding() {
    let (weights, prefixes) = (Precision::Int8, Vec::new());
    let config = Config { weights, prefixes, sparsity: 0.0, epochs: 1, ..config() };
    let pretrained = Pretrained::new(train(&config).model, "run".into()).unwrap();
    let theirs = &pretrained.model().parameters;
    let text = SHIPPED_TEXT.to_lowercase().replace('e', "é");
    let corpus = Corpus::from_text(&text, Normalisation::LowerCase, Some(4000)).unwrap();
    let backend = async |parameters| DEVICE.backend(parameters, &config).await;
    let started = Training::from_pretrained(&corpus, &config, &pretrained, backend);
    let ours = block_on(block_on(started).unwrap().interrupt()).model.parameters;
    let drawn = Training::new(&corpus, &config, backend);
    let drawn = block_on(block_on(drawn).unwrap().interrupt()).model.parameters;
    for name in [ParameterName::WIh(0), ParameterName::WHh(1)] {
        assert!(ours.get(name) == theirs.get(name), "{name}");
    }
    let row = |parameters: &Parameters, token: usize| {
        parameters.get(ParameterName::Embedding)[token * config.embedding..][..config.embedding]
            .to_vec()
    };
    for (token, &character) in corpus.vocabulary().characters().iter().enumerate() {
        let expected = match pretrained.model().vocabulary.own_token(character) {
            Some(their_token) => row(theirs, their_token.into()),
            None => row(&drawn, token),
        };
        assert_eq!(row(&ours, token), expected, "{character:?}");
    }
}
