//! Files of other frameworks, known by their bytes, and the line that converts each of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::{Error, shell_word};

/// What is read of a file's start: all formats but ZIP archives are known by it.
const START_BYTES: u64 = 1 << 16;

/// What is read of a file's end, where a ZIP archive has its directory.
const END_BYTES: u64 = 1 << 20;

/// The first bytes of what `torch.save` wrote before it wrote ZIP archives: the pickled number
/// `0x1950a86a20f9469cfc6c`.
const TORCH_PICKLE: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// A kind of file that people have models in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    PyTorch,
    NumPy,
    Keras,
    Hdf5,
    Onnx,
    MxNet,
    TensorFlowLite,
    Gguf,
    Pickle,
    Zip,
    LfsPointer,
}

/// Refuses a file of another framework, or what else is known and no safetensors, with the line
/// that converts it; nothing is said of a file that can't be read.
///
/// # Errors
/// [`Error::Import`].
pub fn check_format(file: &Path) -> Result<(), Error> {
    let ends = read_ends(file).ok();
    match ends.and_then(|(start, end, bytes)| Format::of(&start, &end, bytes)) {
        Some(format) => Err(Error::Import { path: file.into(), reason: format.refusal(file) }),
        None => Ok(()),
    }
}

/// The first and the last bytes of a file, and how many there are in all.
fn read_ends(file: &Path) -> io::Result<(Vec<u8>, Vec<u8>, u64)> {
    let mut file = File::open(file)?;
    let bytes = file.metadata()?.len();
    let (mut start, mut end) = (Vec::new(), Vec::new());
    file.by_ref().take(START_BYTES).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(bytes.saturating_sub(END_BYTES)))?;
    file.take(END_BYTES).read_to_end(&mut end)?;
    Ok((start, end, bytes))
}

impl Format {
    /// The format of a file of `bytes` bytes that starts with `start` and ends with `end`.
    fn of(start: &[u8], end: &[u8], bytes: u64) -> Option<Self> {
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
            // A list of arrays: its magic number, and a reserved one.
            _ if has(0, b"\x12\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0") => Self::MxNet,
            _ if has(4, b"TFL3") => Self::TensorFlowLite,
            _ if has(0, b"GGUF") => Self::Gguf,
            _ if has(0, b"version https://git-lfs.github.com/spec/") => Self::LfsPointer,
            _ if is_onnx(start, bytes) => Self::Onnx,
            _ => return None,
        })
    }

    /// The format of a ZIP archive, by the names of the files in it.
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

    fn refusal(self, file: &Path) -> String {
        let word = |path: &Path| shell_word(&path.to_string_lossy());
        let line = |script: &str, packages: &str, input: &str| {
            let out = word(&file.with_extension("safetensors"));
            format!(
                "in a copy of Charcell's repository, by\n  pip install {packages} safetensors\n  \
                 python interop/{script} {input} {out}"
            )
        };
        let convert = |what: &str, script: &str, packages: &str| {
            let line = line(script, packages, &word(file));
            format!("it is {what}, not safetensors; convert it {line}")
        };
        let convert_original = |what: &str, script: &str, packages: &str, input: &str| {
            let line = line(script, packages, input);
            format!("it is {what}, made from another file; convert that one instead {line}")
        };
        match self {
            Self::PyTorch => convert("a file of PyTorch", "from_pytorch.py", "torch"),
            Self::NumPy => convert("an archive of NumPy arrays", "from_numpy.py", "numpy"),
            Self::Keras => convert("a model of Keras 3", "from_keras.py", "keras jax"),
            Self::Hdf5 => {
                convert("an HDF5 file, as Keras writes them", "from_keras.py", "keras jax")
            }
            Self::Onnx => convert("an ONNX model", "from_onnx.py", "onnx"),
            Self::MxNet => convert("a file of MXNet", "from_mxnet.py", "numpy"),
            Self::TensorFlowLite => convert_original(
                "a model of TensorFlow Lite",
                "from_keras.py",
                "keras jax",
                "ORIGINAL.keras",
            ),
            Self::Gguf => convert_original(
                "a GGUF file, llama.cpp's format",
                "from_pytorch.py",
                "torch",
                "ORIGINAL.pt",
            ),
            Self::Pickle => {
                "it is a Python pickle; in the program that wrote it, save the tensors \
                             by safetensors.numpy.save_file instead"
                    .into()
            }
            Self::Zip => "it is a ZIP archive, and none of PyTorch's, Keras's or NumPy's: unpack \
                          it, and import the file in it"
                .into(),
            Self::LfsPointer => "it is a pointer of Git LFS, not the file itself: `git lfs pull` \
                                 in its repository brings that"
                .into(),
        }
    }
}

/// The names of the files in a ZIP archive of `bytes` bytes that ends with `end`. Nothing if its
/// directory isn't all there, or of the form for more than 4 GB.
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

/// Whether a file of `bytes` bytes starts as ONNX's `ModelProto` does: a message of Protocol
/// Buffers, which has no magic number, with a version, some texts, and a graph that fits the file.
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

/// Takes a number of Protocol Buffers off the start of `rest`.
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

    /// What PyTorch 2.15's exporter wrote, up to the first byte of the graph.
    const ONNX: &[u8] = b"\x08\x0a\x12\x07pytorch\x1a\x0c2.15.0+cu132:\x03\x0a\x01x";

    /// The parts of a ZIP archive of empty files that its names are found by.
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

    fn known() -> Vec<(Vec<u8>, Format)> {
        let head = |bytes: &[u8]| [bytes, &[0; 40]].concat();
        vec![
            (archive(&["lstm/data.pkl", "lstm/byteorder", "lstm/data/0"]), Format::PyTorch),
            // TorchScript
            (archive(&["lstm/data/0", "lstm/data.pkl", "lstm/code/lstm.py"]), Format::PyTorch),
            (head(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), Format::PyTorch),
            (archive(&["weight.npy", "bias.npy"]), Format::NumPy),
            (archive(&["metadata.json", "config.json", "model.weights.h5"]), Format::Keras),
            (head(b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0"), Format::Hdf5),
            (ONNX.to_vec(), Format::Onnx),
            (head(b"\x12\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a"), Format::MxNet),
            (head(b"\x1c\0\0\0TFL3"), Format::TensorFlowLite),
            (head(b"GGUF\x03\0\0\0"), Format::Gguf),
            (head(b"\x80\x04\x95"), Format::Pickle),
            (archive(&["config.json", "weights.bin"]), Format::Zip),
            (head(b"version https://git-lfs.github.com/spec/v1\noid"), Format::LfsPointer),
        ]
    }

    fn format(bytes: &[u8]) -> Option<Format> {
        Format::of(bytes, bytes, bytes.len() as u64)
    }

    #[test]
    fn formats_are_known_by_their_bytes() {
        for (bytes, expected) in known() {
            assert_eq!(format(&bytes), Some(expected));
        }
        // The directory is found where only the end of a large archive was read.
        let bytes = archive(&["lstm/data.pkl"]);
        assert_eq!(Format::of(&bytes, &bytes[20..], bytes.len() as u64), Some(Format::PyTorch));
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

    #[test]
    fn the_line_that_converts_a_file_names_it_as_a_shell_takes_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("my model.keras");
        std::fs::write(&file, archive(&["config.json", "model.weights.h5"])).unwrap();
        let refusal = check_format(&file).unwrap_err().to_string();
        let folder = folder.path().display();
        let line = format!(
            "\n  python interop/from_keras.py '{folder}/my model.keras' \
             '{folder}/my model.safetensors'"
        );
        assert!(refusal.ends_with(&line), "{refusal}");
    }
}
