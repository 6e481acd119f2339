//! What can be wrong with a safetensors file.

use safetensors::Dtype;

/// Why bytes are not a safetensors file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There are too few bytes for the length of a header.
    #[error("it has {bytes} bytes, too few for safetensors")]
    TooShort {
        /// Bytes there are.
        bytes: usize,
    },
    /// There is no header where it must be.
    #[error(
        "it is not safetensors, or cut short: in Python, \
         safetensors.torch.save_file(model.state_dict(), FILE) writes such files"
    )]
    NoHeader,
    /// The header isn't that of safetensors.
    #[error("its header is damaged: {0}")]
    Header(#[from] serde_json::Error),
    /// There are bytes between two tensors, or two have some in common.
    #[error("{tensor} begins at byte {from} of the data, and must at {expected}")]
    Gap {
        /// The second of them.
        tensor: String,
        /// Where it begins.
        from: usize,
        /// Where the first ends.
        expected: usize,
    },
    /// A tensor's shape doesn't fit its bytes.
    #[error(
        "{tensor} is {dtype} of {shape:?}, which takes {}, but lies in bytes {from} to {to} of the \
         data",
        needed.map_or("more than there can be".into(), |needed| format!("{needed} bytes"))
    )]
    Size {
        /// The tensor.
        tensor: String,
        /// Its type.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<usize>,
        /// The bytes that they take, if these can be counted.
        needed: Option<usize>,
        /// Where it begins.
        from: usize,
        /// Where it ends.
        to: usize,
    },
    /// The file ends within a tensor.
    #[error(
        "the file ends within {tensor}: it has {bytes} bytes of data, and must have {needed} up to \
         there"
    )]
    CutShort {
        /// The tensor.
        tensor: String,
        /// Bytes of data there are.
        bytes: usize,
        /// Where the tensor ends.
        needed: usize,
    },
    /// There are bytes after the last tensor.
    #[error("its last {bytes} bytes belong to no tensor")]
    Surplus {
        /// How many.
        bytes: usize,
    },
}
