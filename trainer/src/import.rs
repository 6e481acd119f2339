//! Models of PyTorch, read from safetensors: an `nn.LSTM` over one-hot characters, and an
//! `nn.Linear`.

use std::fs;
use std::path::Path;

use infer_core::Normalisation;
use infer_core::layout::{GATES, MAX_HIDDEN, MAX_LAYERS};
use safetensors::tensor::{Dtype, SafeTensors};

use crate::Error;
use crate::export::transposed;
use crate::model::{Dimensions, ParameterName, Parameters, TrainedModel};
use crate::text::{Vocabulary, read_characters};

/// What the modules are called in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleNames {
    /// The `nn.LSTM`.
    pub lstm: String,
    /// The `nn.Linear`.
    pub linear: String,
}

impl Default for ModuleNames {
    /// As Charcell itself names them.
    fn default() -> Self {
        Self { lstm: "lstm".into(), linear: "linear".into() }
    }
}

/// Reads the model in `file`, whose inputs and outputs are the characters of the `vocabulary` file
/// in its order. Sizes come from the tensors; biases that are missing are zero, and the two biases
/// of a gate are added. Without `prefixes`, the model is shown by the first letter that it knows.
///
/// # Errors
/// [`Error::ReadWeights`], [`Error::Vocabulary`], [`Error::VocabularySize`]; [`Error::Import`]
/// names the tensor that is missing or unfit; [`Error::UnknownCharacter`] of a prefix.
pub fn import(
    file: &Path,
    names: &ModuleNames,
    vocabulary: &Path,
    prefixes: &[String],
) -> Result<TrainedModel, Error> {
    let characters = read_characters(vocabulary)?;
    let vocabulary = Vocabulary::read(vocabulary)?;
    let bytes =
        fs::read(file).map_err(|source| Error::ReadWeights { path: file.into(), source })?;
    let parameters = parameters(&bytes, names, &characters)
        .map_err(|reason| Error::Import { path: file.into(), reason })?;
    for prefix in prefixes {
        vocabulary.tokens(prefix)?;
    }
    let letter = vocabulary.characters().iter().find(|character| character.is_alphabetic());
    let letter = letter.unwrap_or(&vocabulary.characters()[0]).to_string();
    Ok(TrainedModel {
        parameters,
        vocabulary,
        normalisation: Normalisation::None,
        prefixes: if prefixes.is_empty() { vec![letter] } else { prefixes.into() },
    })
}

/// Reads a model whose characters are `characters`, in the order of its inputs and outputs; the
/// parameters are in the order of the sorted characters.
fn parameters(
    bytes: &[u8],
    names: &ModuleNames,
    characters: &[char],
) -> Result<Parameters, String> {
    let file =
        SafeTensors::deserialize(bytes).map_err(|error| format!("not safetensors: {error}"))?;
    let file = TorchFile { file, names };
    let dimensions = file.dimensions(characters.len())?;
    let Dimensions { vocabulary, hidden, layers } = dimensions;
    // For each sorted character its place in the file.
    let mut order: Vec<usize> = (0..vocabulary).collect();
    order.sort_unstable_by_key(|&place| characters[place]);
    let gates = GATES * hidden;
    let mut parameters = Parameters::zeros(dimensions);
    for layer in 0..layers {
        let inputs = if layer == 0 { vocabulary } else { hidden };
        let w_ih = file.matrix(&names.lstm, &format!("weight_ih_l{layer}"), gates, inputs)?;
        let w_ih = if layer == 0 { rows(&w_ih, gates, &order) } else { w_ih };
        parameters.get_mut(ParameterName::WIh(layer)).copy_from_slice(&w_ih);
        let w_hh = file.matrix(&names.lstm, &format!("weight_hh_l{layer}"), gates, hidden)?;
        parameters.get_mut(ParameterName::WHh(layer)).copy_from_slice(&w_hh);
        for name in ["bias_ih", "bias_hh"] {
            let bias = file.bias(&names.lstm, &format!("{name}_l{layer}"), gates)?;
            let b = parameters.get_mut(ParameterName::B(layer));
            b.iter_mut().zip(bias).for_each(|(b, bias)| *b += bias);
        }
    }
    let w_out = file.matrix(&names.linear, "weight", vocabulary, hidden)?;
    for (row, values) in w_out.chunks_exact(vocabulary).enumerate() {
        let out = &mut parameters.get_mut(ParameterName::WOut)[row * vocabulary..][..vocabulary];
        out.copy_from_slice(&rows(values, 1, &order));
    }
    let b_out = file.bias(&names.linear, "bias", vocabulary)?;
    if !b_out.is_empty() {
        parameters.get_mut(ParameterName::BOut).copy_from_slice(&rows(&b_out, 1, &order));
    }
    Ok(parameters)
}

/// The rows of `values` `[rows, columns]`, in the order that `order` gives.
fn rows(values: &[f32], columns: usize, order: &[usize]) -> Vec<f32> {
    order.iter().flat_map(|&row| &values[row * columns..][..columns]).copied().collect()
}

struct TorchFile<'a> {
    file: SafeTensors<'a>,
    names: &'a ModuleNames,
}

impl TorchFile<'_> {
    /// The sizes of the model, if Charcell has such models.
    fn dimensions(&self, vocabulary: usize) -> Result<Dimensions, String> {
        let lstm = &self.names.lstm;
        let shape = |name: &str| {
            let name = format!("{lstm}.{name}");
            let tensor = self.file.tensor(&name).map_err(|_| self.missing(&name))?;
            Ok::<_, String>((name, tensor.shape().to_vec()))
        };
        let prefix = format!("{lstm}.");
        let own: Vec<&str> =
            self.file.names().into_iter().filter_map(|name| name.strip_prefix(&prefix)).collect();
        for (part, what) in [("_reverse", "two directions"), ("weight_hr", "a projection")] {
            if let Some(name) = own.iter().find(|name| name.contains(part)) {
                return Err(format!(
                    "{prefix}{name} belongs to an LSTM with {what}, which can't be imported"
                ));
            }
        }
        let layers = own.iter().filter(|name| name.starts_with("weight_hh_l")).count();
        let (name, recurrent) = shape("weight_hh_l0")?;
        let &[gates, hidden] = &recurrent[..] else {
            return Err(format!("{name} is of {recurrent:?}, and must be a matrix [4H, H]"));
        };
        if gates != GATES * hidden || hidden == 0 {
            return Err(format!("{name} is of {recurrent:?}, and must be [4H, H]"));
        }
        if hidden > MAX_HIDDEN || layers > MAX_LAYERS {
            return Err(format!(
                "{layers} layers of {hidden} units are more than an artifact holds ({MAX_LAYERS} \
                 of {MAX_HIDDEN})"
            ));
        }
        let (name, inputs) = shape("weight_ih_l0")?;
        if inputs != [gates, vocabulary] {
            return Err(format!(
                "{name} is of {inputs:?}, and must be [{gates}, {vocabulary}]: an input for each \
                 of the vocabulary's {vocabulary} characters"
            ));
        }
        Ok(Dimensions { vocabulary, hidden, layers })
    }

    fn missing(&self, name: &str) -> String {
        let mut names = self.file.names();
        names.sort_unstable();
        format!(
            "the tensor {name} is missing (there are {}); --lstm-name and --linear-name say what \
             the modules are called",
            names.join(", ")
        )
    }

    /// `[inputs, outputs]` of a matrix that the file has as `[outputs, inputs]`.
    fn matrix(
        &self,
        module: &str,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Vec<f32>, String> {
        let name = format!("{module}.{name}");
        let values = self.values(&name, &[outputs, inputs])?.ok_or_else(|| self.missing(&name))?;
        Ok(transposed(&values, outputs, inputs))
    }

    /// A bias; empty if there is none.
    fn bias(&self, module: &str, name: &str, count: usize) -> Result<Vec<f32>, String> {
        Ok(self.values(&format!("{module}.{name}"), &[count])?.unwrap_or_default())
    }

    /// The numbers of a tensor of `shape`, if it is there.
    fn values(&self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, String> {
        let Ok(tensor) = self.file.tensor(name) else { return Ok(None) };
        if tensor.shape() != shape {
            return Err(format!("{name} is of {:?}, and must be {shape:?}", tensor.shape()));
        }
        match tensor.dtype() {
            Dtype::F32 => {
                let numbers = tensor.data().as_chunks().0.iter();
                Ok(Some(numbers.map(|&bytes| f32::from_le_bytes(bytes)).collect()))
            }
            Dtype::F64 => {
                let numbers = tensor.data().as_chunks().0.iter();
                Ok(Some(numbers.map(|&bytes| f64::from_le_bytes(bytes) as f32).collect()))
            }
            other => Err(format!("{name} is of {other:?}: save the model with .float(), in F32")),
        }
    }
}
