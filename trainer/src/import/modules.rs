//! The tensors of a file as parameters of PyTorch modules. They are removed when they are used, so
//! that none is silently ignored.

use std::collections::BTreeMap;

use super::file::{Tensor, check, shown};
use super::weight_norm::WeightNorm;
use crate::error::{ImportError, TensorError};

/// A parameter of a module, made from one or two tensors of the file.
#[derive(Debug)]
pub(super) struct Parameter<'a> {
    /// The full name, including the module's.
    pub(super) name: String,
    source: Source<'a>,
}

#[derive(Debug)]
enum Source<'a> {
    Tensor(Tensor<'a>),
    WeightNorm(WeightNorm<'a>),
}

impl<'a> Parameter<'a> {
    pub(super) fn shape(&self) -> &[usize] {
        match &self.source {
            Source::Tensor(tensor) => &tensor.shape,
            Source::WeightNorm(norm) => norm.shape(),
        }
    }

    /// The names of its tensors in the file.
    pub(super) fn tensors(&self) -> Vec<&str> {
        match &self.source {
            Source::Tensor(_) => vec![&self.name],
            Source::WeightNorm(norm) => norm.tensors().into(),
        }
    }

    /// The name as messages show it.
    pub(super) fn shown(&self) -> String {
        shown(&self.name)
    }

    /// The numbers, row-major.
    ///
    /// # Errors
    /// As [`Tensor::values`]; also names a row that weight normalisation can't normalise.
    pub(super) fn values(&self) -> Result<Vec<f64>, TensorError> {
        match &self.source {
            Source::Tensor(tensor) => tensor.values(),
            Source::WeightNorm(norm) => {
                let values = norm.values()?;
                check(&self.shown(), self.shape(), &values)?;
                Ok(values)
            }
        }
    }

    /// Checks that the parameter has the shape `expected`, which it must have because of `reason`.
    pub(super) fn expect(&self, expected: &[usize], reason: &str) -> Result<(), TensorError> {
        if self.shape() == expected {
            return Ok(());
        }
        let is_transposed = expected.len() > 1 && self.shape().iter().rev().eq(expected);
        Err(self.unfit(format!("{expected:?}"), reason, is_transposed))
    }

    /// The error that the shape must be `expected` because of `reason`.
    pub(super) fn unfit(
        &self,
        expected: String,
        reason: impl Into<String>,
        is_transposed: bool,
    ) -> TensorError {
        let (tensor, shape) = (self.shown(), self.shape().into());
        TensorError::Shape { tensor, shape, expected, reason: reason.into(), is_transposed }
    }

    /// Whether both are the same tensor, written twice.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (&self.source, &other.source) {
            (Source::Tensor(one), Source::Tensor(other)) => one.equals(other),
            _ => false,
        }
    }
}

/// The parameters that haven't been used yet, by module and by name within the module.
#[derive(Debug, Default)]
pub(super) struct Modules<'a> {
    modules: BTreeMap<String, BTreeMap<String, Parameter<'a>>>,
}

impl<'a> Modules<'a> {
    /// Groups the tensors of a file by module, and combines those of weight normalisation.
    ///
    /// # Errors
    /// Names a parameter that occurs twice.
    pub(super) fn of(mut tensors: BTreeMap<String, Tensor<'a>>) -> Result<Self, ImportError> {
        let mut modules = Self::default();
        for (name, norm) in WeightNorm::take(&mut tensors)? {
            modules.insert(name, Source::WeightNorm(norm))?;
        }
        for (name, tensor) in tensors {
            modules.insert(name, Source::Tensor(tensor))?;
        }
        Ok(modules)
    }

    fn insert(&mut self, name: String, source: Source<'a>) -> Result<(), ImportError> {
        let (module, own) = name.rsplit_once('.').unwrap_or(("", &name));
        let module = self.modules.entry(module.into()).or_default();
        let own = own.to_owned();
        if module.contains_key(&own) {
            return Err(ImportError::Twice { name: shown(&name) });
        }
        module.insert(own, Parameter { name, source });
        Ok(())
    }

    /// Each module's name and parameters.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Parameter<'a>>)> {
        self.modules.iter().map(|(name, parameters)| (name.as_str(), parameters))
    }

    /// The parameter `name` of a module, if it exists.
    pub(super) fn get(&self, module: &str, name: &str) -> Option<&Parameter<'a>> {
        self.modules.get(module)?.get(name)
    }

    /// Removes and returns a parameter, if it exists.
    pub(super) fn take(&mut self, module: &str, name: &str) -> Option<Parameter<'a>> {
        let parameters = self.modules.get_mut(module)?;
        let parameter = parameters.remove(name);
        if parameters.is_empty() {
            self.modules.remove(module);
        }
        parameter
    }

    /// All remaining parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &Parameter<'a>> {
        self.modules.values().flat_map(BTreeMap::values)
    }
}

/// The full name of the parameter `own` of a module.
pub(super) fn full_name(module: &str, own: &str) -> String {
    if module.is_empty() { own.into() } else { format!("{module}.{own}") }
}

/// The name of a module as messages show it.
pub(super) fn shown_module(name: &str) -> String {
    if name.is_empty() { "the top level".into() } else { shown(name) }
}

/// Whether `name` is the name of this tensor, or of a module that contains it.
pub(super) fn is_within(tensor: &str, name: &str) -> bool {
    let rest = tensor.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
