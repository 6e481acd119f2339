//! Why an artifact is refused.

use super::TensorName;
use crate::Token;
use crate::layout::ALIGNMENT;

/// Why bytes were refused as a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes don't start at a multiple of 16.
    #[error(
        "the artifact starts {offset} bytes past a multiple of {ALIGNMENT}: align it, \
         for example with include_model!"
    )]
    Misaligned {
        /// Number of bytes past the last multiple of 16.
        offset: usize,
    },
    /// The first bytes are not the magic number of an artifact.
    #[error("not a Charcell artifact: it doesn't start with \"CHAR\"")]
    NotAnArtifact,
    /// The artifact's format version isn't supported by this crate.
    #[error(
        "the artifact has format version {found}, but {supported} is supported: export it again"
    )]
    Version {
        /// Format version of the artifact.
        found: u16,
        /// The version that this crate reads.
        supported: u16,
    },
    /// A flag is set that this build doesn't know: without the feature `compact`, it doesn't read
    /// artifacts with weights of four bits, kept blocks, or an embedding.
    #[error(
        "the artifact has unknown flags {flags:#06x}: it needs the feature `compact` of \
         infer-core, or a newer Charcell"
    )]
    UnknownFlags {
        /// All flags of the artifact.
        flags: u16,
    },
    /// The bytes end before the artifact does.
    #[error(
        "the artifact is cut short: it needs {needed} bytes, but has {available}; copy or export \
         it again"
    )]
    Truncated {
        /// Number of bytes needed by the part read so far.
        needed: usize,
        /// Number of bytes given.
        available: usize,
    },
    /// There are bytes after the end of the artifact.
    #[error(
        "the artifact ends at {length} bytes, but {available} were given: cut off the rest, or \
         export it again"
    )]
    TrailingBytes {
        /// Length of the artifact in bytes.
        length: usize,
        /// Number of bytes given.
        available: usize,
    },
    /// The checksum doesn't match: the artifact was changed after the export.
    #[error(
        "the artifact is damaged: its checksum is {computed:#010x}, but {stored:#010x} is stored; \
         copy or export it again"
    )]
    Checksum {
        /// CRC-32 stored in the prelude.
        stored: u32,
        /// CRC-32 computed from the bytes.
        computed: u32,
    },
    /// The header is not a postcard message of the type `Header`.
    #[error("the artifact's header can't be decoded")]
    Header,
    /// The number of layers is 0 or above this crate's limit.
    #[error(
        "the artifact has {layers} layers, but 1 to {} are supported",
        crate::layout::MAX_LAYERS
    )]
    Layers {
        /// Layers in the header.
        layers: u8,
    },
    /// The number of hidden units is 0 or above this crate's limit.
    #[error(
        "the artifact has {hidden} hidden units, but 1 to {} are supported",
        crate::layout::MAX_HIDDEN
    )]
    Hidden {
        /// Hidden units in the header.
        hidden: u16,
    },
    /// The vocabulary is empty, too large, not in ascending order, or contains a character twice.
    #[error("the artifact's vocabulary isn't 1 to 65535 characters in ascending order")]
    Vocabulary,
    /// The replacement for unknown characters isn't in the vocabulary.
    #[error("the artifact's replacement is token {token}, which isn't in its vocabulary")]
    Replacement {
        /// The token in the header.
        token: Token,
    },
    /// A format in the quantisation is out of range, or the number of layers is wrong.
    #[error("the artifact's quantisation is wrong or missing in layer {layer}")]
    Quantisation {
        /// The first layer, from 0, whose format is out of range or that has no quantisation or no
        /// tensors.
        layer: usize,
    },
    /// The embedding is wider than this crate's limit.
    #[error(
        "the artifact has an embedding of {embedding} numbers, but up to {} are supported",
        crate::layout::MAX_EMBEDDING
    )]
    #[cfg(feature = "compact")]
    Embedding {
        /// Its width in the header.
        embedding: u16,
    },
    /// The numbers of the kept blocks don't match their counts, aren't in ascending order, or are
    /// too large.
    #[error("the kept blocks of layer {layer} have the wrong number, order or columns")]
    Blocks {
        /// The layer, from 0.
        layer: usize,
    },
    /// The artifact's weights are f32.
    #[error(
        "the artifact's weights are f32, but int8 was requested: export it with --weights int8"
    )]
    NotInt8,
    /// The artifact's weights are integers.
    #[error("the artifact's weights are integers, not f32: export it with --weights f32")]
    NotF32,
    /// A tensor's entry in the header doesn't match the model's sizes.
    #[error("the offset or size of tensor {name} of layer {layer} doesn't match the model's sizes")]
    Tensor {
        /// The tensor expected there.
        name: TensorName,
        /// Its layer, from 0; 0 for the output layer.
        layer: usize,
    },
    /// Constants are so large that sums could overflow. The trainer writes no such artifact.
    #[error("sums of layer {layer} can overflow: {name} contains numbers that are too large")]
    Overflow {
        /// The tensor that holds the constants.
        name: TensorName,
        /// Its layer, from 0; 0 for the output layer.
        layer: usize,
    },
}
