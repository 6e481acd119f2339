//! Weight normalisation (Salimans and Kingma, 2016), w = g · v / ‖v‖, in both of PyTorch's forms.

use std::collections::BTreeMap;

use super::file::{Tensor, shown};
use crate::error::{MatrixPart, TensorError};

/// The two tensors from which a parameter is computed.
#[derive(Debug)]
pub(super) struct WeightNorm<'a> {
    /// Magnitudes: `[R, 1]`, one for each row; `[1, C]`, one for each column; or a single one.
    g: Tensor<'a>,
    /// Directions: `[R, C]`.
    v: Tensor<'a>,
}

/// The names of the directions and of the parameter that belong to the magnitudes `g`.
///
/// From `m.weight`, `torch.nn.utils.weight_norm` makes `m.weight_g` and `m.weight_v`, and
/// `torch.nn.utils.parametrizations.weight_norm` makes `m.parametrizations.weight.original0` and
/// `original1`.
fn names(g: &str) -> Option<(String, String)> {
    if let Some(parameter) = g.strip_suffix("_g") {
        let own = parameter.rsplit('.').next()?;
        return own.starts_with("weight").then(|| (format!("{parameter}_v"), parameter.into()));
    }
    let inner = g.strip_suffix(".original0")?;
    let (rest, own) = inner.rsplit_once('.').unwrap_or(("", inner));
    let module = rest.strip_suffix("parametrizations")?;
    let is_whole = module.is_empty() || module.ends_with('.');
    is_whole.then(|| (format!("{inner}.original1"), format!("{module}{own}")))
}

impl<'a> WeightNorm<'a> {
    /// Removes the tensors of weight normalisation from `tensors`, and returns them with the names
    /// of their parameters.
    ///
    /// # Errors
    /// Names magnitudes that don't match their directions.
    pub(super) fn take(
        tensors: &mut BTreeMap<String, Tensor<'a>>,
    ) -> Result<Vec<(String, Self)>, TensorError> {
        let all: Vec<String> = tensors.keys().cloned().collect();
        let mut norms = Vec::new();
        for g in all {
            let Some((v, parameter)) = names(&g) else { continue };
            let Some(v) = tensors.remove(&v) else { continue };
            let Some(g) = tensors.remove(&g) else { continue };
            norms.push((parameter, Self::new(g, v)?));
        }
        Ok(norms)
    }

    fn new(g: Tensor<'a>, v: Tensor<'a>) -> Result<Self, TensorError> {
        match (&g.shape[..], &v.shape[..]) {
            ([] | [1], [_, _]) => {}
            (&[rows, 1], &[of, _]) if rows == of => {}
            (&[1, columns], &[_, of]) if columns == of => {}
            _ => {
                let (matrix, of) = (shown(&v.name), &v.shape);
                return Err(TensorError::Shape {
                    tensor: shown(&g.name),
                    expected: "[rows, 1]".into(),
                    reason: format!("a magnitude for each row of the matrix {matrix}, {of:?}"),
                    shape: g.shape,
                    is_transposed: false,
                });
            }
        }
        Ok(Self { g, v })
    }

    /// The names of the two tensors in the file.
    pub(super) fn tensors(&self) -> [&str; 2] {
        [&self.g, &self.v].map(|tensor| tensor.name.as_str())
    }

    /// Rows and columns of the parameter.
    pub(super) fn shape(&self) -> &[usize] {
        &self.v.shape
    }

    /// The parameter's numbers, row-major.
    ///
    /// # Errors
    /// As [`Tensor::values`]; also names a direction whose length is zero.
    pub(super) fn values(&self) -> Result<Vec<f64>, TensorError> {
        let (g, mut values) = (self.g.values()?, self.v.values()?);
        let columns = self.v.shape.last().copied().unwrap_or_default();
        let part = |at: usize| match self.g.shape[..] {
            [rows, 1] if rows > 1 => MatrixPart::Row(at / columns),
            [1, columns] if columns > 1 => MatrixPart::Column(at % columns),
            _ => MatrixPart::Whole,
        };
        // The index of a number's magnitude.
        let group = |at: usize| match part(at) {
            MatrixPart::Row(index) | MatrixPart::Column(index) => index,
            MatrixPart::Whole => 0,
        };
        let mut squares = vec![0.0; g.len()];
        for (at, value) in values.iter().enumerate() {
            squares[group(at)] += value * value;
        }
        for (at, value) in values.iter_mut().enumerate() {
            let square = squares[group(at)];
            if square == 0.0 {
                return Err(TensorError::Zeros { tensor: shown(&self.v.name), part: part(at) });
            }
            *value *= g[group(at)] / square.sqrt();
        }
        Ok(values)
    }
}
