//! The one definition of how the model's tensors lie in memory, shared by trainer, shaders,
//! artifact and device.
//!
//! Letters, used in every shape of the project: **B** batch, **T** steps, **V** vocabulary,
//! **H** hidden units of a layer, **L** layers. All tensors are row-major.
//!
//! | parameter | shape in training | what it is |
//! |---|---|---|
//! | `w_ih` | `[V, 4H]` in layer 0, `[H, 4H]` above | input weights; a one-hot input picks a row |
//! | `w_hh` | `[H, 4H]` | recurrent weights |
//! | `b` | `[4H]` | bias of each gate |
//! | `w_out` | `[H, V]` | weights of the output layer |
//! | `b_out` | `[V]` | bias of the output layer |
//!
//! The `4H` columns hold the gates one after the other, in the order of [`Gate`]; see
//! [`gate_column`]. In an artifact, where one unit is computed at a time, the four gates of a unit
//! lie together: see [`PairBlock`].

use bytemuck::{Pod, Zeroable};

/// Gates of a unit.
pub const GATES: usize = 4;

/// Columns of a block, and the multiple to which the rows of an artifact's matrices are padded.
pub const BLOCK_COLUMNS: usize = 8;

/// Rows of a block: the gates of one unit, or four characters of the output layer.
pub const BLOCK_ROWS: usize = 4;

/// Alignment in bytes of an artifact and of every tensor in it.
pub const ALIGNMENT: usize = 16;

/// The most layers that a model can have.
pub const MAX_LAYERS: usize = 4;

/// The most hidden units that a layer can have.
pub const MAX_HIDDEN: usize = 1024;

/// The most characters that a vocabulary can hold.
pub const MAX_VOCABULARY: usize = 65_535;

/// The gates in the order in which every tensor holds them: that of PyTorch's `nn.LSTM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Gate {
    /// `i`: how much of the candidate enters the cell state.
    Input = 0,
    /// `f`: how much of the cell state is kept.
    Forget = 1,
    /// `g`: the candidate cell state, the chapter's C̃.
    Candidate = 2,
    /// `o`: how much of the cell state is shown as hidden state.
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
    // `next_multiple_of` asks whether there is a remainder, which takes more code.
    (columns + (BLOCK_COLUMNS - 1)) & !(BLOCK_COLUMNS - 1)
}

/// An element of a hidden state as the kernels read it: an int16, of which two are a word.
#[cfg(not(armv6m))]
pub type Operand = i16;

/// An element of a hidden state as the kernels read it: a word, as ARMv6-M takes two instructions
/// to extend the sign of a half of one.
#[cfg(armv6m)]
pub type Operand = i32;

/// Eight elements of a hidden state, aligned to be loaded as words or as one vector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(16))]
pub struct Columns(pub [Operand; BLOCK_COLUMNS]);

/// Four rows by eight columns of a matrix of int8 in ±127, whose weights lie together as [`pair`]s
/// of two rows: `[4][2][2]`, two columns by two columns, first those of rows 0 and 1, then those of
/// rows 2 and 3. So a word has two columns of two rows, and two words all of two columns.
///
/// So one product of an int16 counts for two rows: with h the vector, S = Σ pair · h and
/// W₁ = Σ w₁ · h, where w₁ is a pair's low byte, the second row's sum is (S − W₁) / 256. Cores
/// that multiply two int16 at once need no other unpacking than that of the low byte.
///
/// A matrix of R rows and K columns is stored as `[R / 4][K / 8]` blocks, R and K padded with
/// zeros. In `w_ih` and `w_hh` the four rows are the [`Gate`]s of one unit: i and f, g and o.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(16))]
pub struct PairBlock(pub [[[i16; 2]; BLOCK_ROWS / 2]; BLOCK_COLUMNS / 2]);

/// Two weights of one column in ±127, 256 · w₂ + w₁: the low byte is w₁ as it was.
#[must_use]
pub const fn pair(w1: i8, w2: i8) -> i16 {
    // Within ±127 no sum overflows: 127 · 257 is 32,639.
    (256 * w2 as i16).wrapping_add(w1 as i16)
}

/// Four rows by eight columns of a matrix of f32, row by row, in the order of [`PairBlock`]s.
pub type F32Block = [[f32; BLOCK_COLUMNS]; BLOCK_ROWS];
