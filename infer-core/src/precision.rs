//! The two kinds of weights behind one interface.

use core::fmt::Debug;

use crate::Token;
use crate::artifact::{Encoding, LoadError, TensorReader};

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
    use super::{Debug, Dimensions, Encoding, LoadError, TensorReader, Token};

    /// A number that a state holds, and that is zero at the start of a text.
    pub trait Zero: Copy + Debug + 'static {
        /// Zero.
        const ZERO: Self;
    }

    /// What a layer takes in at a step.
    #[derive(Debug, Clone, Copy)]
    pub enum Input<'x, H> {
        /// Layer 0: a token, whose one-hot vector picks a row of the input weights.
        Token(Token),
        /// The layers above: the hidden state of the layer below, `[H]` padded.
        Below(&'x [H]),
    }

    /// The types and the computations of a kind of weights.
    pub trait Arithmetic: Copy + Debug + 'static {
        /// An element of the hidden state.
        type Hidden: Zero;
        /// An element of the cell state.
        type Cell: Zero;
        /// An unnormalised log probability.
        type Logit: Zero;
        /// The tensors of an LSTM layer, borrowed from the artifact.
        type Layer<'a>: Debug + Clone + Default;
        /// The tensors of the output layer, borrowed from the artifact.
        type Output<'a>: Debug + Clone;

        /// Takes the tensors of layer `index` from `reader`.
        fn read_layer<'a>(
            reader: &mut TensorReader<'a>,
            encoding: &Encoding,
            dimensions: Dimensions,
            index: usize,
        ) -> Result<Self::Layer<'a>, LoadError>;

        /// Takes the tensors of the output layer from `reader`.
        fn read_output<'a>(
            reader: &mut TensorReader<'a>,
            encoding: &Encoding,
            dimensions: Dimensions,
        ) -> Result<Self::Output<'a>, LoadError>;

        /// One step of a layer: replaces the cell state `c`, and writes the next hidden state
        /// beside the last one, `h`, which every unit still needs. All are `[H]`, padded.
        fn step(
            layer: &Self::Layer<'_>,
            input: Input<'_, Self::Hidden>,
            h: &[Self::Hidden],
            c: &mut [Self::Cell],
            next_h: &mut [Self::Hidden],
        );

        /// The output layer: `h` `[H]`, padded, to `logits` `[V]`.
        fn logits(output: &Self::Output<'_>, h: &[Self::Hidden], logits: &mut [Self::Logit]);

        /// `logit` as the integer that the sampler works on.
        fn fixed_point(logit: Self::Logit) -> i32;

        /// Nats that a fixed-point logit of 1 stands for, in units of 2⁻³².
        fn nats_per_logit_q32(output: &Self::Output<'_>) -> u32;
    }
}
