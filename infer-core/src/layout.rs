//! How the model's tensors are laid out in memory, defined once for trainer, shaders, artifact and
//! device.
//!
//! Letters used in the shapes of all crates: **B** batch, **T** steps, **V** vocabulary, **H**
//! hidden units of a layer, **L** layers. All tensors are row-major.
//!
//! | parameter | shape in training | meaning |
//! |---|---|---|
//! | `w_ih` | `[V, 4H]` in layer 0, `[H, 4H]` above | input weights; a one-hot input picks a row |
//! | `w_hh` | `[H, 4H]` | recurrent weights |
//! | `b` | `[4H]` | bias of each gate |
//! | `w_out` | `[H, V]` | weights of the output layer |
//! | `b_out` | `[V]` | bias of the output layer |
//!
//! The `4H` columns hold one gate after the other, in the order of [`Gate`]; see [`gate_column`].
//! In an artifact, where one unit is computed at a time, the four gates of a unit are adjacent; see
//! [`PairBlock`].

use bytemuck::{Pod, Zeroable};

/// Number of gates in a unit.
pub const GATES: usize = 4;

/// Columns of a block. The rows of an artifact's matrices are padded to a multiple of this.
pub const BLOCK_COLUMNS: usize = 8;

/// Rows of a block: the gates of one unit, or four characters of the output layer.
pub const BLOCK_ROWS: usize = 4;

/// Alignment in bytes of an artifact and of every tensor in it.
pub const ALIGNMENT: usize = 16;

/// Maximum number of layers in a model.
pub const MAX_LAYERS: usize = 4;

/// Maximum number of hidden units in a layer.
pub const MAX_HIDDEN: usize = 1024;

/// Maximum width of an embedding that a device reads.
pub const MAX_EMBEDDING: usize = 32;

/// Maximum number of characters in a vocabulary.
pub const MAX_VOCABULARY: usize = 65_535;

/// The gates, in the order used by every tensor, which is also that of PyTorch's `nn.LSTM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Gate {
    /// `i`: how much of the candidate enters the cell state.
    Input = 0,
    /// `f`: how much of the cell state is kept.
    Forget = 1,
    /// `g`: the candidate cell state, the chapter's C̃.
    Candidate = 2,
    /// `o`: how much of the cell state appears in the hidden state.
    Output = 3,
}

/// Column of `gate` of `unit` in a training tensor with `4H` columns.
#[must_use]
pub const fn gate_column(gate: Gate, unit: usize, hidden: usize) -> usize {
    gate as usize * hidden + unit
}

/// `columns` rounded up to whole blocks.
#[must_use]
pub const fn padded(columns: usize) -> usize {
    // `next_multiple_of` checks for a remainder, which needs more code.
    (columns + (BLOCK_COLUMNS - 1)) & !(BLOCK_COLUMNS - 1)
}

/// An element of a hidden state as the kernels read it: an int16, two to a word.
#[cfg(not(armv6m))]
pub type Operand = i16;

/// An element of a hidden state as the kernels read it: a word, because sign-extending half a word
/// needs two instructions on ARMv6-M.
#[cfg(armv6m)]
pub type Operand = i32;

/// Eight elements of a hidden state, aligned so that they can be loaded as words or as one vector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(16))]
pub struct Columns(pub [Operand; BLOCK_COLUMNS]);

/// Four rows by eight columns of an int8 matrix with values in ±127, stored as [`pair`]s of rows:
/// `[4][2][2]`, two columns at a time, first rows 0 and 1, then rows 2 and 3. One word holds two
/// columns of two rows; two words hold two columns of all four rows.
///
/// One product with an int16 therefore counts for two rows. With h the vector, S = Σ pair · h and
/// W₁ = Σ w₁ · h, where w₁ is a pair's low byte, the second row's sum is (S − W₁) / 256. Cores that
/// multiply two int16 at once only have to unpack the low bytes.
///
/// A matrix of R rows and K columns is stored as `[R / 4][K / 8]` blocks, with R and K zero-padded.
/// In `w_ih` and `w_hh` the four rows are the [`Gate`]s of one unit: i and f, g and o.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(16))]
pub struct PairBlock(pub [[[i16; 2]; BLOCK_ROWS / 2]; BLOCK_COLUMNS / 2]);

/// Two weights of one column in ±127, combined as 256 · w₂ + w₁; the low byte is w₁ unchanged.
#[must_use]
pub const fn pair(w1: i8, w2: i8) -> i16 {
    // Within ±127 this can't overflow: 127 · 257 is 32,639.
    (256 * w2 as i16).wrapping_add(w1 as i16)
}

/// Four rows by eight columns of an int4 matrix with values in ±7, in four words. Word k holds two
/// columns: 2k in its upper half, 2k + 1 in its lower half. In a half, row r is the nibble at bit
/// 4r: the first three rows are stored as w + 8, the last one in two's complement.
///
/// Cores that multiply two int16 at once mask the nibbles of a row, without shifting them. The
/// product with the whole word is the sum of all rows, times 1, 16, 256 and 4096, and so gives the
/// last row. The excess of 8 is taken off with the sum of the hidden states.
///
/// For the other cores, (word >> 4r) & 0x000f_000f is one row's weights of two columns; of the last
/// row, after its sign bits are flipped, so that it has the same excess. The upper half of its
/// product with h₂ₖ + h₂ₖ₊₁ · 2¹⁶ is the sum of both columns' products, because the columns are the
/// other way round: one multiplication counts for two. The lower half isn't needed. For 16 columns,
/// neither half overflows: 15 · 128 · 16 < 2¹⁵.
///
/// A word of zeros is 0x0888_0888. Blocks are ordered as in [`PairBlock`], but rows may keep only
/// some of them: see [`BlockColumns`](crate::BlockColumns).
#[cfg(feature = "compact")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(16))]
pub struct NibbleBlock(pub [u32; BLOCK_COLUMNS / 2]);

#[cfg(feature = "compact")]
impl NibbleBlock {
    /// What is added to the weights of all rows but the last one, so that they aren't negative.
    pub const EXCESS: i32 = 8;

    /// The block with these `weights`, of which only the lower four bits count: −8 … 7.
    #[must_use]
    pub fn new(weights: &[[i8; BLOCK_COLUMNS]; BLOCK_ROWS]) -> Self {
        let mut words = [0; BLOCK_COLUMNS / 2];
        for (row, weights) in (0..).zip(weights) {
            let excess = if row + 1 < BLOCK_ROWS { Self::EXCESS } else { 0 };
            for (word, &[upper, lower]) in words.iter_mut().zip(weights.as_chunks::<2>().0) {
                let [upper, lower] = [upper, lower].map(|w| (i32::from(w) + excess) as u32 & 0xf);
                *word |= (upper << 16 | lower) << (4 * row);
            }
        }
        Self(words)
    }
}

/// Four rows by eight columns of an f32 matrix, row by row; the blocks are ordered as in
/// [`PairBlock`].
pub type F32Block = [[f32; BLOCK_COLUMNS]; BLOCK_ROWS];

#[cfg(all(test, feature = "compact"))]
mod tests {
    use super::*;

    #[test]
    fn nibbles_are_where_the_layout_says() {
        let mut weights = [[0; BLOCK_COLUMNS]; BLOCK_ROWS];
        assert_eq!(NibbleBlock::new(&weights), NibbleBlock([0x0888_0888; 4]));
        for (row, weights) in (0..).zip(&mut weights) {
            weights[2] = [-7, -1, 1, -7][row];
            weights[7] = 7;
        }
        let expected = NibbleBlock([0x0888_0888, 0x9971_0888, 0x0888_0888, 0x0888_7fff]);
        assert_eq!(NibbleBlock::new(&weights), expected);
    }
}
