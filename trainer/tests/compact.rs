//! Training for smaller artifacts: weights that are left out, and weights of four bits.

use std::ops::ControlFlow;

use charcell::model::{Dimensions, ParameterName};
use charcell::text::{Corpus, SHIPPED_TEXT};
use charcell::{
    Config, Device, ImportOptions, Optimizer, Outcome, Precision, Training, import, to_safetensors,
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
