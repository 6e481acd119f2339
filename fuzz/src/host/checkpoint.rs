//! Checkpoints of a training.

use charcell::cpu::Cpu;
use charcell::text::WindowSampling;
use charcell::{Checkpoint, Config, Description, Error, Optimizer, Training, TrainingError};
use pollster::block_on;

use super::CORPUS;

/// The CRC that a checkpoint ends with.
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// The largest count, and what isn't a number, in four bytes and in eight.
pub(crate) const WORDS: [&[u8]; 3] = [
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x00\x00\xc0\x7f",
    b"\x00\x00\x00\x00\x00\x00\xf8\x7f",
];

/// Reads `bytes`, their checksum mended, as a checkpoint, which may be refused; what is taken must
/// be written as the same bytes again, and a training that goes on from it, too.
///
/// # Panics
/// If it isn't so.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    if let Some((content, checksum)) = bytes.split_last_chunk_mut() {
        *checksum = CRC.checksum(content).to_le_bytes();
    }
    let Ok(checkpoint) = Checkpoint::from_bytes(&bytes) else { return false };
    assert!(checkpoint.to_bytes() == bytes);
    let description = checkpoint.description().expect("it was read");
    if checkpoint.epochs() == 0 {
        go_on(&checkpoint, &description);
    }
    true
}

/// A training goes on from `checkpoint`, which has no epochs before it whose reports it would need.
fn go_on(checkpoint: &Checkpoint, description: &Description) {
    let config = &description.config;
    let backend = async |parameters| Cpu::new(parameters, config, 1);
    let resumed = Training::resume(&CORPUS, config, checkpoint, Vec::new(), backend);
    let Ok(mut training) = block_on(resumed) else { return };
    let again = block_on(training.checkpoint()).expect("a processor can't be lost");
    // One of another version, or with other spaces, is written anew.
    let text = serde_json::to_string(description).expect("plain values as JSON");
    let bytes = checkpoint.to_bytes();
    let is_there = bytes.windows(text.len()).any(|part| part == text.as_bytes());
    if is_there && again.description().as_ref() == Some(description) {
        assert!(again.to_bytes() == bytes);
    }
    match block_on(training.advance()) {
        Ok(_) | Err(Error::Training(TrainingError::Diverged { .. })) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Checkpoints before a training, and at each of its first steps.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    configs().iter().flat_map(checkpoints).collect()
}

/// The smallest training, and one with all that has a memory of its own.
fn configs() -> [Config; 2] {
    let smallest = Config {
        hidden: 1,
        batch_size: 2,
        num_steps: 3,
        epochs: 2,
        report_every: 1,
        prefixes: vec!["the".into()],
        ..Config::default()
    };
    let richest = Config {
        hidden: 2,
        layers: 2,
        optimizer: Optimizer::AdamW,
        learning_rate: 0.1,
        clip: 1.0,
        dropout: 0.2,
        sampling: WindowSampling::Random,
        validation: 0.1,
        patience: 1,
        ..smallest.clone()
    };
    [smallest, richest]
}

fn checkpoints(config: &Config) -> Vec<Vec<u8>> {
    let backend = async |parameters| Cpu::new(parameters, config, 1);
    let training = block_on(Training::new(&CORPUS, config, backend));
    let mut training = training.expect("settings that are allowed");
    let mut checkpoints = Vec::new();
    loop {
        let checkpoint = block_on(training.checkpoint()).expect("a processor can't be lost");
        checkpoints.push(checkpoint.to_bytes());
        if block_on(training.advance()).expect("it learns").is_none() {
            return checkpoints;
        }
    }
}
