//! Artifacts as a microcontroller reads them.

use infer_core::artifact::{PRELUDE_BYTES, checksum};
use infer_core::layout::ALIGNMENT;
use infer_core::{F32, Generator, Int8, LoadError, Model, Precision, Sampling, StateView};

/// Characters generated from each artifact.
const LENGTH: usize = 20;

/// Loads `bytes` as a model of either precision, and returns whether they are accepted.
///
/// # Panics
/// If the checksum affects anything other than whether it is correct.
pub fn load(bytes: &[u8]) -> bool {
    with_aligned(bytes, |artifact| {
        [load_as::<Int8>(artifact).is_some(), load_as::<F32>(artifact).is_some()].contains(&true)
    })
}

/// Loads `bytes` with a corrected checksum, and generates text if they are accepted as a model.
///
/// The checksum determines how characters are sampled.
///
/// # Panics
/// If the text has characters outside the model's vocabulary, or differs with weights in RAM.
pub fn generate(bytes: &[u8]) -> bool {
    with_aligned(bytes, |artifact| {
        let mended = checksum(artifact);
        if let Some(stored) = artifact.get_mut(PRELUDE_BYTES - 4..PRELUDE_BYTES) {
            stored.copy_from_slice(&mended.to_le_bytes());
        }
        let [temperature, top_k, top_p, seed] = mended.to_le_bytes().map(u16::from);
        let sampling = Sampling::random()
            .with_temperature_milli(10 * temperature)
            .with_top_k(top_k % 8)
            .with_top_p_milli(4 * top_p)
            .with_seed(seed.into());
        let int8 = generate_as::<Int8>(artifact, sampling);
        generate_as::<F32>(artifact, sampling) || int8
    })
}

/// Passes a copy of `bytes`, aligned to 16, to `action`.
fn with_aligned<T>(bytes: &[u8], action: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut memory = vec![0; bytes.len() + ALIGNMENT - 1];
    let start = memory.as_ptr().align_offset(ALIGNMENT);
    let artifact = &mut memory[start..start + bytes.len()];
    artifact.copy_from_slice(bytes);
    action(artifact)
}

/// Loads `artifact` as a model of precision `P`, with and without verifying the checksum.
fn load_as<P: Precision>(artifact: &[u8]) -> Option<Model<'_, P>> {
    let (checked, trusted) = (Model::<P>::load(artifact), Model::<P>::load_unverified(artifact));
    match (checked, trusted) {
        (Ok(model), Ok(_)) => Some(model),
        (Err(LoadError::Checksum { .. }), _) => None,
        (Err(error), Err(same)) => {
            assert_eq!(error, same);
            None
        }
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
            panic!("only one of both loads fails: {error}")
        }
    }
}

/// Checks that a model writes text of its vocabulary, and the same text with any part of its
/// weights in RAM.
fn generate_as<P: Precision>(artifact: &[u8], sampling: Sampling) -> bool {
    // With the last of the 256 seeds there is room for all weights.
    let mut ram = vec![0xaa; sampling.seed as usize * (artifact.len() + ALIGNMENT) / 255];
    let Some(mut model) = load_as::<P>(artifact) else { return false };
    let text = text(&model, sampling);
    assert_eq!(text.len(), LENGTH);
    assert!(text.iter().all(|&character| model.vocabulary().as_str().contains(character)));
    assert!(model.copy_to_ram(&mut ram).ram_bytes <= artifact.len());
    assert_eq!(self::text(&model, sampling), text);
    true
}

fn text<P: Precision>(model: &Model<'_, P>, sampling: Sampling) -> Vec<char> {
    let mut state = vec![0xaa; model.memory().state_bytes + ALIGNMENT - 1];
    let state = StateView::from_bytes(model, &mut state).expect("as many bytes as it needs");
    assert_eq!(state.logits().len(), model.dimensions().vocabulary);
    let mut generator = Generator::from_view(model, state, sampling);
    for prefix in model.prefixes() {
        // The writer checks that the model knows their characters; the loader doesn't.
        let is_taken = generator.prime(prefix).is_ok();
        assert!(is_taken || model.header().replacement.is_none(), "{prefix} isn't replaced");
    }
    generator.take(LENGTH).collect()
}
