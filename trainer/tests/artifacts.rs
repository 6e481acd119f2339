//! Exported artifacts: the fixed ones with which `infer-core` is tested, and f32 compared with
//! training.

mod common;

use std::fs;
use std::path::Path;

use charcell::cpu::Cpu;
use charcell::model::{Dimensions, ParameterName, TrainedModel};
use charcell::text::{Vocabulary, Window};
use charcell::{
    AnyModel, Artifact, ArtifactError, Backend, Config, Error, Precision, TextError, artifact,
};
use infer_core::artifact::tensors;
use infer_core::{Int8, Model, Normalisation, PrimeError, State, Token};
use pollster::block_on;

use common::{compact_model, untrained_model, window};

/// Neither hidden units nor characters are a multiple of four.
const TINY: Dimensions = Dimensions { vocabulary: 22, hidden: 10, layers: 2 };

/// The export must match the files that `infer-core`'s tests and examples use, byte for byte.
///
/// After a change of the format, `CHARCELL_BLESS=1 cargo test` rewrites them.
#[test]
fn the_fixed_artifacts_match_the_export() {
    let model = untrained_model(TINY, 300.0, 7);
    for (weights, name) in
        [(Precision::Int8, "tiny-int8.postcard"), (Precision::F32, "tiny-f32.postcard")]
    {
        let exported = artifact(&model, weights).unwrap();
        assert_is_exported(&format!("../infer-core/tests/models/{name}"), &exported);
    }
    let vocabulary = model.vocabulary.clone().with_replacement(Some('#')).unwrap();
    let exported = artifact(&TrainedModel { vocabulary, ..model }, Precision::Int8).unwrap();
    assert_is_exported("../infer-core/tests/models/tiny-replacing.postcard", &exported);
    for (model, weights, name) in compact_models(TINY, 5) {
        let exported = artifact(&model, weights).unwrap();
        assert_is_exported(&format!("../infer-core/tests/models/tiny-{name}.postcard"), &exported);
    }
}

/// Models for compact artifacts, one of each kind.
fn compact_models(
    dimensions: Dimensions,
    embedding: usize,
) -> [(TrainedModel, Precision, &'static str); 3] {
    let dense =
        TrainedModel { precision: Precision::Int4, ..untrained_model(dimensions, 300.0, 7) };
    [
        (dense, Precision::Int4, "int4"),
        (compact_model(dimensions, embedding, Precision::Int4), Precision::Int4, "sparse"),
        (compact_model(dimensions, embedding, Precision::Int8), Precision::Int8, "narrow"),
    ]
}

/// The smallest artifacts of each precision, with one layer and with several: the seeds of fuzzing.
///
/// `CHARCELL_BLESS=1 cargo test` rewrites them too.
#[test]
fn the_seeds_of_fuzzing_match_the_export() {
    for (vocabulary, hidden, layers) in [(2, 1, 1), (3, 2, 1), (2, 1, 4), (4, 3, 2)] {
        let mut model = untrained_model(Dimensions { vocabulary, hidden, layers }, 300.0, 7);
        model.prefixes = vec![" ".into()];
        if vocabulary == 3 {
            model.vocabulary = model.vocabulary.with_replacement(Some('!')).unwrap();
        }
        for (weights, kind) in [(Precision::Int8, "int8"), (Precision::F32, "f32")] {
            let path = format!("../fuzz/seeds/{kind}-{vocabulary}-{hidden}-{layers}.postcard");
            assert_is_exported(&path, &artifact(&model, weights).unwrap());
        }
    }
    for (mut model, weights, name) in
        compact_models(Dimensions { vocabulary: 20, hidden: 9, layers: 2 }, 3)
    {
        model.prefixes = vec![" ".into()];
        let path = format!("../fuzz/seeds/{name}.postcard");
        assert_is_exported(&path, &artifact(&model, weights).unwrap());
    }
}

/// So that the vocabulary has the characters of the model's own prefixes, whatever a device can
/// lower-case.
#[test]
fn prefixes_are_normalised_as_the_corpus_was() {
    const DIMENSIONS: Dimensions = Dimensions { vocabulary: 7, hidden: 1, layers: 1 };
    for (normalisation, expected) in
        [(Normalisation::LowerCase, "über "), (Normalisation::None, "Über\n")]
    {
        let mut model = untrained_model(DIMENSIONS, 1.0, 7);
        model.vocabulary = Vocabulary::of("\n berÜü").unwrap();
        (model.prefixes, model.normalisation) = (vec!["Über\n".into()], normalisation);
        let artifact = artifact(&model, Precision::Int8).unwrap();
        assert_eq!(*artifact.model().unwrap().header().prefixes, [expected]);
        let model = Model::<Int8>::load(artifact.bytes()).unwrap();
        let unknown = PrimeError { character: 'Ж', position: 2, offset: 3 };
        assert_eq!(model.check("übЖ"), Err(unknown));
    }
}

/// A device that can lower-case only ASCII would not replace a character that may be a capital
/// letter.
#[test]
fn prefixes_contain_the_replacement() {
    let prefix = |vocabulary: &str, replacement| {
        let vocabulary = Vocabulary::of(vocabulary).unwrap().with_replacement(replacement).unwrap();
        let dimensions = Dimensions { vocabulary: vocabulary.size(), hidden: 1, layers: 1 };
        let mut model = untrained_model(dimensions, 1.0, 7);
        (model.prefixes, model.vocabulary) = (vec!["Жüb".into()], vocabulary);
        let artifact = artifact(&model, Precision::Int8).unwrap();
        let model = artifact.model().unwrap();
        (model.tokens("Жüb", None).unwrap(), model.header().prefixes[0].to_owned())
    };
    assert_eq!(prefix("büß�", Some('�')), (vec![3, 2, 0], "�üb".into()));
    // Here the replacement would be read as another character, b.
    assert_eq!(prefix("bBß", Some('B')), (vec![0, 0, 1], "жüb".into()));
}

/// An artifact can continue all of its own prefixes.
#[test]
fn prefixes_with_characters_that_the_vocabulary_lacks_are_refused() {
    let mut model = untrained_model(TINY, 1.0, 7);
    model.prefixes.push("'Ж".into());
    for weights in [Precision::Int8, Precision::F32] {
        let Err(Error::Text(TextError::UnknownCharacters(unknown))) = artifact(&model, weights)
        else {
            panic!("the prefix is accepted");
        };
        assert!(unknown.positions().eq([('Ж', 1)]), "{unknown}");
    }
}

/// Compares the file at `path` with `exported`, or rewrites it.
fn assert_is_exported(path: &str, exported: &Artifact) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("CHARCELL_BLESS").is_some() {
        fs::write(&path, exported.bytes()).unwrap();
    }
    assert!(fs::read(&path).unwrap() == exported.bytes(), "{} differs", path.display());
}

/// No weight is silently stored as a different value because it is too large.
#[test]
fn weights_too_large_for_int8_are_refused_by_name() {
    for (name, largest) in [(ParameterName::WHh(1), 62.0), (ParameterName::WOut, 16_000.0)] {
        let mut model = untrained_model(TINY, 300.0, 7);
        model.parameters.get_mut(name)[0] = largest;
        artifact(&model, Precision::Int8).unwrap();
        model.parameters.get_mut(name)[0] = 1.2 * largest;
        let refused = artifact(&model, Precision::Int8);
        assert!(matches!(
            refused,
            Err(Error::Artifact(ArtifactError::Weight { name: named, .. }))
                if named == name.to_string()
        ));
    }
}

/// The bytes in the specification, which include the whole header, are those of the fixed artifact,
/// and the logits at its end are those that are computed.
#[test]
fn the_specification_describes_the_fixed_artifact() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/artifact-bytes.md")).unwrap();
    let (page, compact) = page.split_once("## Compact").unwrap();
    let read = |name: &str| Artifact::read(&root.join("infer-core/tests/models").join(name));
    let artifact = read("tiny-int8.postcard").unwrap();
    let bytes = artifact.bytes();
    let end = printed_to_the_letter(page, bytes);
    assert!(printed_to_the_letter(compact, read("tiny-sparse.postcard").unwrap().bytes()) > 0);
    let first_tensor = tensors(bytes).next().unwrap().offset as usize;
    assert!(end > first_tensor, "printed without a gap: {end} bytes");

    let model = Model::<Int8>::load(bytes).unwrap();
    let mut state = State::<16, 22, 2>::new();
    let mut state = state.view(&model).unwrap();
    model.step(&mut state, model.token('\'').unwrap());
    model.logits(&mut state);
    let logits: Vec<String> = state.logits()[..4].iter().map(i32::to_string).collect();
    let logits = logits.join(", ").replace('-', "−");
    assert!(page.contains(&format!("the first four characters are {logits}")), "{logits}");
}

/// Compares all lines of bytes in `text` with `bytes`, and returns where the first gap is.
fn printed_to_the_letter(text: &str, bytes: &[u8]) -> usize {
    let mut end = 0;
    for line in text.lines() {
        let Some((offset, printed)) = dumped(line) else { continue };
        assert_eq!(bytes.get(offset..offset + printed.len()), Some(&printed[..]), "{line}");
        if offset == end {
            end += printed.len();
        }
    }
    end
}

/// Offset and bytes of a line like `001c  16 0a  meaning`.
fn dumped(line: &str) -> Option<(usize, Vec<u8>)> {
    let (offset, rest) = line.split_once("  ")?;
    let offset = (offset.len() == 4).then(|| usize::from_str_radix(offset, 16).ok())??;
    let pairs = rest.split("  ").next()?.split(' ');
    let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).ok()).collect::<Option<_>>()?;
    Some((offset, bytes))
}

/// Int8 is close to f32 from the smallest model to the largest rows and vocabulary, with rows in
/// one part and in two.
#[test]
fn int8_is_close_to_f32_at_every_size() {
    let sizes =
        [(2, 1, 1), (3, 8, 1), (22, 9, 4), (43, 512, 1), (5, 520, 2), (5, 1024, 1), (65_535, 3, 1)];
    for (vocabulary, hidden, layers) in sizes {
        let dimensions = Dimensions { vocabulary, hidden, layers };
        // Sums of H products are about as large as those in a small model.
        let mut model = untrained_model(dimensions, 200.0 / (hidden as f32).sqrt(), 5);
        model.prefixes.clear();
        let tokens = window(vocabulary, 12, 1, 3).inputs;
        let log_probabilities = |weights| {
            let exported = artifact(&model, weights).unwrap();
            let mut all = Vec::new();
            exported.model().unwrap().predict_each(&tokens, |each, _| all.extend_from_slice(each));
            all
        };
        let (float, integer) =
            (log_probabilities(Precision::F32), log_probabilities(Precision::Int8));
        assert_eq!(float.len(), integer.len());
        let difference = float.iter().zip(&integer).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let spread = float.iter().copied().fold(0.0, |spread: f64, p| spread.max(-p));
        assert!(difference <= 0.01 * spread, "{dimensions:?}: {difference} nats of {spread}");
    }
}

/// `infer-core` computes the same in f32 as training.
#[test]
fn f32_logits_are_those_of_training() {
    for (hidden, layers) in [(1, 1), (7, 1), (64, 1), (10, 2), (9, 4)] {
        let dimensions = Dimensions { vocabulary: 21, hidden, layers };
        let model = untrained_model(dimensions, 100.0, 1);
        let tokens = window(dimensions.vocabulary, 30, 1, 2).inputs;
        let steps = tokens.len() - 1;
        let config = Config { batch_size: 1, num_steps: steps, ..Config::default() };
        let mut cpu = Cpu::new(model.parameters.clone(), &config, 1).unwrap();
        let (inputs, targets) = (tokens[..steps].to_vec(), tokens[1..].to_vec());
        let window = Window { inputs, targets, resets_state: true, teacher: None };
        let trained = block_on(cpu.logits(&[window])).unwrap();

        let exported = artifact(&model, Precision::F32).unwrap();
        let exported = exported.model().unwrap();
        assert!(matches!(exported, AnyModel::F32(_)));
        let mut rows = trained.chunks_exact(dimensions.vocabulary);
        exported.predict_each(&tokens, |log_probabilities, next: Token| {
            let row: Vec<f64> = rows.next().unwrap().iter().map(|&v| f64::from(v)).collect();
            let log_sum = row.iter().map(|logit| logit.exp()).sum::<f64>().ln();
            for (found, logit) in log_probabilities.iter().zip(&row) {
                assert!((found - (logit - log_sum)).abs() < 5e-5, "{dimensions:?}, before {next}");
            }
        });
        assert!(rows.next().is_none());
    }
}
