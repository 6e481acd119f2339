//! Safetensors files, written by hand so that they can be invalid.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde_json::json;

/// A tensor as described by the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<u8>,
}

impl Tensor {
    /// Zeros in f32.
    pub(crate) fn zeros(name: &str, shape: &[usize]) -> Self {
        let data = vec![0; 4 * shape.iter().product::<usize>()];
        Self { name: name.into(), dtype: "F32".into(), shape: shape.into(), data }
    }
}

/// The content of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    pub(crate) tensors: Vec<Tensor>,
    /// Names that `save_model` dropped, and the names of the same tensors that it kept.
    pub(crate) dropped: Vec<(String, String)>,
}

impl File {
    /// The tensors of the model that PyTorch wrote as `form`.
    pub(crate) fn of_form(form: &str) -> Self {
        let bytes = std::fs::read(form_path(form)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file.iter().map(|(name, tensor)| Tensor {
            name: name.into(),
            dtype: tensor.dtype().to_string(),
            shape: tensor.shape().into(),
            data: tensor.data().into(),
        });
        let mut tensors: Vec<Tensor> = tensors.collect();
        tensors.sort_by(|one, other| one.name.cmp(&other.name));
        Self { tensors, dropped: Vec::new() }
    }

    pub(crate) fn get(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name).unwrap()
    }

    pub(crate) fn remove(&mut self, name: &str) -> Tensor {
        let at = self.tensors.iter().position(|tensor| tensor.name == name).unwrap();
        self.tensors.remove(at)
    }

    pub(crate) fn add(&mut self, name: &str, shape: &[usize]) {
        self.tensors.push(Tensor::zeros(name, shape));
    }

    /// The bytes of the file, with its tensors in order.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (mut header, mut data) = (String::from("{"), Vec::new());
        if !self.dropped.is_empty() {
            let dropped: BTreeMap<&String, &String> =
                self.dropped.iter().map(|(name, kept)| (name, kept)).collect();
            write!(header, "\"__metadata__\":{},", json!(dropped)).unwrap();
        }
        for Tensor { name, dtype, shape, data: bytes } in &self.tensors {
            let from = data.len();
            data.extend_from_slice(bytes);
            let to = data.len();
            let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": [from, to]});
            write!(header, "{}:{entry},", json!(name)).unwrap();
        }
        header.truncate(header.trim_end_matches(',').len());
        header.push('}');
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header.as_bytes(), &data].concat()
    }
}

/// The path of the file of a form.
pub(crate) fn form_path(form: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch/import");
    folder.join(form).with_extension("safetensors")
}
