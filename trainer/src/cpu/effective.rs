//! The parameters that the layers read, where these aren't the ones that are trained: an embedding
//! is folded into one row of input weights for each character, weights are rounded to four bits,
//! and some recurrent weights are dropped.

use charcell_shaders::Dropout;
use pulp::Arch;

use super::drop_weights::drop_weights;
use super::embedded_weight_gradients::embedded_weight_gradients;
use super::embedding_gradients::embedding_gradients;
use super::fold_embedding::fold_embedding;
use super::round_weights::round_weights;
use crate::model::{Architecture, ParameterName, Parameters, Precision, Shape, TrainedModel};

/// The parameters that the layers read: those of a model without embedding.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) parameters: Parameters,
    /// `[V, 4H]`: gradients of each character's input weights; empty without an embedding.
    d_rows: Vec<f32>,
    arch: Arch,
}

impl Effective {
    pub(crate) fn new(architecture: Architecture) -> Self {
        let Architecture { dimensions, embedding } = architecture;
        let Shape { rows, columns } = Parameters::shape(dimensions, ParameterName::WIh(0));
        Self {
            parameters: Parameters::zeros(dimensions),
            d_rows: if embedding > 0 { vec![0.0; rows * columns] } else { Vec::new() },
            arch: Arch::new(),
        }
    }

    /// Computes the parameters from those in training.
    pub(crate) fn update(&mut self, trained: &Parameters, rounds_weights: bool) {
        for (name, shape, values) in self.parameters.parameters_mut() {
            if name == ParameterName::WIh(0) && !self.d_rows.is_empty() {
                fold_embedding(self.arch, trained, values);
            } else {
                values.copy_from_slice(trained.get(name));
            }
            if rounds_weights && name.is_weight() {
                round_weights(self.arch, values, shape.columns);
            }
        }
    }

    /// The gradients that are computed from those of the layers: of each character's input weights,
    /// and of all parameters of `gradients` other than those of the input of layer 0.
    pub(crate) fn layer_gradients<'a>(
        &'a mut self,
        gradients: &'a mut Parameters,
    ) -> impl Iterator<Item = (ParameterName, Shape, &'a mut [f32])> {
        let (dimensions, input) = (gradients.dimensions(), ParameterName::WIh(0));
        let has_embedding = !self.d_rows.is_empty();
        let rows = (input, Parameters::shape(dimensions, input), self.d_rows.as_mut_slice());
        let is_of_layer = move |&(name, ..): &(ParameterName, _, _)| {
            !has_embedding || !matches!(name, ParameterName::Embedding | ParameterName::WIh(0))
        };
        let others = gradients.parameters_mut().filter(is_of_layer);
        has_embedding.then_some(rows).into_iter().chain(others)
    }

    /// Drops some of the recurrent weights.
    pub(crate) fn drop_weights(&mut self, dropout: Dropout) {
        drop_recurrent(self.arch, &mut self.parameters, dropout);
    }

    /// Computes the gradients of the parameters in training from those of the layers: of an
    /// embedding and of the input weights after it, and of recurrent weights that were dropped.
    pub(crate) fn pass_gradients(
        &self,
        trained: &Parameters,
        gradients: &mut Parameters,
        recurrent_dropout: Option<Dropout>,
    ) {
        if !self.d_rows.is_empty() {
            embedding_gradients(self.arch, trained, &self.d_rows, gradients);
            embedded_weight_gradients(self.arch, trained, &self.d_rows, gradients);
        }
        if let Some(dropout) = recurrent_dropout {
            drop_recurrent(self.arch, gradients, dropout);
        }
    }
}

/// Drops the same recurrent weights of all layers, or their gradients.
fn drop_recurrent(arch: Arch, parameters: &mut Parameters, dropout: Dropout) {
    let mut first_element = 0_u32;
    for (name, _, values) in parameters.parameters_mut() {
        if let ParameterName::WHh(_) = name {
            drop_weights(arch, values, first_element, dropout);
            first_element = first_element.wrapping_add(values.len() as u32);
        }
    }
}

impl TrainedModel {
    /// The parameters that its layers read: with the embedding folded into input weights, and
    /// rounded to four bits if it was trained so. Rounding these again changes nothing.
    #[must_use]
    pub fn effective_parameters(&self) -> Parameters {
        self.folded_parameters(self.precision == Precision::Int4)
    }

    /// The same without rounding.
    pub(crate) fn unrounded_parameters(&self) -> Parameters {
        self.folded_parameters(false)
    }

    fn folded_parameters(&self, rounds_weights: bool) -> Parameters {
        let mut effective = Effective::new(self.parameters.architecture());
        effective.update(&self.parameters, rounds_weights);
        effective.parameters
    }
}
