//! Models for a number of bytes: the artifact is never larger than was said before the training.

mod common;

use charcell::model::{Architecture, Dimensions, ParameterName, TrainedModel};
use charcell::text::Vocabulary;
use charcell::{Config, ModelError, Precision, Preset, artifact};
use infer_core::Normalisation;
use infer_core::layout::{BLOCK_COLUMNS, GATES};

use common::parameters;

/// Bytes by which an artifact may be smaller than its bound: numbers of its header are shorter.
const SHORTER: usize = 200;

/// Bytes of the artifact of an untrained model, of whose recurrent weights as many blocks are left
/// out as in a training.
fn bytes(config: &Config, vocabulary: Vocabulary, normalisation: Normalisation) -> usize {
    let &Config { hidden, layers, embedding, .. } = config;
    let dimensions = Dimensions { vocabulary: vocabulary.size(), hidden, layers };
    let mut parameters = parameters(Architecture { dimensions, embedding }, 50.0, 1);
    let row_blocks = hidden.div_ceil(BLOCK_COLUMNS);
    let left_out = (f64::from(config.sparsity) * (hidden * row_blocks) as f64).round() as usize;
    for layer in 0..layers {
        let weights = parameters.get_mut(ParameterName::WHh(layer)).iter_mut().enumerate();
        for (index, weight) in weights {
            let (row, unit) = (index / (GATES * hidden), index % hidden);
            if unit * row_blocks + row / BLOCK_COLUMNS < left_out {
                *weight = 0.0;
            }
        }
    }
    let model = TrainedModel {
        parameters,
        precision: config.weights,
        vocabulary,
        normalisation,
        prefixes: config.prefixes.clone(),
    };
    artifact(&model, config.weights).unwrap().bytes().len()
}

fn assert_bounded(config: &Config, vocabulary: &[char]) -> usize {
    let all = Vocabulary::from_characters(vocabulary.to_vec()).unwrap();
    let found = bytes(config, all, Normalisation::None);
    let most = config.largest_artifact(vocabulary);
    assert!((most - SHORTER..=most).contains(&found), "{found}, at most {most}: {config:?}");
    most
}

#[test]
fn the_largest_model_that_fits_is_chosen() {
    let ascii: Vec<char> = (' '..).take(44).collect();
    let greek: Vec<char> = ('α'..='ω').collect();
    let chinese: Vec<char> = ('\u{4e00}'..).take(150).collect();
    let long = || vec!["ω".repeat(40); 8];
    for (flash_bytes, vocabulary, prefixes) in [
        (8_000, &ascii, vec![]),
        (20_001, &greek, long()),
        (52_000, &ascii, vec!["A".into()]),
        (69_999, &chinese, vec!["\u{4e01}".into(); 3]),
        (70_000, &greek, long()),
        (1_000_000, &ascii, vec![]),
    ] {
        let config = Config::for_flash(flash_bytes, vocabulary, prefixes).unwrap();
        let used = flash_bytes.min(Config::MOST_FLASH_BYTES);
        assert!(assert_bounded(&config, vocabulary) <= used);
        let wider = Config { hidden: config.hidden + BLOCK_COLUMNS, ..config };
        assert!(wider.largest_artifact(vocabulary) > used, "{flash_bytes}");
    }
    let Err(ModelError::FlashBytes { flash_bytes: 9, needed }) =
        Config::for_flash(9, &greek, long())
    else {
        panic!("nine bytes are enough");
    };
    assert_eq!(Config::for_flash(needed, &greek, long()).unwrap().hidden, BLOCK_COLUMNS);
    assert!(Config::for_flash(needed - 1, &greek, long()).is_err());
}

/// Also of those that are never chosen: int8, dense or not, with an embedding that the device reads
/// and with one that it doesn't; several layers; rows that end within a block.
#[test]
fn artifacts_of_all_settings_are_bounded() {
    let vocabulary: Vec<char> = ('а'..).take(61).collect();
    for weights in [Precision::Int8, Precision::Int4] {
        for (hidden, layers) in [(1, 1), (30, 2), (45, 4)] {
            for (embedding, sparsity) in [(0, 0.0), (5, 0.6), (40, 0.9)] {
                let prefixes = vec!["б".into()];
                let config = Config {
                    hidden,
                    layers,
                    embedding,
                    weights,
                    sparsity,
                    prefixes,
                    ..Config::default()
                };
                assert_bounded(&config, &vocabulary);
            }
        }
    }
}

/// A prefix is stored as it is read: with wider characters than were given.
#[test]
fn lower_case_and_replaced_characters_of_prefixes_are_bounded() {
    let characters = vec!['a', 'ⱥ', '🙂'];
    for prefix in ["Ⱥ", "?"] {
        let prefixes = vec![prefix.repeat(300)];
        let config = Config { hidden: 8, prefixes, ..Config::default() };
        let vocabulary = Vocabulary::from_characters(characters.clone()).unwrap();
        let vocabulary = vocabulary.with_replacement(Some('🙂')).unwrap();
        let found = bytes(&config, vocabulary, Normalisation::LowerCase);
        let most = config.largest_artifact(&characters);
        assert!(found <= most, "{prefix}: {found}, at most {most}");
    }
}

#[test]
fn presets_have_the_sizes_that_their_descriptions_state() {
    let vocabulary: Vec<char> = (' '..).take(44).collect();
    let largest = |preset: Preset| preset.config().largest_artifact(&vocabulary);
    for (preset, bytes) in
        [(Preset::Tiny, 52_000), (Preset::Small, 98_000), (Preset::Best, 324_000)]
    {
        assert_eq!(preset.flash_bytes(), Some(bytes));
        assert!((bytes * 9 / 10..=bytes).contains(&largest(preset)), "{preset:?}");
    }
}
