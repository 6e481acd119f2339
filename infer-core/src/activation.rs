//! Sigmoid and tanh in integers. Both use one piecewise linear table of tanh, as sigmoid is (1 +
//! tanh(x/2)) / 2.
//!
//! The table is computed at compile time, with the same result on every host.

/// Fraction bits of a pre-activation.
pub(crate) const FRACTION_BITS: u32 = 16;

/// tanh at every 1/16 of its argument: from 0 to 4, then from −4 to 0, because the piece number of
/// a negative argument is read as unsigned.
///
/// A piece is one word, so reading it takes one load. Its lower half is the slope, an int16 in
/// Q0.15. The whole word plus the slope times the argument is the value in Q0.31: the upper half
/// compensates for the slope below it and for the rounding of the result. Intermediate sums wrap.
pub(crate) static TANH: [i32; PIECES] = table();

const PIECES: usize = 128;

/// Number of bits of an argument below the piece number.
const PIECE_BITS: u32 = FRACTION_BITS - 4;

/// The arguments covered by the table: from −4 to just below 4.
const LIMIT: i32 = 4 << FRACTION_BITS;

/// Sigmoid of x in Q0.15 from `tanh` of x/2 in Q0.31; largest error 1.3e-4, and 3.4e-4 beyond ±8.
pub(crate) fn sigmoid(tanh: i32) -> i16 {
    (1 << 14) + (tanh >> 17) as i16
}

/// `tanh` in Q0.15 from Q0.31, rounded.
pub(crate) fn rounded(tanh: i32) -> i16 {
    (tanh >> 16) as i16
}

/// tanh from Q15.16 to Q0.31, plus half of 2⁻¹⁵; largest error 2.2e-4, 6.8e-4 beyond ±4.
#[cfg_attr(not(target_os = "none"), inline)] // devices would get a copy for each gate
pub(crate) fn tanh(x: i32) -> i32 {
    let limited = x.clamp(-LIMIT, LIMIT - 1);
    let number = (limited >> PIECE_BITS) as usize % PIECES;
    #[expect(clippy::indexing_slicing, reason = "a remainder of 128 is below the 128 pieces")]
    let piece = TANH[number];
    piece.wrapping_add(i32::from(piece as i16).wrapping_mul(limited))
}

/// A chord lies on one side of its curve. It is shifted by half of its error in the middle, which
/// halves the largest error.
const fn table() -> [i32; PIECES] {
    let mut table = [0; PIECES];
    let mut piece = 0;
    while piece < PIECES {
        let sixteenths =
            if piece < PIECES / 2 { piece as i32 } else { piece as i32 - PIECES as i32 };
        let start = sixteenths as f64 / 16.0;
        let (left, right) = (tanh_of(start), tanh_of(start + 1.0 / 16.0));
        let middle = tanh_of(start + 1.0 / 32.0);
        let value = left + (middle - (left + right) / 2.0) / 2.0;
        let slope = nearest((right - left) * 16.0 * (1 << 15) as f64);
        // Half a unit of tanh's result, because results are rounded down.
        let value = value * (1_u32 << 31) as f64 + (1 << 15) as f64;
        let without_slope = value - (slope * (1 + (sixteenths << PIECE_BITS) as i64)) as f64;
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
        let word = &mut table[piece];
        *word = ((nearest(without_slope / 65_536.0) << 16) + slope) as i32;
        piece += 1;
    }
    table
}

/// The nearest integer.
const fn nearest(value: f64) -> i64 {
    (if value < 0.0 { value - 0.5 } else { value + 0.5 }) as i64
}

const fn tanh_of(x: f64) -> f64 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
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

    use super::{FRACTION_BITS, LIMIT, TANH, rounded, sigmoid, tanh};

    /// The number given in `docs/artifact-format.md`: a different table would be different
    /// arithmetic.
    #[test]
    fn the_table_is_that_of_the_specification() {
        let bytes: Vec<u8> = TANH.iter().flat_map(|piece| piece.to_le_bytes()).collect();
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
        assert_eq!(checksum, 0x650dafb0);
    }

    /// The largest errors of sigmoid and of tanh for arguments of tanh in ±`limit`.
    fn largest_errors(limit: i32) -> (f64, f64) {
        let (mut sigmoid_error, mut tanh_error) = (0.0_f64, 0.0_f64);
        for argument in -limit..limit {
            let x = f64::from(argument) / f64::from(1 << FRACTION_BITS);
            let error =
                f64::from(sigmoid(tanh(argument))) / 32768.0 - 1.0 / (1.0 + (-2.0 * x).exp());
            sigmoid_error = sigmoid_error.max(error.abs());
            let error = f64::from(rounded(tanh(argument))) / 32768.0 - x.tanh();
            tanh_error = tanh_error.max(error.abs());
        }
        (sigmoid_error, tanh_error)
    }

    #[test]
    fn every_argument_is_within_the_stated_error() {
        let (sigmoid, tanh) = largest_errors(LIMIT);
        assert!(sigmoid < 1.3e-4 && tanh < 2.2e-4, "{sigmoid} {tanh}");
        let (sigmoid, tanh) = largest_errors(3 * LIMIT);
        assert!(sigmoid < 3.4e-4 && tanh < 6.8e-4, "{sigmoid} {tanh}");
    }
}
