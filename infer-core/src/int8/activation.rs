//! Sigmoid and tanh of a pre-activation in Q15.16, to Q0.15, from piecewise linear tables.
//!
//! The tables are computed by the compiler, which does so alike on every host.

/// One straight piece of a function for each 1/16 of its argument: from 0 to 8, then from −8 to 0,
/// as the number of a negative argument's piece is taken for one without a sign.
///
/// A piece is one word, so that reading it takes one load and computing with it one
/// multiply-accumulate: as a number, it is the value at the piece's start in Q0.31, whose lower
/// half is replaced by the rise over the piece, int16 in Q0.19. The value's upper half makes up for
/// that, and for the rounding of the result.
type Table = [i32; 256];

/// Fraction bits of a pre-activation.
pub(super) const FRACTION_BITS: u32 = 16;

/// Bits of a pre-activation below the number of its piece.
const POSITION_BITS: u32 = FRACTION_BITS - 4;

/// Pre-activations from −8 on and below 8, which the tables are for.
const LIMIT: i32 = 8 << FRACTION_BITS;

/// Fraction bits of a rise: a rise times a position of [`POSITION_BITS`] is in Q0.31.
const RISE_FRACTION_BITS: u32 = 31 - POSITION_BITS;

/// Both tables, side by side: so one address serves for both.
struct Tables {
    sigmoid: Table,
    tanh: Table,
}

static TABLES: Tables = Tables { sigmoid: table(true), tanh: table(false) };

/// 1 / (1 + e⁻ˣ); largest error 7e-5.
pub(super) fn sigmoid(pre_activation: i32) -> i16 {
    interpolate(&TABLES.sigmoid, pre_activation)
}

/// tanh x; largest error 2.2e-4.
pub(super) fn tanh(pre_activation: i32) -> i16 {
    interpolate(&TABLES.tanh, pre_activation)
}

fn interpolate(table: &Table, pre_activation: i32) -> i16 {
    let limited = pre_activation.clamp(-LIMIT, LIMIT - 1);
    let number = usize::from((limited >> POSITION_BITS) as u8);
    let position = limited & ((1 << POSITION_BITS) - 1);
    #[expect(clippy::indexing_slicing, reason = "a byte can't exceed the table's 256 pieces")]
    let piece = table[number];
    ((piece + i32::from(piece as i16) * position) >> 16) as i16
}

/// The table of the logistic function, or of tanh.
///
/// A chord lies on one side of its curve, so it is moved by half of its error in the middle,
/// which halves the largest error.
const fn table(is_sigmoid: bool) -> Table {
    let mut table = [0; 256];
    let mut number = 0;
    while number < table.len() {
        let start = number as u8 as i8 as f64 / 16.0;
        let (left, right) = (function(is_sigmoid, start), function(is_sigmoid, start + 1.0 / 16.0));
        let middle = function(is_sigmoid, start + 1.0 / 32.0);
        let value = left + (middle - (left + right) / 2.0) / 2.0;
        let rise = nearest((right - left) * (1_u32 << RISE_FRACTION_BITS) as f64, 1.0) as u16;
        // A half of the result's unit, as results are rounded down.
        let rounding = (1 << 15) as f64;
        let upper = nearest(value * (1_u32 << 31) as f64 + rounding - rise as f64, 65_536.0);
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
        let piece = &mut table[number];
        *piece = ((upper << 16) | rise as u32) as i32;
        number += 1;
    }
    table
}

/// `value` in units of `unit`, rounded to the nearest integer; at most what an int16 can hold.
const fn nearest(value: f64, unit: f64) -> u32 {
    let value = value / unit;
    let rounded = if value < 0.0 { value - 0.5 } else { value + 0.5 };
    (if rounded >= 32767.0 { 32767 } else { rounded as i16 }) as u32
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

    use super::{FRACTION_BITS, LIMIT, TABLES, Table, sigmoid, tanh};

    /// The numbers that `docs/artifact-format.md` names: other tables would be another arithmetic.
    #[test]
    fn the_tables_are_those_of_the_specification() {
        let checksum = |table: &Table| {
            let bytes: Vec<u8> = table.iter().flat_map(|piece| piece.to_le_bytes()).collect();
            crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes)
        };
        assert_eq!((checksum(&TABLES.sigmoid), checksum(&TABLES.tanh)), (0xd33c_7d80, 0x50ce_13d9));
    }

    #[test]
    fn every_pre_activation_is_within_the_stated_error() {
        let (mut sigmoid_error, mut tanh_error) = (0.0_f64, 0.0_f64);
        for pre_activation in -LIMIT..LIMIT {
            let x = f64::from(pre_activation) / f64::from(1 << FRACTION_BITS);
            let error = f64::from(sigmoid(pre_activation)) / 32768.0 - 1.0 / (1.0 + (-x).exp());
            sigmoid_error = sigmoid_error.max(error.abs());
            let error = f64::from(tanh(pre_activation)) / 32768.0 - x.tanh();
            tanh_error = tanh_error.max(error.abs());
        }
        assert!(sigmoid_error < 7e-5, "{sigmoid_error}");
        assert!(tanh_error < 2.2e-4, "{tanh_error}");
    }
}
