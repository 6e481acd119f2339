//! All parameters of a model, or all their gradients, in one allocation.

use std::fmt;
use std::ops::Range;

use infer_core::Dimensions;
use infer_core::layout::{ALIGNMENT, GATES, Gate, MAX_EMBEDDING, gate_column, padded};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Uniform};

/// The standard deviation of the initial weights, as in the chapter.
const INITIAL_DEVIATION: f32 = 0.01;

/// The standard deviation of the initial embedding.
const INITIAL_EMBEDDING_DEVIATION: f32 = 0.3;

/// The sizes of a model's parameters.
///
/// ```
/// use charcell::model::{Architecture, Dimensions};
///
/// let dimensions = Dimensions { vocabulary: 43, hidden: 256, layers: 1 };
/// assert_eq!(Architecture::from(dimensions), Architecture { dimensions, embedding: 0 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Architecture {
    /// V, H and L.
    pub dimensions: Dimensions,
    /// E: the width of the embedding before layer 0; 0: its input is one-hot.
    pub embedding: usize,
}

impl Architecture {
    /// The bytes in int8 of an embedding and of the input weights after it, if a device can read it
    /// and if they are fewer than those of a row of input weights for each character.
    pub(crate) fn narrow_bytes(self) -> Option<[usize; 2]> {
        let Self { dimensions: Dimensions { vocabulary, hidden, .. }, embedding } = self;
        let width = padded(embedding);
        let bytes = [(vocabulary * width).next_multiple_of(ALIGNMENT), GATES * width * hidden];
        let is_smaller = bytes[0] + bytes[1] < vocabulary * GATES * hidden;
        ((1..=MAX_EMBEDDING).contains(&embedding) && is_smaller).then_some(bytes)
    }
}

impl From<Dimensions> for Architecture {
    fn from(dimensions: Dimensions) -> Self {
        Self { dimensions, embedding: 0 }
    }
}

/// One of a model's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterName {
    /// The embedding of each character: `[V, E]`; only in models that have one.
    Embedding,
    /// Input weights of a layer: `[V, 4H]` in layer 0, or `[E, 4H]` after an embedding; `[H, 4H]`
    /// above.
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

impl ParameterName {
    /// Whether it is a matrix of a layer, which is rounded for int4, and not an embedding or a
    /// bias.
    pub(crate) fn is_weight(self) -> bool {
        matches!(self, Self::WIh(_) | Self::WHh(_) | Self::WOut)
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedding => formatter.write_str("embedding"),
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
    architecture: Architecture,
    values: Vec<f32>,
}

impl Parameters {
    /// Zeros.
    #[must_use]
    pub fn zeros(architecture: impl Into<Architecture>) -> Self {
        let architecture = architecture.into();
        Self { architecture, values: vec![0.0; Self::element_count(architecture)] }
    }

    /// The chapter's `get_params`: weights from N(0, 0.01), biases 0; embeddings from N(0, 0.3).
    ///
    /// # Panics
    /// Never: the deviations are valid constants.
    #[must_use]
    pub fn init(architecture: impl Into<Architecture>, random: &mut ChaCha8Rng) -> Self {
        let normal = |deviation| Normal::new(0.0, deviation).expect("a finite, positive deviation");
        let mut parameters = Self::zeros(architecture);
        for (name, shape, values) in parameters.parameters_mut() {
            let deviation = match name {
                ParameterName::Embedding => INITIAL_EMBEDDING_DEVIATION,
                _ => INITIAL_DEVIATION,
            };
            if shape.rows > 1 {
                values.fill_with(|| normal(deviation).sample(random));
            }
        }
        parameters
    }

    /// Weights and biases from ±1/√H, as PyTorch draws those of `nn.LSTM` and of an `nn.Linear`
    /// after it, but there each gate has two such biases; embeddings from N(0, 0.3).
    ///
    /// # Panics
    /// Never: the bounds and deviations are valid.
    #[must_use]
    pub fn init_uniform(architecture: impl Into<Architecture>, random: &mut ChaCha8Rng) -> Self {
        let mut parameters = Self::init(architecture, random);
        let bound = (parameters.dimensions().hidden as f32).sqrt().recip();
        let uniform = Uniform::new(-bound, bound).expect("finite bounds");
        for (name, _, values) in parameters.parameters_mut() {
            if name != ParameterName::Embedding {
                values.fill_with(|| uniform.sample(random));
            }
        }
        parameters
    }

    /// Adds to the biases of all forget gates, so that a model starts by remembering (Jozefowicz et
    /// al., "An Empirical Exploration of Recurrent Network Architectures").
    pub fn add_forget_bias(&mut self, bias: f32) {
        let Dimensions { hidden, layers, .. } = self.dimensions();
        let first = gate_column(Gate::Forget, 0, hidden);
        for layer in 0..layers {
            self.get_mut(ParameterName::B(layer))[first..first + hidden]
                .iter_mut()
                .for_each(|b| *b += bias);
        }
    }

    /// V, H and L.
    #[must_use]
    pub fn dimensions(&self) -> Dimensions {
        self.architecture.dimensions
    }

    /// V, H, L and E.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The names of a model's parameters, in the order in which they are stored.
    pub fn names(architecture: impl Into<Architecture>) -> impl Iterator<Item = ParameterName> {
        use ParameterName::{B, BOut, Embedding, WHh, WIh, WOut};
        let Architecture { dimensions, embedding } = architecture.into();
        let layers = (0..dimensions.layers).flat_map(|layer| [WIh(layer), WHh(layer), B(layer)]);
        (embedding > 0).then_some(Embedding).into_iter().chain(layers).chain([WOut, BOut])
    }

    /// The shape of a parameter.
    #[must_use]
    pub fn shape(architecture: impl Into<Architecture>, name: ParameterName) -> Shape {
        let Architecture { dimensions, embedding } = architecture.into();
        let Dimensions { vocabulary, hidden, .. } = dimensions;
        let (rows, columns) = match name {
            ParameterName::Embedding => (vocabulary, embedding),
            ParameterName::WIh(0) if embedding > 0 => (embedding, GATES * hidden),
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
        &self.values[Self::range(self.architecture, name)]
    }

    /// The elements of one parameter, mutable.
    #[must_use]
    pub fn get_mut(&mut self, name: ParameterName) -> &mut [f32] {
        let range = Self::range(self.architecture, name);
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
        let architecture = self.architecture;
        let mut rest = self.values.as_mut_slice();
        Self::names(architecture).map(move |name| {
            let (values, after) =
                std::mem::take(&mut rest).split_at_mut(Self::count(architecture, name));
            rest = after;
            (name, Self::shape(architecture, name), values)
        })
    }

    /// The number of elements of all parameters.
    #[must_use]
    pub fn element_count(architecture: impl Into<Architecture>) -> usize {
        let architecture = architecture.into();
        Self::names(architecture).map(|name| Self::count(architecture, name)).sum()
    }

    /// The range of a parameter within the elements of all parameters.
    #[must_use]
    pub fn range(architecture: impl Into<Architecture>, name: ParameterName) -> Range<usize> {
        let architecture = architecture.into();
        let before = Self::names(architecture).take_while(|&other| other != name);
        let start = before.map(|other| Self::count(architecture, other)).sum();
        start..start + Self::count(architecture, name)
    }

    fn count(architecture: Architecture, name: ParameterName) -> usize {
        let Shape { rows, columns } = Self::shape(architecture, name);
        rows * columns
    }
}
