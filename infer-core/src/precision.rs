//! The two precisions, with a common interface.

/// How a model's numbers are stored and computed: [`Int8`](crate::Int8) or [`F32`](crate::F32).
///
/// Sealed: artifacts support only these two.
pub trait Precision: sealed::Arithmetic {}

impl<P: sealed::Arithmetic> Precision for P {}

pub(crate) mod sealed {
    use core::fmt::Debug;

    use bytemuck::Pod;

    use crate::artifact::{LoadError, StoredPrecision};
    use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, GATES};

    /// An element of a state; the state is all zeros at the start of a text.
    pub trait Zero: Pod + Debug + Default {
        /// Zero.
        const ZERO: Self;
    }

    /// The types of a precision, and the arithmetic of one unit.
    pub trait Arithmetic: Copy + Debug + 'static {
        /// A weight of a one-hot input.
        type Weight: Pod + Debug;
        /// Four rows by eight columns of a matrix.
        type Block: Pod + Debug;
        /// The constants of a unit's gates other than weights.
        type GateConstants: Pod + Debug;
        /// A pre-activation, a bias of the output layer, a logit.
        type Sum: Zero;
        /// An element of the hidden state, as a unit computes it.
        type Hidden: Zero;
        /// An element of the hidden state, as the products read it.
        type Operand: Zero;
        /// Eight elements of the hidden state, as the products read them.
        type Columns: Zero;
        /// An element of the cell state.
        type Cell: Zero;

        /// The number of fraction bits of each layer's cell states, checked.
        fn cell_fraction_bits<'a>(
            precision: &StoredPrecision<'a>,
            layers: usize,
        ) -> Result<&'a [u8], LoadError>;

        /// The value in nats of a fixed-point logit of 1, in units of 2⁻³².
        fn nats_per_logit_q32(precision: &StoredPrecision<'_>) -> u32;

        /// Whether no pre-activation of a unit can overflow, in layer `index` with H `hidden`.
        fn fits(constants: &Self::GateConstants, index: usize, hidden: usize) -> bool;

        /// Whether no logit with this bias can overflow.
        fn bias_fits(b_out: Self::Sum) -> bool;

        /// Converts eight elements of the hidden state to the form that the products read.
        fn widen(hidden: &[Self::Hidden; BLOCK_COLUMNS], columns: &mut Self::Columns);

        /// The bias plus the one-hot input of a unit's gates.
        fn one_hot(
            constants: &Self::GateConstants,
            weights: &[Self::Weight; GATES],
        ) -> [Self::Sum; GATES];

        /// The bias plus the input of a unit's gates, where the input is the hidden state `x` of
        /// the layer below.
        fn input(
            constants: &Self::GateConstants,
            w_ih: &[Self::Block],
            x: &[Self::Columns],
        ) -> [Self::Sum; GATES];

        /// Adds the recurrent products to `input`, which gives the pre-activations of a unit's
        /// gates.
        fn add_recurrent(
            input: &mut [Self::Sum; GATES],
            constants: &Self::GateConstants,
            w_hh: &[Self::Block],
            h: &[Self::Columns],
        );

        /// Computes a unit's next cell state and hidden state from the pre-activations of its
        /// gates.
        fn cell(
            pre_activations: &[Self::Sum; GATES],
            cell_fraction_bits: u8,
            c: &mut Self::Cell,
        ) -> Self::Hidden;

        /// Four logits: `b_out` plus four rows of the output weights times the hidden state `h`.
        fn logits(
            b_out: [Self::Sum; BLOCK_ROWS],
            w_out: &[Self::Block],
            h: &[Self::Columns],
        ) -> [Self::Sum; BLOCK_ROWS];

        /// Converts `logit` to the integer used by the sampler.
        fn fixed_point(logit: Self::Sum) -> i32;
    }
}
