//! Checkpoints.

use charcell::cpu::Cpu;
use charcell::text::WindowSampling;
use charcell::{Checkpoint, Config, Error, Optimizer, Training, TrainingError};
use pollster::block_on;
use serde_json::{Deserializer, Value};

use super::CORPUS;

/// The CRC at the end of a checkpoint.
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// The alignment of the safetensors header, and the size of its length before it, in bytes.
const ALIGNMENT: usize = 8;

/// The largest counts, negative zero, and NaN.
pub(crate) const WORDS: [&[u8]; 5] =
    [b"18446744073709551615", b"295147905179352825856", b"-0.0", b"1e308", b"\x00\x00\xc0\x7f"];

/// Reads `bytes`, with corrected header length and checksum, as a checkpoint, and returns whether
/// they are accepted. An accepted checkpoint, and one of a run resumed from it, must be written as
/// the same bytes.
///
/// # Panics
/// If a property doesn't hold.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let mut bytes = with_length(bytes).unwrap_or_else(|| bytes.to_vec());
    if let Some((content, checksum)) = bytes.split_last_chunk_mut() {
        *checksum = CRC.checksum(content).to_le_bytes();
    }
    let Ok(checkpoint) = Checkpoint::from_bytes(&bytes) else { return false };
    assert!(checkpoint.to_bytes() == bytes);
    if checkpoint.epochs() == 0 {
        go_on(&checkpoint);
    }
    true
}

/// `bytes` with the length of the JSON in them.
fn with_length(bytes: &[u8]) -> Option<Vec<u8>> {
    let rest = bytes.get(ALIGNMENT..)?;
    let mut values = Deserializer::from_slice(rest).into_iter::<Value>();
    values.next()?.ok()?;
    let (header, data) = rest.split_at(values.byte_offset());
    let spaces = data.iter().take(ALIGNMENT - 1).take_while(|&&byte| byte == b' ').count();
    let length = header.len().next_multiple_of(ALIGNMENT);
    let mut mended = (length as u64).to_le_bytes().to_vec();
    mended.extend(header);
    mended.resize(ALIGNMENT + length, b' ');
    mended.extend(&data[spaces..]);
    Some(mended)
}

/// Resumes from `checkpoint`, which has no earlier epochs whose reports it would need.
fn go_on(checkpoint: &Checkpoint) {
    let config = &checkpoint.description().config;
    let backend = async |parameters| Cpu::new(parameters, config, 1);
    let resumed = Training::resume(&CORPUS, config, checkpoint, Vec::new(), backend);
    let Ok(mut training) = block_on(resumed) else { return };
    let again = block_on(training.checkpoint()).expect("the CPU can't be lost");
    // The description changes if the version or the files differ.
    if again.description() == checkpoint.description() {
        assert!(again.to_bytes() == checkpoint.to_bytes());
    }
    match block_on(training.advance()) {
        Ok(_) | Err(Error::Training(TrainingError::Diverged { .. })) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Checkpoints before training and after each `advance`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    configs().iter().flat_map(checkpoints).collect()
}

/// The smallest run, and one with every feature that has a state of its own.
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
    let mut training = training.expect("valid settings");
    let mut checkpoints = Vec::new();
    loop {
        let checkpoint = block_on(training.checkpoint()).expect("the CPU can't be lost");
        checkpoints.push(checkpoint.to_bytes());
        if block_on(training.advance()).expect("it learns").is_none() {
            return checkpoints;
        }
    }
}
