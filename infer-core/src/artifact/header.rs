//! The header of an artifact: sizes, vocabulary, quantisation, tensors.

use core::fmt;

use heapless::Vec;

#[cfg(feature = "compact")]
use super::flags::COMPACT_FLAG;
use super::flags::IS_COMPACT;
use super::message::Message;
use crate::{Normalisation, Token};

/// Maximum number of prefixes in an artifact.
pub const MAX_PREFIXES: usize = 8;

/// The header of an artifact, in postcard; it is followed by one [`Tensor`] per tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Header<'a> {
    /// Precision of the weights, with the numbers that only this precision needs.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub precision: StoredPrecision<'a>,
    /// L, from 1 to 4.
    pub layers: u8,
    /// H of every layer, from 1 to 1024.
    pub hidden: u16,
    /// How the corpus was normalised.
    pub normalisation: Normalisation,
    /// The characters in the order of their tokens, which is the order of code points.
    pub vocabulary: &'a str,
    /// The token that replaces every character missing from the vocabulary, if there is one.
    pub replacement: Option<Token>,
    /// Example prefixes, normalised.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub prefixes: Vec<&'a str, MAX_PREFIXES>,
}

impl<'a> Header<'a> {
    /// Reads the header at the start of `message`; also returns what follows it. `None` if it is
    /// cut short or isn't a header. The fields' values aren't checked.
    #[must_use]
    pub fn decode(message: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (fields, rest) = Fields::decode(message)?;
        Some((fields.header(), rest))
    }
}

/// The fields of a header, with its prefixes still encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) precision: StoredPrecision<'a>,
    pub(crate) layers: u8,
    pub(crate) hidden: u16,
    pub(crate) normalisation: Normalisation,
    pub(crate) vocabulary: &'a str,
    pub(crate) replacement: Option<Token>,
    prefixes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// See [`Header::decode`].
    pub(crate) fn decode(message: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut message = Message(message);
        let mut fields = Self {
            precision: StoredPrecision::decode(&mut message)?,
            layers: message.u8()?,
            hidden: message.u16()?,
            normalisation: match message.u32()? {
                0 => Normalisation::None,
                1 => Normalisation::LowerCase,
                _ => return None,
            },
            vocabulary: message.str()?,
            replacement: match message.u8()? {
                0 => None,
                1 => Some(message.u16()?),
                _ => return None,
            },
            prefixes: &[],
        };
        let count = message.u32()?;
        fields.prefixes = message.0;
        for _ in 0..count {
            message.str()?;
        }
        // Not before the loop, which would be unrolled.
        if count as usize > MAX_PREFIXES {
            return None;
        }
        fields.prefixes = fields.prefixes.get(..fields.prefixes.len() - message.0.len())?;
        Some((fields, message.0))
    }

    /// The prefixes.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut message = Message(self.prefixes);
        core::iter::from_fn(move || message.str())
    }

    /// The header with these fields.
    pub(crate) fn header(&self) -> Header<'a> {
        let Self { precision, layers, hidden, normalisation, vocabulary, replacement, .. } = *self;
        let prefixes = self.prefixes().collect();
        Header { precision, layers, hidden, normalisation, vocabulary, replacement, prefixes }
    }
}

/// The precision of an artifact's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StoredPrecision<'a> {
    /// One-byte weights, integer arithmetic.
    #[cfg_attr(feature = "serde", serde(borrow))]
    Int8(Quantisation<'a>),
    /// Four-byte weights, floating-point arithmetic.
    F32,
    /// Int8, or less, with something that makes the model smaller.
    #[cfg(feature = "compact")]
    Compact(#[cfg_attr(feature = "serde", serde(borrow))] Quantisation<'a>, Compaction),
}

impl<'a> StoredPrecision<'a> {
    fn decode(message: &mut Message<'a>) -> Option<Self> {
        let variant = message.u32()?;
        if variant == 1 {
            return Some(Self::F32);
        }
        let quantisation = Quantisation {
            nats_per_logit_q32: message.u32()?,
            cell_fraction_bits: message.bytes()?,
        };
        match variant {
            0 => Some(Self::Int8(quantisation)),
            #[cfg(feature = "compact")]
            2 => Some(Self::Compact(quantisation, Compaction::decode(message)?)),
            _ => None,
        }
    }

    /// The numbers needed for integer inference; `None` for f32.
    #[must_use]
    pub const fn quantisation(&self) -> Option<&Quantisation<'a>> {
        match self {
            Self::Int8(quantisation) => Some(quantisation),
            Self::F32 => None,
            #[cfg(feature = "compact")]
            Self::Compact(quantisation, _) => Some(quantisation),
        }
    }

    /// The flags of the prelude of artifacts with this precision.
    #[must_use]
    pub const fn flags(&self) -> u16 {
        match self {
            #[cfg(feature = "compact")]
            Self::Compact(..) => COMPACT_FLAG,
            _ => 0,
        }
    }

    /// What makes the model smaller.
    #[must_use]
    pub const fn compaction(&self) -> Compaction {
        match self {
            #[cfg(feature = "compact")]
            Self::Compact(_, compaction) => *compaction,
            _ => Compaction::NONE,
        }
    }
}

/// What makes an int8 model smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Compaction {
    /// Whether all weights have four bits, other than those of an embedding.
    pub is_int4: bool,
    /// Whether recurrent weights keep only some of their blocks.
    pub is_sparse: bool,
    /// E: the width of the embedding that layer 0 reads, up to 32; 0: its input is one-hot.
    pub embedding: u16,
}

impl Compaction {
    /// Nothing.
    pub const NONE: Self = Self { is_int4: false, is_sparse: false, embedding: 0 };

    #[cfg(feature = "compact")]
    fn decode(message: &mut Message<'_>) -> Option<Self> {
        Some(Self {
            is_int4: message.bool()?,
            is_sparse: message.bool()?,
            embedding: message.u16()?,
        })
    }
}

/// The numbers needed for integer inference, other than each row's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Quantisation<'a> {
    /// The value in nats of a logit of 1, in units of 2⁻³².
    pub nats_per_logit_q32: u32,
    /// `[L]`: fraction bits of each layer's cell states, 12 for Q3.12. Determined by calibration at
    /// export.
    pub cell_fraction_bits: &'a [u8],
}

/// Position of a tensor in the artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tensor {
    /// Which tensor it is.
    pub name: TensorName,
    /// Its layer, from 0; 0 for the output layer.
    pub layer: u8,
    /// Offset in bytes from the start of the artifact; a multiple of 16.
    pub offset: u32,
    /// Length in bytes, without the padding after it.
    pub bytes: u32,
}

impl Tensor {
    /// Reads the entry at the start of `message`; also returns what follows it. `None` if it is cut
    /// short or isn't an entry.
    #[must_use]
    pub fn decode(message: &[u8]) -> Option<(Self, &[u8])> {
        let mut message = Message(message);
        let tensor = Self {
            name: TensorName::numbered(message.u32()?)?,
            layer: message.u8()?,
            offset: message.u32()?,
            bytes: message.u32()?,
        };
        Some((tensor, message.0))
    }
}

/// The tensors of an artifact. They are stored layer by layer, and then those of the output layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TensorName {
    /// Input weights: `[V][H]` groups of four gates in layer 0, or `[H][E/8]` blocks if it reads an
    /// embedding; `[H][H/8]` blocks above.
    WIh,
    /// Recurrent weights: `[H][H/8]` blocks, or `[N]` if only some are kept.
    WHh,
    /// Biases and other constants of the gates: `[H]` records, one per unit.
    GateConstants,
    /// Weights of the output layer: `[V/4][H/8]` blocks.
    WOut,
    /// Bias of the output layer: `[V/4]` groups of four sums.
    BOut,
    /// The embedding that layer 0 reads: `[V][E/8]` groups of eight columns.
    Embedding,
    /// How many blocks of its recurrent weights each unit keeps: `[H]`.
    BlockCounts,
    /// Which ones, unit by unit: `[N]` numbers.
    BlockColumns,
    /// The scale of each row of the output layer's int4 weights: `[V/4]` groups of four.
    OutputMultipliers,
}

impl TensorName {
    /// The tensor with this number in an artifact.
    fn numbered(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::WIh,
            1 => Self::WHh,
            2 => Self::GateConstants,
            3 => Self::WOut,
            4 => Self::BOut,
            5 if IS_COMPACT => Self::Embedding,
            6 if IS_COMPACT => Self::BlockCounts,
            7 if IS_COMPACT => Self::BlockColumns,
            8 if IS_COMPACT => Self::OutputMultipliers,
            _ => return None,
        })
    }
}

impl fmt::Display for TensorName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::WIh => "w_ih",
            Self::WHh => "w_hh",
            Self::GateConstants => "gate_constants",
            Self::WOut => "w_out",
            Self::BOut => "b_out",
            Self::Embedding => "embedding",
            Self::BlockCounts => "block_counts",
            Self::BlockColumns => "block_columns",
            Self::OutputMultipliers => "output_multipliers",
        })
    }
}
