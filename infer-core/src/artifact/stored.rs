//! What the reader knows of a kind of weights.

use core::fmt::Debug;

use bytemuck::Pod;

use super::{Encoding, LoadError};

/// A kind of weights as an artifact stores it: the elements of its tensors, and what its header
/// says of them.
pub trait Stored: Copy + Debug + 'static {
    /// A weight of an input that is a token.
    type Weight: Pod + Debug;
    /// Four rows by eight columns of a matrix.
    type Block: Pod + Debug;
    /// What is constant in the gates of a unit beside their weights.
    type GateConstants: Pod + Debug;
    /// A bias of the output layer; also a pre-activation, and a logit.
    type Sum: Pod + Debug;

    /// The fraction bits of each layer's cell states, checked.
    ///
    /// # Errors
    /// [`LoadError`] if the weights are of another kind, or there are none for a layer.
    fn cell_fraction_bits<'a>(
        encoding: &Encoding<'a>,
        layers: usize,
    ) -> Result<&'a [u8], LoadError>;

    /// Nats that a fixed-point logit of 1 stands for, in units of 2⁻³².
    fn nats_per_logit_q32(encoding: &Encoding<'_>) -> u32;
}
