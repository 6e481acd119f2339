//! What a unit's gates need beside their weights, and how large their sums can become.

use bytemuck::{Pod, Zeroable};

use crate::artifact::Compaction;
use crate::layout::{GATES, MAX_HIDDEN, padded};

/// The multiplier of int8 weights of the output layer: 256 / 2¹⁶ cancels the factor of 256 in the
/// sums.
pub(crate) const OUTPUT_MULTIPLIER: i16 = 1 << 8;

/// The constants of a unit's four gates other than their weights, in the order of the gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(16))]
pub struct GateConstants {
    /// Biases, in the unit of a pre-activation.
    pub b: [i32; GATES],
    /// Scales of the input weights: int8 ones in units of 2⁻¹⁷, of a one-hot input in units of
    /// 2⁻¹⁶; int4 ones in units of 2⁻¹³.
    pub multiplier_ih: [i16; GATES],
    /// Scales of the recurrent weights, in units of 2⁻¹⁷ in int8, of 2⁻¹³ in int4.
    pub multiplier_hh: [i16; GATES],
}

/// How many times its multipliers a unit's weights can add to a pre-activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LargestFactors {
    /// Input weights.
    pub input: u32,
    /// Recurrent weights.
    pub recurrent: u32,
}

impl LargestFactors {
    /// The factors in layer `index` with H `hidden`, whatever the weights and hidden states.
    ///
    /// In int8 a product with a hidden state adds at most 128 · 127 · 256 / 2¹⁶ = 63.5 times the
    /// multiplier for each column, which is a whole number for each block of eight; a one-hot input
    /// adds at most 127 times. In int4 a product adds at most 128 · 7 · 4096 / 2¹⁶ = 56 times, and
    /// a one-hot input as much as a column.
    #[must_use]
    pub const fn new(compaction: Compaction, index: usize, hidden: usize) -> Self {
        let twice = if compaction.is_int4 { 112 } else { 127 };
        let hidden = if hidden < MAX_HIDDEN { hidden } else { MAX_HIDDEN };
        let recurrent = twice * padded(hidden) / 2;
        let input = match (index, compaction.embedding as usize) {
            (1.., _) => recurrent,
            (_, 0) if compaction.is_int4 => 56,
            (_, 0) => 127,
            (_, embedding) => twice * padded(embedding) / 2,
        };
        Self { input: input as u32, recurrent: recurrent as u32 }
    }
}

impl GateConstants {
    /// Whether no pre-activation can overflow.
    #[must_use]
    pub fn fits(&self, factors: LargestFactors) -> bool {
        let LargestFactors { input: of_input, recurrent: of_hidden } = factors;
        let multipliers = self.multiplier_ih.iter().zip(&self.multiplier_hh);
        self.b.iter().zip(multipliers).all(|(&b, (&multiplier_ih, &multiplier_hh))| {
            gate_fits(b, multiplier_ih, of_input, multiplier_hh, of_hidden)
        })
    }
}

/// Whether the bias `b` of a gate or a logit, plus each multiplier times its largest factor, fits
/// in an int32.
#[inline(never)] // inlining would copy this code four times
pub(crate) fn gate_fits(
    b: i32,
    multiplier_ih: i16,
    of_input: u32,
    multiplier_hh: i16,
    of_hidden: u32,
) -> bool {
    let magnitude = |multiplier: i16| u32::from(multiplier.unsigned_abs());
    // Neither product reaches 2³¹: |multiplier| ≤ 2¹⁵, and 63.5 · 1024 < 2¹⁶.
    let products = magnitude(multiplier_ih) * of_input + magnitude(multiplier_hh) * of_hidden;
    let room = (i32::MAX as u32).checked_sub(b.unsigned_abs());
    room.is_some_and(|room| products <= room)
}
