//! Why an artifact is refused.

use super::TensorName;
use crate::Token;
use crate::layout::ALIGNMENT;

/// Why bytes were not taken as a model.
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
        /// Bytes past the last multiple of 16.
        offset: usize,
    },
    /// The first bytes are not those of an artifact.
    #[error("not a Charcell artifact: it doesn't start with \"CHAR\"")]
    NotAnArtifact,
    /// The artifact was written in a version of the format that this crate doesn't read.
    #[error(
        "the artifact has format version {found}, and {supported} is supported: export it again"
    )]
    Version {
        /// Version of the artifact.
        found: u16,
        /// The version that this crate reads.
        supported: u16,
    },
    /// A flag is set that this version of the format doesn't know.
    #[error("the artifact has unknown flags {flags:#06x}: it was written by a newer Charcell")]
    UnknownFlags {
        /// All flags of the artifact.
        flags: u16,
    },
    /// The bytes end before the artifact does.
    #[error(
        "the artifact is cut short: it needs {needed} bytes, and has {available}; copy or export \
         it again"
    )]
    Truncated {
        /// Bytes that the part read so far asks for.
        needed: usize,
        /// Bytes there are.
        available: usize,
    },
    /// There are bytes after the end of the artifact.
    #[error(
        "the artifact ends at {length} bytes, and {available} were given: cut off the rest, or \
         export it again"
    )]
    TrailingBytes {
        /// Bytes of the artifact.
        length: usize,
        /// Bytes there are.
        available: usize,
    },
    /// The checksum doesn't match: some bit was changed after the export.
    #[error(
        "the artifact is damaged: its checksum is {computed:#010x}, and {stored:#010x} is stored; \
         copy or export it again"
    )]
    Checksum {
        /// CRC-32 that the prelude holds.
        stored: u32,
        /// CRC-32 of the bytes.
        computed: u32,
    },
    /// The header is not a postcard message of the type `Header`.
    #[error("the artifact's header can't be decoded")]
    Header,
    /// The number of layers is 0, or more than this crate holds.
    #[error(
        "the artifact has {layers} layers, and 1 to {} are supported",
        crate::layout::MAX_LAYERS
    )]
    Layers {
        /// Layers in the header.
        layers: u8,
    },
    /// The number of hidden units is 0, or more than this crate holds.
    #[error(
        "the artifact has {hidden} hidden units, and 1 to {} are supported",
        crate::layout::MAX_HIDDEN
    )]
    Hidden {
        /// Hidden units in the header.
        hidden: u16,
    },
    /// The vocabulary is empty, too large, or not in ascending order without repetition.
    #[error("the artifact's vocabulary isn't 1 to 65535 characters in ascending order")]
    Vocabulary,
    /// The replacement for unknown characters isn't one of the vocabulary.
    #[error("the artifact's replacement is token {token}, which its vocabulary lacks")]
    Replacement {
        /// The token in the header.
        token: Token,
    },
    /// A format in the quantisation is out of range, or it isn't for as many layers as there are.
    #[error("the artifact's quantisation is wrong or missing in layer {layer}")]
    Quantisation {
        /// Layer, from 0: the first that is out of range, or has no quantisation or no tensors.
        layer: usize,
    },
    /// The artifact's weights are f32.
    #[error("the artifact's weights are f32, and int8 is asked for: export it with --weights int8")]
    NotInt8,
    /// The artifact's weights are int8.
    #[error("the artifact's weights are int8, and f32 is asked for: export it with --weights f32")]
    NotF32,
    /// A tensor's entry in the header isn't what the model's sizes ask for.
    #[error(
        "tensor {name} of layer {layer} has another offset or size than the model's sizes ask for"
    )]
    Tensor {
        /// The tensor expected there.
        name: TensorName,
        /// Its layer, from 0; 0 for the output layer.
        layer: usize,
    },
    /// Constants are so large that sums could overflow; the trainer writes no such artifact.
    #[error("sums of layer {layer} can overflow: {name} holds numbers that are too large")]
    Overflow {
        /// The tensor that holds the constants.
        name: TensorName,
        /// Its layer, from 0; 0 for the output layer.
        layer: usize,
    },
}
