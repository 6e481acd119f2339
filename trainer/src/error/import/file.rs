//! Errors about safetensors files.

use safetensors::Dtype;

/// Why bytes are not a safetensors file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file is too short to hold the length of a header.
    #[error("it has only {bytes} bytes, too few for safetensors: copy or save it again")]
    TooShort {
        /// Bytes in the file.
        bytes: usize,
    },
    /// There is no header at the start.
    #[error(
        "it is not safetensors, or it is cut short: write it in Python with \
         safetensors.torch.save_file(model.state_dict(), FILE)"
    )]
    NoHeader,
    /// The header isn't valid.
    #[error("its header is damaged: {0}; copy or save it again")]
    Header(#[from] serde_json::Error),
    /// There are bytes between two tensors, or two tensors overlap.
    #[error(
        "{tensor} begins at byte {from} of the data, but must begin at {expected}: save it again"
    )]
    Gap {
        /// The second tensor.
        tensor: String,
        /// Where it begins.
        from: usize,
        /// Where the first tensor ends.
        expected: usize,
    },
    /// A tensor's shape doesn't match its number of bytes.
    #[error(
        "{tensor} is {dtype} {shape:?}, which needs {}, but it is in bytes {from} to {to} of the \
         data: save it again",
        needed.map_or("too many bytes".into(), |needed| format!("{needed} bytes"))
    )]
    Size {
        /// The tensor.
        tensor: String,
        /// Its type.
        dtype: Dtype,
        /// Its shape.
        shape: Vec<usize>,
        /// The bytes that type and shape need, if the number doesn't overflow.
        needed: Option<usize>,
        /// Where it begins.
        from: usize,
        /// Where it ends.
        to: usize,
    },
    /// The file ends within a tensor.
    #[error(
        "the file ends within {tensor}: it has {bytes} bytes of data, but the tensor ends at byte \
         {needed}; copy or save it again"
    )]
    CutShort {
        /// The tensor.
        tensor: String,
        /// Bytes of data in the file.
        bytes: usize,
        /// Where the tensor ends.
        needed: usize,
    },
    /// There are bytes after the last tensor.
    #[error("its last {bytes} bytes don't belong to any tensor: copy or save it again")]
    Surplus {
        /// How many.
        bytes: usize,
    },
}
