//! Writes an artifact, as specified in `docs/artifact-format.md`.

use bytemuck::Pod;
use infer_core::artifact::{
    Header, PRELUDE_BYTES, Prelude, StoredPrecision, Tensor, TensorName, VERSION, checksum,
};
use infer_core::layout::ALIGNMENT;

use crate::inference::Artifact;
use crate::model::{Dimensions, TrainedModel};

/// Collects the tensors of an artifact in order, and writes it.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// Their offsets count from the start of the payload.
    tensors: Vec<Tensor>,
    /// All tensors, each aligned to 16 bytes.
    payload: Vec<u8>,
}

impl Writer {
    /// Appends a tensor.
    pub(super) fn push<T: Pod>(&mut self, name: TensorName, layer: usize, values: &[T]) {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        self.payload.resize(self.payload.len().next_multiple_of(ALIGNMENT), 0);
        self.tensors.push(Tensor {
            name,
            layer: layer as u8,
            offset: self.payload.len() as u32,
            bytes: bytes.len() as u32,
        });
        self.payload.extend_from_slice(bytes);
    }

    /// The whole artifact, with a header that describes `model`.
    pub(super) fn finish(self, model: &TrainedModel, precision: StoredPrecision<'_>) -> Artifact {
        let Dimensions { hidden, layers, .. } = model.parameters.dimensions();
        let vocabulary: String = model.vocabulary.characters().iter().collect();
        let prefixes: Vec<String> =
            model.prefixes.iter().map(|prefix| as_read(prefix, model)).collect();
        let header = Header {
            precision,
            layers: layers as u8,
            hidden: hidden as u16,
            normalisation: model.normalisation,
            vocabulary: &vocabulary,
            replacement: model.vocabulary.replacement().and_then(|c| model.vocabulary.token(c)),
            prefixes: prefixes.iter().map(String::as_str).collect(),
        };
        let header = self.encode(&header);
        let prelude = Prelude {
            version: VERSION,
            flags: precision.flags(),
            header_bytes: header.len() as u32,
            checksum: 0,
        };
        let mut bytes = [&prelude.to_bytes()[..], &header].concat();
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes.extend_from_slice(&self.payload);
        let prelude = Prelude { checksum: checksum(&bytes), ..prelude };
        bytes[..PRELUDE_BYTES].copy_from_slice(&prelude.to_bytes());
        Artifact::new(&bytes)
    }

    /// The header and the tensors' entries, encoded with postcard.
    ///
    /// Offsets count from the artifact's start, so they grow with the header, and the header grows
    /// with their encoded size. So this repeats until both agree; it ends because neither ever
    /// shrinks.
    fn encode(&self, header: &Header<'_>) -> Vec<u8> {
        let to_vec = |message: Result<Vec<u8>, postcard::Error>| {
            message.expect("plain values in a growing buffer can always be encoded")
        };
        let mut length = 0;
        loop {
            let start = (PRELUDE_BYTES + length).next_multiple_of(ALIGNMENT) as u32;
            let mut encoded = to_vec(postcard::to_stdvec(header));
            for tensor in &self.tensors {
                let tensor = Tensor { offset: start + tensor.offset, ..*tensor };
                encoded.extend(to_vec(postcard::to_stdvec(&tensor)));
            }
            if encoded.len() == length {
                return encoded;
            }
            length = encoded.len();
        }
    }
}

/// `prefix` as the `model` reads it, normalised and with its replacement, so that a device needn't
/// know how to lower-case every script.
fn as_read(prefix: &str, model: &TrainedModel) -> String {
    let normalise = |character| model.normalisation.apply(character);
    // A replacement that normalisation changes would be read as another character.
    let replacement = model.vocabulary.replacement().filter(|&other| normalise(other) == other);
    let characters = prefix.chars().map(normalise);
    let is_known = |character| model.vocabulary.own_token(character).is_some();
    characters.map(|c| if is_known(c) { c } else { replacement.unwrap_or(c) }).collect()
}
