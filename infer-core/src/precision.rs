//! The two precisions, with a common interface.

/// How a model's numbers are stored and computed: [`Int8`](crate::Int8) or [`F32`](crate::F32).
///
/// Sealed: artifacts support only these two.
pub trait Precision: sealed::Arithmetic {}

impl<P: sealed::Arithmetic> Precision for P {}

pub(crate) mod sealed {
    use core::fmt::Debug;

    use bytemuck::Pod;

    use crate::artifact::{Format, LoadError, StoredPrecision, TensorName, Tensors};
    use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, GATES};

    /// An element of a state; the state is all zeros at the start of a text.
    pub trait Zero: Pod + Debug + Default {
        /// Zero.
        const ZERO: Self;
    }

    /// The rows of a matrix that haven't been multiplied yet. They are taken four at a time.
    pub trait Rows<'a>: Copy + Debug {
        /// Splits the matrix `name` of a layer off `tensors`, which has four rows for each of these
        /// `units`, and returns the rows after those of the first `skipped` units.
        fn take(
            tensors: &mut Tensors<'a>,
            format: &Format,
            matrix: (TensorName, usize),
            units: usize,
            skipped: usize,
        ) -> Self;

        /// Checks which blocks the rows of all `units` of this `layer` keep.
        fn check_blocks(&self, _units: usize, _layer: usize) -> Result<(), LoadError> {
            Ok(())
        }

        /// How many blocks the rows of `unit` keep, if it isn't all.
        fn kept(&self, _unit: usize) -> usize {
            0
        }
    }

    /// What layer 0 gets for each character of the vocabulary.
    pub trait Inputs<'a>: Copy + Debug {
        /// The weights of a one-hot input, a group of four gates for each unit.
        type OneHot: Iterator + Default + Debug;

        /// Splits the inputs off the `tensors` of a model, of which they are the first.
        fn take(tensors: &mut Tensors<'a>, format: &Format) -> Self;

        /// The weights that the one-hot vector of `token` picks; none if there is an embedding.
        fn one_hot(self, token: usize, hidden: usize) -> Self::OneHot;
    }

    /// The weights of a one-hot input in precision `P`.
    pub(crate) type OneHot<'a, P> = <<P as Arithmetic>::Inputs<'a> as Inputs<'a>>::OneHot;

    /// The types of a precision, and the arithmetic of one unit.
    pub trait Arithmetic: Copy + Debug + 'static {
        /// A weight of a one-hot input.
        type Weight: Pod + Debug;
        /// Four rows by eight columns of a matrix.
        type Block: Pod + Debug;
        /// What layer 0 gets for each character.
        type Inputs<'a>: Inputs<'a, OneHot: Iterator<Item = [Self::Weight; GATES]>>;
        /// The rows of a layer's matrix.
        type Rows<'a>: Rows<'a>;
        /// The rows of the output layer, with what scales them.
        type OutputRows<'a>: Rows<'a>;
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

        /// Whether no pre-activation of a unit in layer `index` can overflow.
        fn fits(constants: &Self::GateConstants, format: &Format, index: usize) -> bool;

        /// Whether no logit with these biases can overflow.
        fn logits_fit(
            b_out: &[[Self::Sum; BLOCK_ROWS]],
            w_out: &Self::OutputRows<'_>,
            format: &Format,
        ) -> bool;

        /// The embedding of `token`, in blocks of columns; empty if the input is one-hot.
        fn embedding<'a>(
            _: &Self::Inputs<'a>,
            _token: usize,
            _: &Format,
        ) -> &'a [[Self::Hidden; BLOCK_COLUMNS]] {
            &[]
        }

        /// Converts eight elements of the hidden state to the form that the products read.
        fn widen(hidden: &[Self::Hidden; BLOCK_COLUMNS], columns: &mut Self::Columns);

        /// The bias plus the one-hot input of a unit's gates.
        fn one_hot(
            constants: &Self::GateConstants,
            weights: &[Self::Weight; GATES],
        ) -> [Self::Sum; GATES];

        /// The bias plus the input of a unit's gates, where the input is `x`, the hidden state of
        /// the layer below or an embedding, and the weights are the next rows of `w_ih`.
        fn input(
            constants: &Self::GateConstants,
            w_ih: &mut Self::Rows<'_>,
            x: &[Self::Columns],
        ) -> [Self::Sum; GATES];

        /// Adds the recurrent products to `input`, which gives the pre-activations of a unit's
        /// gates. The weights are the next rows of `w_hh`.
        fn add_recurrent(
            input: &mut [Self::Sum; GATES],
            constants: &Self::GateConstants,
            w_hh: &mut Self::Rows<'_>,
            h: &[Self::Columns],
        );

        /// Computes a unit's next cell state and hidden state from the pre-activations of its
        /// gates.
        fn cell(
            pre_activations: &[Self::Sum; GATES],
            cell_fraction_bits: u8,
            c: &mut Self::Cell,
        ) -> Self::Hidden;

        /// Four logits: `b_out` plus the next four rows of the output weights times the hidden
        /// state `h`.
        fn logits(
            b_out: [Self::Sum; BLOCK_ROWS],
            w_out: &mut Self::OutputRows<'_>,
            h: &[Self::Columns],
        ) -> [Self::Sum; BLOCK_ROWS];

        /// Converts `logit` to the integer used by the sampler.
        fn fixed_point(logit: Self::Sum) -> i32;
    }
}
