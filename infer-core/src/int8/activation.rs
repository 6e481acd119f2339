//! Sigmoid and tanh of a pre-activation in Q3.12, to Q0.15, from piecewise linear tables.
//!
//! The tables are computed by the compiler, which does so alike on every host.

/// A straight piece of a function: 1/16 of its argument.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(4))]
struct Segment {
    /// The value at the segment's start, Q0.15.
    base: i16,
    /// The rise over the whole segment, Q0.19.
    rise: i16,
}

/// One segment for each high byte of a pre-activation.
type Table = [Segment; 256];

/// Bits of a pre-activation below the number of its segment.
const POSITION_BITS: u32 = 8;

/// Bits by which a rise is finer than a value.
const RISE_EXTRA_BITS: u32 = 4;

static SIGMOID: Table = table(true);
static TANH: Table = table(false);

/// 1 / (1 + e⁻ˣ); largest error 7e-5.
pub(super) fn sigmoid(pre_activation: i16) -> i16 {
    interpolate(&SIGMOID, pre_activation)
}

/// tanh x; largest error 2.2e-4.
pub(super) fn tanh(pre_activation: i16) -> i16 {
    interpolate(&TANH, pre_activation)
}

fn interpolate(table: &Table, pre_activation: i16) -> i16 {
    let [position, high] = pre_activation.to_le_bytes();
    // From the signed order of high bytes to the table's ascending one.
    let number = usize::from(high ^ 0x80);
    #[expect(clippy::indexing_slicing, reason = "a byte can't exceed the table's 256 entries")]
    let Segment { base, rise } = table[number];
    const SHIFT: u32 = POSITION_BITS + RISE_EXTRA_BITS;
    let risen = (i32::from(rise) * i32::from(position) + (1 << (SHIFT - 1))) >> SHIFT;
    (i32::from(base) + risen) as i16
}

/// The table of the logistic function, or of tanh.
///
/// A chord lies on one side of its curve, so it is moved by half of its error in the middle,
/// which halves the largest error.
const fn table(is_sigmoid: bool) -> Table {
    let mut table = [Segment { base: 0, rise: 0 }; 256];
    let mut number = 0;
    while number < table.len() {
        let start = (number as f64 - 128.0) / 16.0;
        let (left, right) = (function(is_sigmoid, start), function(is_sigmoid, start + 1.0 / 16.0));
        let middle = function(is_sigmoid, start + 1.0 / 32.0);
        let base = left + (middle - (left + right) / 2.0) / 2.0;
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
        let segment = &mut table[number];
        *segment = Segment {
            base: fixed_point(base * 32768.0),
            rise: fixed_point((right - left) * (32768 << RISE_EXTRA_BITS) as f64),
        };
        number += 1;
    }
    table
}

/// `value` rounded to the nearest integer, saturated.
const fn fixed_point(value: f64) -> i16 {
    let rounded = if value < 0.0 { value - 0.5 } else { value + 0.5 };
    if rounded >= 32767.0 { 32767 } else { rounded as i16 }
}

const fn function(is_sigmoid: bool, x: f64) -> f64 {
    if is_sigmoid { 1.0 / (1.0 + exp(-x)) } else { 2.0 / (1.0 + exp(-2.0 * x)) - 1.0 }
}

/// eˣ for |x| ≤ 16: the Taylor series of e^(x/64), raised to the 64th power by squaring.
const fn exp(x: f64) -> f64 {
    let small = x / 64.0;
    let (mut sum, mut term, mut n) = (1.0, 1.0, 1);
    while n < 16 {
        term *= small / n as f64;
        sum += term;
        n += 1;
    }
    let mut squarings = 0;
    while squarings < 6 {
        sum *= sum;
        squarings += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::{SIGMOID, TANH, Table, sigmoid, tanh};

    /// The numbers that `docs/artifact-format.md` names: other tables would be another arithmetic.
    #[test]
    fn the_tables_are_those_of_the_specification() {
        let checksum = |table: &Table| {
            let bytes: Vec<u8> = table
                .iter()
                .flat_map(|segment| [segment.base.to_le_bytes(), segment.rise.to_le_bytes()])
                .flatten()
                .collect();
            crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes)
        };
        assert_eq!((checksum(&SIGMOID), checksum(&TANH)), (0x4fbe_a106, 0x59e3_1236));
    }

    #[test]
    fn every_pre_activation_is_within_the_stated_error() {
        let (mut sigmoid_error, mut tanh_error) = (0.0_f64, 0.0_f64);
        for pre_activation in i16::MIN..=i16::MAX {
            let x = f64::from(pre_activation) / 4096.0;
            let error = f64::from(sigmoid(pre_activation)) / 32768.0 - 1.0 / (1.0 + (-x).exp());
            sigmoid_error = sigmoid_error.max(error.abs());
            let error = f64::from(tanh(pre_activation)) / 32768.0 - x.tanh();
            tanh_error = tanh_error.max(error.abs());
        }
        assert!(sigmoid_error < 7e-5, "{sigmoid_error}");
        assert!(tanh_error < 2.2e-4, "{tanh_error}");
    }
}
