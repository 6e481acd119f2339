//! Files of other frameworks, recognised by their bytes.

use std::fmt;

/// Bytes at the start of a file that are enough to recognise it, if it isn't a ZIP archive.
pub const START_BYTES: u64 = 1 << 16;

/// Bytes at the end of a file, where a ZIP archive has its directory.
pub const END_BYTES: u64 = 1 << 20;

/// The first bytes of the files that `torch.save` wrote before it used ZIP archives: the pickled
/// number `0x1950a86a20f9469cfc6c`.
const TORCH_PICKLE: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// A file format for models other than safetensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// The format of `torch.save`.
    PyTorch,
    /// An `.npz` archive of arrays.
    NumPy,
    /// A Keras 3 model.
    Keras,
    /// An HDF5 file, a format used by Keras.
    Hdf5,
    /// An ONNX model.
    Onnx,
    /// MXNet parameters.
    MxNet,
    /// A TensorFlow Lite model.
    TensorFlowLite,
    /// The format of llama.cpp.
    Gguf,
    /// Any other Python pickle.
    Pickle,
    /// Any other ZIP archive.
    Zip,
    /// A Git LFS pointer to a file that is stored elsewhere.
    LfsPointer,
}

impl fmt::Display for Foreign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::PyTorch => "a PyTorch file",
            Self::NumPy => "an archive of NumPy arrays",
            Self::Keras => "a Keras 3 model",
            Self::Hdf5 => "an HDF5 file, a format used by Keras",
            Self::Onnx => "an ONNX model",
            Self::MxNet => "an MXNet file",
            Self::TensorFlowLite => "a TensorFlow Lite model",
            Self::Gguf => "a GGUF file, llama.cpp's format",
            Self::Pickle => "a Python pickle",
            Self::Zip => "a ZIP archive (not from PyTorch, Keras or NumPy)",
            Self::LfsPointer => "a Git LFS pointer to the file",
        })
    }
}

impl Foreign {
    /// The format of a file of `bytes` bytes that starts with `start` and ends with `end`; nothing
    /// if it is safetensors or unknown. [`START_BYTES`] and [`END_BYTES`] are long enough.
    #[must_use]
    pub fn of(start: &[u8], end: &[u8], bytes: u64) -> Option<Self> {
        let has = |offset: usize, magic: &[u8]| {
            start.get(offset..).is_some_and(|rest| rest.starts_with(magic))
        };
        // The header of safetensors is JSON after its length.
        if has(8, b"{") {
            return None;
        }
        Some(match start {
            _ if has(0, b"PK\x03\x04") => Self::of_archive(end, bytes),
            _ if has(0, TORCH_PICKLE) => Self::PyTorch,
            [0x80, 2..=5, ..] => Self::Pickle,
            _ if has(0, b"\x89HDF\r\n\x1a\n") => Self::Hdf5,
            // The magic number of a list of arrays, and a reserved number.
            _ if has(0, b"\x12\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0") => Self::MxNet,
            _ if has(4, b"TFL3") => Self::TensorFlowLite,
            _ if has(0, b"GGUF") => Self::Gguf,
            _ if has(0, b"version https://git-lfs.github.com/spec/") => Self::LfsPointer,
            _ if is_onnx(start, bytes) => Self::Onnx,
            _ => return None,
        })
    }

    /// The format of a ZIP archive, recognised by the names of the files in it.
    fn of_archive(end: &[u8], bytes: u64) -> Self {
        let names = archive_names(end, bytes).unwrap_or_default();
        let any = |is_such: fn(&[u8]) -> bool| names.iter().any(|name| is_such(name));
        if any(|name| name.ends_with(b"/data.pkl")) {
            Self::PyTorch
        } else if any(|name| name == b"config.json") && any(|name| name == b"model.weights.h5") {
            Self::Keras
        } else if any(|name| name.ends_with(b".npy")) {
            Self::NumPy
        } else {
            Self::Zip
        }
    }
}

/// The names of the files in a ZIP archive of `bytes` bytes that ends with `end`; nothing if `end`
/// doesn't hold the whole directory, or if the archive is ZIP64.
fn archive_names(end: &[u8], bytes: u64) -> Option<Vec<&[u8]>> {
    let number = |from: &[u8], offset: usize, size: usize| {
        let bytes = from.get(offset..offset + size)?;
        Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    };
    let record = end.windows(4).rposition(|bytes| bytes == b"PK\x05\x06")?;
    let directory = number(end.get(record..)?, 16, 4)?;
    let before_end = bytes.checked_sub(end.len() as u64)?;
    let mut rest = end.get(usize::try_from(directory.checked_sub(before_end)?).ok()?..)?;
    let mut names = Vec::new();
    while rest.starts_with(b"PK\x01\x02") {
        let [name, extra, comment] = [28, 30, 32].map(|offset| number(rest, offset, 2));
        let name = usize::try_from(name?).ok()?;
        names.push(rest.get(46..46 + name)?);
        rest = rest.get(46 + name + usize::try_from(extra? + comment?).ok()?..)?;
    }
    Some(names)
}

/// Whether a file of `bytes` bytes starts like ONNX's `ModelProto`: a Protocol Buffers message,
/// which has no magic number, with a version, some strings, and a graph that fits the file.
fn is_onnx(start: &[u8], bytes: u64) -> bool {
    const VARINT: u64 = 0;
    const BYTES: u64 = 2;
    let mut rest = start;
    let mut has_version = false;
    loop {
        let (Some(tag), Some(value)) = (varint(&mut rest), varint(&mut rest)) else { return false };
        match (tag >> 3, tag & 7) {
            // ir_version
            (1, VARINT) if (1..100).contains(&value) => has_version = true,
            // model_version
            (5, VARINT) => {}
            // graph
            (7, BYTES) => {
                let before = (start.len() - rest.len()) as u64;
                return has_version && value > 0 && value <= bytes.saturating_sub(before);
            }
            // producer_name, producer_version, domain, doc_string, opset_import
            (2..=4 | 6 | 8, BYTES) => {
                let text = usize::try_from(value).ok().and_then(|length| rest.get(length..));
                let Some(after) = text else { return false };
                rest = after;
            }
            _ => return false,
        }
    }
}

/// Removes a Protocol Buffers varint from the start of `rest`.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of PyTorch 2.15's exporter, up to the first byte of the graph.
    const ONNX: &[u8] = b"\x08\x0a\x12\x07pytorch\x1a\x0c2.15.0+cu132:\x03\x0a\x01x";

    /// Those parts of a ZIP archive of empty files that hold their names.
    fn archive(names: &[&str]) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(30, 0);
        let directory = bytes.len() as u32;
        for name in names {
            let mut entry = b"PK\x01\x02".to_vec();
            entry.resize(46, 0);
            entry[28..30].copy_from_slice(&(name.len() as u16).to_le_bytes());
            entry[30..32].copy_from_slice(&4_u16.to_le_bytes());
            bytes.extend(entry);
            bytes.extend(name.as_bytes());
            bytes.extend(b"more");
        }
        bytes.extend(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend(directory.to_le_bytes());
        bytes.extend(b"\0\0");
        bytes
    }

    fn known() -> Vec<(Vec<u8>, Foreign)> {
        let head = |bytes: &[u8]| [bytes, &[0; 40]].concat();
        vec![
            (archive(&["lstm/data.pkl", "lstm/byteorder", "lstm/data/0"]), Foreign::PyTorch),
            // TorchScript
            (archive(&["lstm/data/0", "lstm/data.pkl", "lstm/code/lstm.py"]), Foreign::PyTorch),
            (head(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), Foreign::PyTorch),
            (archive(&["weight.npy", "bias.npy"]), Foreign::NumPy),
            (archive(&["metadata.json", "config.json", "model.weights.h5"]), Foreign::Keras),
            (head(b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0"), Foreign::Hdf5),
            (ONNX.to_vec(), Foreign::Onnx),
            (head(b"\x12\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a"), Foreign::MxNet),
            (head(b"\x1c\0\0\0TFL3"), Foreign::TensorFlowLite),
            (head(b"GGUF\x03\0\0\0"), Foreign::Gguf),
            (head(b"\x80\x04\x95"), Foreign::Pickle),
            (archive(&["config.json", "weights.bin"]), Foreign::Zip),
            (head(b"version https://git-lfs.github.com/spec/v1\noid"), Foreign::LfsPointer),
        ]
    }

    fn format(bytes: &[u8]) -> Option<Foreign> {
        Foreign::of(bytes, bytes, bytes.len() as u64)
    }

    #[test]
    fn formats_are_recognised_by_their_bytes() {
        for (bytes, expected) in known() {
            assert_eq!(format(&bytes), Some(expected));
        }
        // The directory is found where only the end of a large archive was read.
        let bytes = archive(&["lstm/data.pkl"]);
        assert_eq!(Foreign::of(&bytes, &bytes[20..], bytes.len() as u64), Some(Foreign::PyTorch));
    }

    #[test]
    fn other_files_are_not_taken_for_a_format() {
        for bytes in [
            &b""[..],
            b"It was long ago.",
            b"{\"epochs\": 3}",
            // safetensors with a header of 274 bytes, and of 0x120a08
            b"\x12\x01\0\0\0\0\0\0{\"lstm\"",
            b"\x08\x0a\x12\0\0\0\0\0{\"lstm\"",
            // TensorFlow's SavedModel: a version, and then the graphs as field 2
            b"\x08\x01\x12\x03\x0a\x01x",
            // a graph larger than the file
            &ONNX[..ONNX.len() - 1],
        ] {
            assert_eq!(format(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn damaged_files_are_read_without_a_panic() {
        for (bytes, _) in known() {
            for length in 0..bytes.len() {
                format(&bytes[..length]);
                for value in [0x00, 0x7f, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[length] = value;
                    format(&changed);
                }
            }
        }
    }
}
