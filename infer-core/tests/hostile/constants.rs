//! Constants that could make a sum overflow.

use infer_core::artifact::TensorName;
use infer_core::int8::GateConstants;
use infer_core::{Int8, LoadError, Model};

use super::{ALL, INT4, INT8, NARROW, SPARSE, aligned, load, memory, mend_checksum, tensor};

/// Columns of the narrow model's embedding, of 5 numbers.
const NARROW_COLUMNS: i32 = 8;

/// Numbers that could make a sum overflow are found at load, and the error names their tensor.
#[test]
fn constants_too_large_are_refused_by_name() {
    let mut memory = memory();
    let names =
        [(TensorName::GateConstants, 0), (TensorName::GateConstants, 1), (TensorName::BOut, 0)];
    for (sound, (name, layer)) in ALL.into_iter().flat_map(|sound| names.map(|name| (sound, name)))
    {
        let offset = tensor(sound, name, layer).offset as usize;
        for number in [i32::MIN, i32::MAX, -0x7fff_0000] {
            let artifact = aligned(&mut memory, sound);
            artifact[offset + 4..offset + 8].copy_from_slice(&number.to_le_bytes());
            mend_checksum(artifact);
            assert_eq!(load(artifact).unwrap_err(), LoadError::Overflow { name, layer });
            // It can still be found: only loading checks them.
            assert_eq!(Model::<Int8>::find(artifact).map(<[u8]>::len), Ok(sound.len()));
        }
    }
}

/// The largest bias that fits beside the largest multipliers is accepted, and no larger one. The
/// factors are those of the format's page, computed by hand for H′ = 16.
#[test]
fn constants_that_just_fit_are_accepted() {
    let mut memory = memory();
    // Artifact, layer, and the factors of the input and of the recurrent weights, twice each.
    for (sound, layer, factors) in [
        (INT8, 0, [2 * 127, 16 * 127]),
        (INT8, 1, [16 * 127, 16 * 127]),
        (INT4, 0, [2 * 56, 16 * 112]),
        (INT4, 1, [16 * 112, 16 * 112]),
        (SPARSE, 0, [2 * 56, 16 * 112]),
        (NARROW, 0, [NARROW_COLUMNS * 127, 16 * 127]),
        (NARROW, 1, [16 * 127, 16 * 127]),
    ] {
        let offset = tensor(sound, TensorName::GateConstants, layer).offset as usize;
        let largest = i32::MAX - factors.iter().sum::<i32>() / 2 * i32::from(i16::MAX);
        for (bias, fits) in [(largest, true), (-largest, true), (largest + 1, false)] {
            let artifact = aligned(&mut memory, sound);
            let constants = GateConstants {
                b: [0, 0, bias, 0],
                multiplier_ih: [0, 0, i16::MAX, 0],
                multiplier_hh: [0, 0, i16::MAX, 0],
            };
            let bytes = bytemuck::bytes_of(&constants);
            artifact[offset..][..bytes.len()].copy_from_slice(bytes);
            mend_checksum(artifact);
            assert_eq!(load(artifact).is_ok(), fits, "{factors:?} {bias}");
        }
    }
    let [b_out, multipliers] = [TensorName::BOut, TensorName::OutputMultipliers]
        .map(|name| tensor(INT4, name, 0).offset as usize);
    let largest = i32::MAX - 56 * 16 * i32::from(i16::MAX);
    for (bias, fits) in [(largest, true), (-largest, true), (largest + 1, false)] {
        let artifact = aligned(&mut memory, INT4);
        artifact[b_out..][..4].copy_from_slice(&bias.to_le_bytes());
        artifact[multipliers..][..2].copy_from_slice(&i16::MAX.to_le_bytes());
        mend_checksum(artifact);
        assert_eq!(load(artifact).is_ok(), fits, "{bias}");
    }
    // In int8, with as much room for products as the most units need.
    let largest = i32::MAX - 128 * 127 * 1024;
    for (sound, (bias, fits)) in [INT8, NARROW].into_iter().flat_map(|sound| {
        [(largest, true), (-largest, true), (largest + 1, false)].map(|bias| (sound, bias))
    }) {
        let b_out = tensor(sound, TensorName::BOut, 0).offset as usize;
        let artifact = aligned(&mut memory, sound);
        artifact[b_out..][..4].copy_from_slice(&bias.to_le_bytes());
        mend_checksum(artifact);
        assert_eq!(load(artifact).is_ok(), fits, "{bias}");
    }
}
