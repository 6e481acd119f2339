//! The two precisions, with a common interface.

/// How a model's numbers are stored and computed: [`Int8`](crate::Int8) or [`F32`](crate::F32).
///
/// Sealed: artifacts support only these two.
pub trait Precision: sealed::Arithmetic {}

impl<P: sealed::Arithmetic> Precision for P {}

pub(crate) mod sealed {
    use core::fmt::Debug;

    use bytemuck::Pod;

    use crate::artifact::{Format, LoadError, StoredPrecision, Tensors};
    use crate::layout::{BLOCK_COLUMNS, BLOCK_ROWS, GATES};

    /// An element of a state; the state is all zeros at the start of a text.
    pub trait Zero: Pod + Debug + Default {
        /// Zero.
        const ZERO: Self;
    }

    /// The units of a layer that still have to be computed in a step.
    #[derive(Debug)]
    pub struct LayerStep<'s, 'a, P: Arithmetic> {
        /// The groups that the token's one-hot vector picks in layer 0; none above.
        pub(crate) one_hot: P::OneHot<'a>,
        /// The hidden state of the layer below, `[H]`; in layer 0 the embedding, `[E]`, if there is
        /// one.
        pub(crate) below: &'s [P::Columns],
        /// The layer's last hidden state, `[H]`, read by every unit.
        pub(crate) h: &'s [P::Columns],
        /// The cell states, updated in place.
        pub(crate) c: &'s mut [P::Cell],
        /// The next hidden state, written here.
        pub(crate) next_h: &'s mut [P::Hidden],
        pub(crate) cell_fraction_bits: u8,
    }

    /// The matrices of a layer, or of adjacent units of it.
    pub trait Weights<'a, P: Arithmetic>: Copy + Debug {
        /// Splits the matrices of a layer, which has this many `units`, off `tensors`, and returns
        /// those of the units after the first `skipped`.
        fn take(
            tensors: &mut Tensors<'a>,
            format: &Format,
            layer: usize,
            units: usize,
            skipped: usize,
        ) -> Self;

        /// Whether the numbers of the blocks that recurrent weights keep are sound, which kernels
        /// rely on.
        fn has_sound_blocks(&self, _: &Format) -> bool {
            true
        }

        /// How many blocks are kept of the recurrent weights of `unit`, if not all.
        #[cfg(feature = "compact")]
        fn kept_blocks(&self, _unit: usize) -> usize {
            0
        }

        /// Computes the next units of `layer`, which have these `constants`.
        fn step(self, constants: &[P::GateConstants], layer: &mut LayerStep<'_, '_, P>);
    }

    /// The output layer.
    pub trait Output<'a, P: Arithmetic>: Copy + Debug {
        /// The output layer with these `tensors`, after which nothing follows.
        fn take(tensors: Tensors<'a>, format: &Format) -> Self;

        /// Whether no logit can overflow.
        fn fits(&self, format: &Format) -> bool;

        /// Computes `logits` `[V]` from the last layer's hidden state `h` `[H]`, padded.
        fn logits(&self, h: &[P::Columns], logits: &mut [P::Sum]);
    }

    /// The types of a precision, and the arithmetic of one unit.
    pub trait Arithmetic: Copy + Debug + 'static {
        /// A weight of a one-hot input.
        type Weight: Pod + Debug;
        /// Four rows by eight columns of a matrix.
        type Block: Pod + Debug;
        /// The weights that a one-hot vector picks, a group of four gates for each unit; none if
        /// the input isn't one-hot.
        type OneHot<'a>: Copy + Debug + Default;
        /// The matrices of a layer.
        type Weights<'a>: Weights<'a, Self>;
        /// The output layer.
        type Output<'a>: Output<'a, Self>;
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

        /// Whether no pre-activation of the units with these `constants` in layer `index` can
        /// overflow.
        fn fit(constants: &[Self::GateConstants], format: &Format, index: usize) -> bool;

        /// Whether no logit with this bias can overflow.
        fn bias_fits(b_out: Self::Sum) -> bool;

        /// The weights that the one-hot vector of `token` picks from the `tensors` of a model; none
        /// if there is an embedding.
        fn one_hot_input<'a>(
            tensors: Tensors<'a>,
            format: &Format,
            token: usize,
        ) -> Self::OneHot<'a>;

        /// The embedding of `token` in the `tensors` of a model, in blocks of columns.
        #[cfg(feature = "compact")]
        fn embedding<'a>(
            _: Tensors<'a>,
            _: &Format,
            _token: usize,
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
        /// the layer below or an embedding.
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
