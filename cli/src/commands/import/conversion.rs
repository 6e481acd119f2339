//! How to convert a file of another framework.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use charcell::{END_BYTES, Foreign, START_BYTES};

use crate::shell::shell_path;

/// The framework that wrote `file`; `None` if it is safetensors, unknown, or can't be read.
pub(super) fn framework(file: &Path) -> Option<Foreign> {
    let (start, end, bytes) = read_ends(file).ok()?;
    Foreign::of(&start, &end, bytes)
}

/// The first and the last bytes of a file, and its length.
fn read_ends(file: &Path) -> io::Result<(Vec<u8>, Vec<u8>, u64)> {
    let mut file = File::open(file)?;
    let bytes = file.metadata()?.len();
    let (mut start, mut end) = (Vec::new(), Vec::new());
    file.by_ref().take(START_BYTES).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(bytes.saturating_sub(END_BYTES)))?;
    file.take(END_BYTES).read_to_end(&mut end)?;
    Ok((start, end, bytes))
}

/// What to do with `file`, which this framework wrote.
pub(super) fn advice(framework: Foreign, file: &Path) -> String {
    let line = |script: &str, packages: &str, input: &str| {
        let out = shell_path(&file.with_extension("safetensors"));
        format!(
            "in a copy of Charcell's repository with\n  pip install {packages} safetensors\n  \
             python interop/{script} {input} {out}"
        )
    };
    let convert =
        |script, packages| format!("; convert it {}", line(script, packages, &shell_path(file)));
    let convert_original = |script, packages, original| {
        let line = line(script, packages, original);
        format!("; it was made from another file, so convert that file {line}")
    };
    match framework {
        Foreign::PyTorch => convert("from_pytorch.py", "torch"),
        Foreign::NumPy => convert("from_numpy.py", "numpy"),
        Foreign::Keras | Foreign::Hdf5 => convert("from_keras.py", "keras jax"),
        Foreign::Onnx => convert("from_onnx.py", "onnx"),
        Foreign::MxNet => convert("from_mxnet.py", "numpy"),
        Foreign::TensorFlowLite => convert_original("from_keras.py", "keras jax", "ORIGINAL.keras"),
        Foreign::Gguf => convert_original("from_pytorch.py", "torch", "ORIGINAL.pt"),
        Foreign::Pickle => "; in the program that wrote it, save the tensors with \
                            safetensors.numpy.save_file instead"
            .into(),
        Foreign::Zip => "; unpack it and import the file in it".into(),
        _ => "; `git lfs pull` in its repository fetches the file".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conversion_command_quotes_the_file_for_a_shell() {
        let advice = advice(Foreign::Keras, Path::new("runs/my model.keras"));
        let line =
            "\n  python interop/from_keras.py 'runs/my model.keras' 'runs/my model.safetensors'";
        assert!(advice.ends_with(line), "{advice}");
    }
}
