use infer_core::Normalisation;
use pollster::block_on;

use super::content::RANDOM_WORDS;
use super::file::seal;
use super::*;
use crate::Training;
use crate::cpu::Cpu;
use crate::error::{CheckpointError, DescriptionError, Error, TrainingError};

fn corpus() -> Corpus {
    let text = "the tea at the heath, that the hat ate. ".repeat(3);
    Corpus::from_text(&text, Normalisation::LowerCase, None).unwrap()
}

fn config() -> Config {
    let prefixes = vec!["the".into()];
    Config {
        hidden: 1,
        batch_size: 2,
        num_steps: 3,
        validation: 0.2,
        prefixes,
        ..Config::default()
    }
}

/// A checkpoint in the middle of the second epoch, and the reports of the first.
fn checkpoint(corpus: &Corpus) -> (Checkpoint, Vec<EpochReport>) {
    let config = Config { report_every: 1, ..config() };
    let backend = async |parameters| Cpu::new(parameters, &config, 1);
    let mut training = block_on(Training::new(corpus, &config, backend)).unwrap();
    while block_on(training.advance()).unwrap().is_some_and(|progress| progress.epoch == 1) {}
    (block_on(training.checkpoint()).unwrap(), training.metrics().to_vec())
}

/// `bytes` with their checksum corrected.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    seal(&mut bytes);
    bytes
}

#[test]
fn a_checkpoint_survives_a_round_trip_and_damage_is_refused() {
    let (checkpoint, _) = checkpoint(&corpus());
    let bytes = checkpoint.to_bytes();
    assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), checkpoint);
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        let refused = Checkpoint::from_bytes(&damaged);
        assert!(matches!(refused, Err(CheckpointError::Checksum)), "byte {position}");
    }
    let refused = Checkpoint::from_bytes(&bytes[..bytes.len() - 1]);
    assert!(matches!(refused, Err(CheckpointError::Checksum)));
    let longer = sealed([&bytes[..], b"\0"].concat());
    let refused = Checkpoint::from_bytes(&longer);
    assert!(matches!(refused, Err(CheckpointError::NotSafetensors(_))));
}

/// The same content in another notation, or extra content, with a correct checksum.
#[test]
fn there_is_one_form_of_a_checkpoint() {
    let (checkpoint, _) = checkpoint(&corpus());
    let bytes = checkpoint.to_bytes();
    let header = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let with_header = |text: &str| {
        let length = (text.len() as u64).to_le_bytes();
        sealed([&length, text.as_bytes(), &bytes[8 + header..]].concat())
    };
    let text = str::from_utf8(&bytes[8..][..header]).unwrap();
    assert_eq!(with_header(text), bytes);
    let change = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        Checkpoint::from_bytes(&with_header(&changed)).unwrap_err()
    };
    for (from, to) in [
        ("{\"__metadata__\":{", "{\"__metadata__\":{\"more\":\"\","),
        ("\"__metadata__\"", " \"__metadata__\""),
        ("\\\"seed\\\":0", "\\\"seed\\\": 0"),
        ("\"shape\":[1]", "\"shape\":[1,1]"),
    ] {
        assert!(matches!(change(from, to), CheckpointError::Surplus), "{to}");
    }
    let other = change("charcell-checkpoint-1", "charcell-checkpoint-0");
    assert!(matches!(other, CheckpointError::Version));
    let other = change("\\\"sums\\\":", "\\\"more\\\":1,\\\"sums\\\":");
    assert!(matches!(other, CheckpointError::Json(_)));
    assert!(matches!(change("\"F32\"", "\"I32\""), CheckpointError::Numbers));
}

/// No run can reach these states: resuming from them could never end, overflow, or compute with
/// numbers that aren't finite.
#[test]
fn impossible_numbers_are_refused() {
    let (checkpoint, _) = checkpoint(&corpus());
    type Change = fn(&mut Checkpoint);
    let changes: [Change; 16] = [
        |it| it.status.random_position = RANDOM_WORDS,
        |it| it.status.iterations_done = 121,
        |it| it.status.iterations_done = 0,
        |it| {
            it.status.iterations_done = 0;
            it.status.sums = Sums { loss_nats: -0.0, ..Sums::default() };
        },
        |it| it.status.iterations = u64::MAX,
        |it| it.status.sums.seconds = f64::NAN,
        |it| it.status.sums.loss_nats = f64::INFINITY,
        |it| it.parameters[3] = f32::NAN,
        |it| it.hidden.push(0.0),
        |it| it.cell.clear(),
        |it| it.moments = Some([it.parameters.clone(), it.parameters.clone()]),
        |it| it.status.best.iter_mut().for_each(|best| best.epoch = 2),
        |it| it.status.best.iter_mut().for_each(|best| best.reports_since = usize::MAX),
        |it| it.status.best.iter_mut().for_each(|best| best.perplexity = f64::NAN),
        |it| it.best.iter_mut().for_each(|best| best.truncate(1)),
        |it| it.best = None,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = checkpoint.clone();
        change(&mut changed);
        let refused = Checkpoint::from_bytes(&changed.to_bytes());
        // JSON can't express numbers that aren't finite.
        let is_right = matches!(refused, Err(CheckpointError::Numbers | CheckpointError::Json(_)));
        assert!(is_right, "change {number}: {refused:?}");
    }
}

#[test]
fn impossible_descriptions_are_refused() {
    let (checkpoint, _) = checkpoint(&corpus());
    let changed = |change: fn(&mut Description)| {
        let mut changed = checkpoint.clone();
        change(&mut changed.status.description);
        Checkpoint::from_bytes(&changed.to_bytes()).unwrap_err()
    };
    assert!(matches!(
        changed(|it| it.config.layers = 1_000_000_000_000_000_000),
        CheckpointError::Description(DescriptionError::Setting(_))
    ));
    assert!(matches!(
        changed(|it| it.vocabulary.swap(0, 1)),
        CheckpointError::Description(DescriptionError::VocabularyOrder)
    ));
    assert!(matches!(changed(|it| it.config.batch_size = usize::MAX), CheckpointError::Numbers));
    // Then the best parameters would belong to a future epoch.
    assert!(matches!(changed(|it| it.epochs = 0), CheckpointError::Numbers));
}

#[test]
fn reports_of_another_run_are_recognised() {
    let (checkpoint, mut metrics) = checkpoint(&corpus());
    assert!(checkpoint.has(&metrics));
    metrics[0].loss_nats += 1.0;
    assert!(!checkpoint.has(&metrics));
    assert!(!checkpoint.has(&[]));
}

#[test]
fn more_iterations_than_an_epoch_has_are_named() {
    let corpus = corpus();
    let (checkpoint, metrics) = checkpoint(&corpus);
    let resume = |iterations_done| {
        let mut checkpoint = checkpoint.clone();
        checkpoint.status.iterations_done = iterations_done;
        let (config, metrics) = (config(), metrics.clone());
        let backend = async |parameters| Cpu::new(parameters, &config, 1);
        let resumed = Training::resume(&corpus, &config, &checkpoint, metrics, backend);
        block_on(resumed).map(drop)
    };
    resume(1).unwrap();
    let Err(Error::Training(TrainingError::OtherTraining(mismatch))) = resume(100) else {
        panic!("100 iterations are accepted");
    };
    assert!(matches!(mismatch, Mismatch::Setting { there, .. } if there == "100 or more"));
}
