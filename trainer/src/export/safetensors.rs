//! The parameters as a PyTorch `nn.LSTM` named `lstm` and an `nn.Linear` named `linear`, with an
//! `nn.Embedding` named `embedding` before them, if there is one.
//!
//! PyTorch stores matrices as `[outputs, inputs]`, so ours are transposed, except the embedding;
//! the gate order is the same. PyTorch has two biases per gate: the first is ours, and the second
//! is zero.

use infer_core::layout::GATES;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::WeightsError;
use crate::model::{Architecture, ParameterName, Parameters, Shape};

/// The bytes of a safetensors file with all parameters.
///
/// # Panics
/// Never: names and shapes are our own.
#[must_use]
pub fn to_safetensors(parameters: &Parameters) -> Vec<u8> {
    let architecture = parameters.architecture();
    let gates = GATES * architecture.dimensions.hidden;
    let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = Vec::new();
    for name in Parameters::names(architecture) {
        let (Shape { rows, columns }, shape) = shapes(architecture, name);
        let values = match name {
            ParameterName::Embedding => parameters.get(name).to_vec(),
            _ => transposed(parameters.get(name), rows, columns),
        };
        tensors.push((torch_name(name), shape, values));
        if let ParameterName::B(layer) = name {
            tensors.push((second_bias(layer), vec![gates], vec![0.0; gates]));
        }
    }
    let views = tensors.iter().map(|(name, shape, values)| {
        let bytes = bytemuck::cast_slice(values);
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("the shape of the values"))
    });
    safetensors::serialize(views, None).expect("a header of plain names and shapes")
}

/// Reads the parameters of a model of this `architecture`. Other tensors in the file are ignored.
///
/// # Errors
/// [`WeightsError`] names the tensor that is missing, or has another shape or type.
pub fn from_safetensors(
    bytes: &[u8],
    architecture: impl Into<Architecture>,
) -> Result<Parameters, WeightsError> {
    let architecture = architecture.into();
    let file = SafeTensors::deserialize(bytes)?;
    // Check all tensors before allocating: the sizes may come from a damaged run.json.
    for (name, shape) in tensors(architecture) {
        tensor(&file, &name, &shape)?;
    }
    let mut parameters = Parameters::zeros(architecture);
    for name in Parameters::names(architecture) {
        let (Shape { rows, columns }, shape) = shapes(architecture, name);
        let values = read(&file, &torch_name(name), &shape)?;
        let values = match name {
            ParameterName::Embedding => values,
            _ => transposed(&values, columns, rows),
        };
        parameters.get_mut(name).copy_from_slice(&values);
        if let ParameterName::B(layer) = name {
            let second = read(&file, &second_bias(layer), &shape)?;
            for (b, second) in parameters.get_mut(name).iter_mut().zip(second) {
                *b += second;
            }
        }
    }
    Ok(parameters)
}

/// Checks that a file has no tensors other than those of a model of this `architecture`.
///
/// # Errors
/// [`WeightsError::Unknown`] names the first other tensor.
pub(crate) fn check_names(bytes: &[u8], architecture: Architecture) -> Result<(), WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let own: Vec<String> = tensors(architecture).map(|(name, _)| name).collect();
    match file.names().into_iter().filter(|name| !own.iter().any(|own| own == name)).min() {
        Some(other) => Err(WeightsError::Unknown { name: other.into() }),
        None => Ok(()),
    }
}

/// PyTorch's name and shape of each tensor of a model of this `architecture`.
fn tensors(architecture: Architecture) -> impl Iterator<Item = (String, Vec<usize>)> {
    Parameters::names(architecture).flat_map(move |name| {
        let shape = shapes(architecture, name).1;
        let second = match name {
            ParameterName::B(layer) => Some((second_bias(layer), shape.clone())),
            _ => None,
        };
        [(torch_name(name), shape)].into_iter().chain(second)
    })
}

/// The shape of a parameter here, and its shape in PyTorch.
fn shapes(architecture: Architecture, name: ParameterName) -> (Shape, Vec<usize>) {
    let shape = Parameters::shape(architecture, name);
    let Shape { rows, columns } = shape;
    let of_torch = match name {
        ParameterName::B(_) | ParameterName::BOut => vec![columns],
        ParameterName::Embedding => vec![rows, columns],
        _ => vec![columns, rows],
    };
    (shape, of_torch)
}

/// The values of the tensor `name`, which must be f32 of `shape`.
fn read(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
    let numbers = tensor(file, name, shape)?.data().as_chunks::<4>().0;
    Ok(numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}

/// The tensor `name`, which must be f32 of `shape`.
fn tensor<'a>(
    file: &SafeTensors<'a>,
    name: &str,
    shape: &[usize],
) -> Result<TensorView<'a>, WeightsError> {
    let name = || name.to_owned();
    let tensor = file.tensor(&name()).map_err(|_| WeightsError::Missing { name: name() })?;
    if tensor.dtype() == Dtype::F32 && tensor.shape() == shape {
        return Ok(tensor);
    }
    Err(WeightsError::Unfit {
        name: name(),
        dtype: tensor.dtype(),
        shape: tensor.shape().into(),
        expected: shape.into(),
    })
}

fn torch_name(name: ParameterName) -> String {
    match name {
        ParameterName::Embedding => "embedding.weight".into(),
        ParameterName::WIh(layer) => format!("lstm.weight_ih_l{layer}"),
        ParameterName::WHh(layer) => format!("lstm.weight_hh_l{layer}"),
        ParameterName::B(layer) => format!("lstm.bias_ih_l{layer}"),
        ParameterName::WOut => "linear.weight".into(),
        ParameterName::BOut => "linear.bias".into(),
    }
}

fn second_bias(layer: usize) -> String {
    format!("lstm.bias_hh_l{layer}")
}

/// `[rows, columns]` to `[columns, rows]`.
pub(crate) fn transposed<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..rows * columns).map(|index| values[index % rows * columns + index / rows]).collect()
}
