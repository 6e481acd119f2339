//! All parameters of a model, or all their gradients, in one allocation.

use std::fmt;
use std::ops::Range;

use infer_core::Dimensions;
use infer_core::layout::{GATES, Gate, gate_column};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

/// The standard deviation of the initial weights, as in the chapter.
const INITIAL_DEVIATION: f32 = 0.01;

/// One of a model's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterName {
    /// Input weights of a layer: `[V, 4H]` in layer 0, `[H, 4H]` above.
    WIh(usize),
    /// Recurrent weights of a layer: `[H, 4H]`.
    WHh(usize),
    /// Bias of a layer's gates: `[4H]`.
    B(usize),
    /// Weights of the output layer: `[H, V]`.
    WOut,
    /// Bias of the output layer: `[V]`.
    BOut,
}

impl fmt::Display for ParameterName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WIh(layer) => write!(formatter, "w_ih[{layer}]"),
            Self::WHh(layer) => write!(formatter, "w_hh[{layer}]"),
            Self::B(layer) => write!(formatter, "b[{layer}]"),
            Self::WOut => formatter.write_str("w_out"),
            Self::BOut => formatter.write_str("b_out"),
        }
    }
}

/// Rows and columns of a parameter; a bias has one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub rows: usize,
    /// Columns; the elements of a row are contiguous.
    pub columns: usize,
}

/// The parameters of a model, or the gradients of the loss with respect to them: f32, row-major.
///
/// The gates of the `4H` columns are in the order of [`Gate`](infer_core::layout::Gate): all
/// units of i, then of f, g and o.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    dimensions: Dimensions,
    values: Vec<f32>,
}

impl Parameters {
    /// Zeros.
    #[must_use]
    pub fn zeros(dimensions: Dimensions) -> Self {
        Self { dimensions, values: vec![0.0; Self::element_count(dimensions)] }
    }

    /// The chapter's `get_params`: weights from N(0, 0.01), biases 0.
    ///
    /// # Panics
    /// Never: the deviation is a valid constant.
    #[must_use]
    pub fn init(dimensions: Dimensions, random: &mut ChaCha8Rng) -> Self {
        let normal = Normal::new(0.0, INITIAL_DEVIATION).expect("a finite, positive deviation");
        let mut parameters = Self::zeros(dimensions);
        for name in Self::names(dimensions) {
            if Self::shape(dimensions, name).rows > 1 {
                parameters.get_mut(name).fill_with(|| normal.sample(random));
            }
        }
        parameters
    }

    /// Sets the biases of all forget gates, so that a model starts by remembering (Jozefowicz et
    /// al., "An Empirical Exploration of Recurrent Network Architectures").
    pub fn set_forget_bias(&mut self, bias: f32) {
        let Dimensions { hidden, layers, .. } = self.dimensions;
        let first = gate_column(Gate::Forget, 0, hidden);
        for layer in 0..layers {
            self.get_mut(ParameterName::B(layer))[first..first + hidden].fill(bias);
        }
    }

    /// V, H and L.
    #[must_use]
    pub fn dimensions(&self) -> Dimensions {
        self.dimensions
    }

    /// The names of a model's parameters, in the order in which they are stored.
    pub fn names(dimensions: Dimensions) -> impl Iterator<Item = ParameterName> {
        use ParameterName::{B, BOut, WHh, WIh, WOut};
        let layers = (0..dimensions.layers).flat_map(|layer| [WIh(layer), WHh(layer), B(layer)]);
        layers.chain([WOut, BOut])
    }

    /// The shape of a parameter.
    #[must_use]
    pub fn shape(dimensions: Dimensions, name: ParameterName) -> Shape {
        let Dimensions { vocabulary, hidden, .. } = dimensions;
        let (rows, columns) = match name {
            ParameterName::WIh(0) => (vocabulary, GATES * hidden),
            ParameterName::WIh(_) | ParameterName::WHh(_) => (hidden, GATES * hidden),
            ParameterName::B(_) => (1, GATES * hidden),
            ParameterName::WOut => (hidden, vocabulary),
            ParameterName::BOut => (1, vocabulary),
        };
        Shape { rows, columns }
    }

    /// The elements of one parameter.
    #[must_use]
    pub fn get(&self, name: ParameterName) -> &[f32] {
        &self.values[Self::range(self.dimensions, name)]
    }

    /// The elements of one parameter, mutable.
    #[must_use]
    pub fn get_mut(&mut self, name: ParameterName) -> &mut [f32] {
        let range = Self::range(self.dimensions, name);
        &mut self.values[range]
    }

    /// All elements, one parameter after another.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All elements, mutable.
    #[must_use]
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Every parameter with its name and shape, all mutable at the same time.
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = (ParameterName, Shape, &mut [f32])> {
        let dimensions = self.dimensions;
        let mut rest = self.values.as_mut_slice();
        Self::names(dimensions).map(move |name| {
            let (values, after) =
                std::mem::take(&mut rest).split_at_mut(Self::count(dimensions, name));
            rest = after;
            (name, Self::shape(dimensions, name), values)
        })
    }

    /// The number of elements of all parameters.
    #[must_use]
    pub fn element_count(dimensions: Dimensions) -> usize {
        Self::names(dimensions).map(|name| Self::count(dimensions, name)).sum()
    }

    /// The range of a parameter within the elements of all parameters.
    #[must_use]
    pub fn range(dimensions: Dimensions, name: ParameterName) -> Range<usize> {
        let before = Self::names(dimensions).take_while(|&other| other != name);
        let start = before.map(|other| Self::count(dimensions, other)).sum();
        start..start + Self::count(dimensions, name)
    }

    fn count(dimensions: Dimensions, name: ParameterName) -> usize {
        let Shape { rows, columns } = Self::shape(dimensions, name);
        rows * columns
    }
}
