//! The two kinds of weights behind one interface.

use core::fmt::Debug;

use crate::artifact::{Encoding, LayerQuantisation, LoadError};

/// The sizes of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// V: characters.
    pub vocabulary: usize,
    /// H: hidden units of each layer.
    pub hidden: usize,
    /// L: layers.
    pub layers: usize,
}

/// How a model's numbers are kept and computed: [`Int8`](crate::Int8) or [`F32`](crate::F32).
///
/// Sealed: an artifact knows these kinds only.
pub trait Precision: sealed::Arithmetic {}

impl<P: sealed::Arithmetic> Precision for P {}

pub(crate) mod sealed {
    use bytemuck::Pod;

    use super::{Debug, Encoding, LayerQuantisation, LoadError};
    use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, Block, GATES};

    /// A number that a state holds, and that is zero at the start of a text.
    pub trait Zero: Copy + Debug + Default + 'static {
        /// Zero.
        const ZERO: Self;
    }

    /// What the four pre-activations of a unit are made of.
    #[derive(Debug, Clone, Copy)]
    pub struct Gates<S> {
        /// W_ih x.
        pub input: [S; GATES],
        /// W_hh h + b.
        pub recurrent: [S; GATES],
        /// The multipliers of `input`; zeros in f32.
        pub multiplier_ih: [S; GATES],
        /// The multipliers of `recurrent`; zeros in f32.
        pub multiplier_hh: [S; GATES],
    }

    /// The types of a kind of weights, and the arithmetic of one unit.
    pub trait Arithmetic: Copy + Debug + 'static {
        /// A weight.
        type Weight: Pod + Debug;
        /// A sum of products, a bias, a logit.
        type Sum: Pod + Zero;
        /// An element of the hidden state.
        type Hidden: Zero;
        /// An element of the cell state.
        type Cell: Zero;

        /// Whether each row of an LSTM layer has multipliers for its sums.
        const HAS_MULTIPLIERS: bool;

        /// The formats of layer `index`, checked.
        fn formats(encoding: &Encoding, index: usize) -> Result<LayerQuantisation, LoadError>;

        /// Nats that a fixed-point logit of 1 stands for, in units of 2⁻³².
        fn nats_per_logit_q32(encoding: &Encoding) -> u32;

        /// Four rows times one vector: `[4, K]` blocks and `[K]` give `[4]` sums.
        fn dot4(
            blocks: &[Block<Self::Weight>],
            x: &[[Self::Hidden; BLOCK_COLUMNS]],
        ) -> [Self::Sum; BLOCK_ROWS];

        /// The contribution of a one-hot input, as the sum that the input's multiplier expects.
        fn one_hot(weight: Self::Weight) -> Self::Sum;

        /// The sum of two sums.
        fn add(a: Self::Sum, b: Self::Sum) -> Self::Sum;

        /// The cell: from the sums of a unit's gates to its next cell state and hidden state.
        fn cell(
            gates: Gates<Self::Sum>,
            formats: LayerQuantisation,
            c: &mut Self::Cell,
        ) -> Self::Hidden;

        /// `logit` as the integer that the sampler works on.
        fn fixed_point(logit: Self::Sum) -> i32;
    }
}
