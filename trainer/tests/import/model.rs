//! Random models as PyTorch could write them, and their perplexity, computed in f64 as simply as
//! possible.

use charcell::ImportOptions;
use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::file::{File, Tensor};

/// The most characters in the vocabulary of a random model.
pub(crate) const MAX_VOCABULARY: usize = 9;

/// One row for each output.
type Matrix = Vec<Vec<f64>>;

/// A layer of the LSTM, with gates in the order i, f, g, o.
#[derive(Debug)]
struct Layer {
    w_ih: Matrix,
    w_hh: Matrix,
    biases: Vec<Vec<f64>>,
}

/// A model in a file.
#[derive(Debug)]
pub(crate) struct RandomModel {
    pub(crate) file: File,
    pub(crate) options: ImportOptions,
    /// In the order of the model's inputs.
    pub(crate) characters: Vec<char>,
    pub(crate) hidden: usize,
    /// Columns of the embedding, if there is one.
    pub(crate) embedding: Option<usize>,
    vectors: Option<Matrix>,
    layers: Vec<Layer>,
    w_out: Matrix,
    b_out: Option<Vec<f64>>,
}

/// Draws the parameters of a model, and writes them as PyTorch would.
struct Writer<'a> {
    random: &'a mut ChaCha8Rng,
    file: File,
    /// Of all tensors.
    dtype: &'static str,
}

impl Writer<'_> {
    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_ratio(percent, 100)
    }

    fn choice<T: Copy>(&mut self, from: &[T]) -> T {
        *from.choose(self.random).unwrap()
    }

    /// A number that the type holds exactly; never zero.
    fn number(&mut self) -> f64 {
        let sign = self.choice(&[-1.0, 1.0]);
        match self.dtype {
            "F64" => self.random.random_range(0.01..1.0) * sign,
            "F32" => f64::from(self.random.random_range(0.01_f32..1.0)) * sign,
            _ => f64::from(self.random.random_range(1..=64)) / 64.0 * sign,
        }
    }

    fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.number()).collect()
    }

    fn write(&mut self, name: String, shape: &[usize], values: &[f64]) {
        let data = values.iter().flat_map(|&value| match self.dtype {
            "F64" => value.to_le_bytes().to_vec(),
            "F32" => (value as f32).to_le_bytes().to_vec(),
            "BF16" => (value as f32).to_le_bytes()[2..].to_vec(),
            _ => half(value as f32).to_le_bytes().to_vec(),
        });
        let (dtype, data) = (self.dtype.into(), data.collect());
        self.file.tensors.push(Tensor { name, dtype, shape: shape.into(), data });
    }

    fn bias(&mut self, name: &str, count: usize) -> Vec<f64> {
        let values = self.numbers(count);
        self.write(name.into(), &[count], &values);
        values
    }

    /// A matrix, sometimes with weight normalisation.
    fn matrix(&mut self, name: &str, rows: usize, columns: usize, can_be_norm: bool) -> Matrix {
        if can_be_norm && self.chance(15) {
            return self.weight_norm(name, rows, columns);
        }
        let values = self.numbers(rows * columns);
        self.write(name.into(), &[rows, columns], &values);
        values.chunks(columns).map(<[f64]>::to_vec).collect()
    }

    fn weight_norm(&mut self, name: &str, rows: usize, columns: usize) -> Matrix {
        let (module, own) = name.rsplit_once('.').unwrap();
        let [g_name, v_name] = if self.chance(50) {
            ["g", "v"].map(|part| format!("{name}_{part}"))
        } else {
            ["0", "1"].map(|part| format!("{module}.parametrizations.{own}.original{part}"))
        };
        let v = self.numbers(rows * columns);
        self.write(v_name, &[rows, columns], &v);
        let mut w: Matrix = v.chunks(columns).map(<[f64]>::to_vec).collect();
        let length = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
        match self.random.random_range(0..3) {
            0 => {
                let g = self.numbers(rows);
                self.write(g_name, &[rows, 1], &g);
                for (row, g) in w.iter_mut().zip(g) {
                    let length = length(row);
                    row.iter_mut().for_each(|value| *value *= g / length);
                }
            }
            1 => {
                let g = self.numbers(columns);
                self.write(g_name, &[1, columns], &g);
                for (column, g) in g.into_iter().enumerate() {
                    let values: Vec<f64> = w.iter().map(|row| row[column]).collect();
                    let length = length(&values);
                    w.iter_mut().for_each(|row| row[column] *= g / length);
                }
            }
            _ => {
                let g = self.number();
                self.write(g_name, &[], &[g]);
                w.iter_mut().flatten().for_each(|value| *value *= g / length(&v));
            }
        }
        w
    }
}

/// The bits of a number that an IEEE 754 half holds exactly.
fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let exponent = (bits >> 23 & 255) + 15 - 127;
    (bits >> 31 << 15 | exponent << 10 | bits >> 13 & 1023) as u16
}

impl RandomModel {
    pub(crate) fn new(random: &mut ChaCha8Rng) -> Self {
        let mut characters: Vec<char> = "ab cdeAZ\n.é€\u{fffd}𝄞".chars().collect();
        characters.shuffle(random);
        characters.truncate(random.random_range(2..=MAX_VOCABULARY));
        let (vocabulary, hidden) = (characters.len(), random.random_range(1..=6));
        let layers = random.random_range(1..=3);
        let mut writer = Writer { random, file: File::default(), dtype: "F32" };
        writer.dtype = writer.choice(&["F32", "F32", "F32", "F64", "F16", "BF16"]);
        let mut options = ImportOptions::default();
        let prefix = writer.choice(&["", "_orig_mod.", "module.", "_orig_mod.module.", "a.net."]);
        let linear = format!("{prefix}{}", writer.choice(&["linear", "fc", "decoder", "head.out"]));
        let lookup = writer.choice(&["embedding", "char_emb", "encoder", "lookup"]);
        let lookup = format!("{prefix}{lookup}");
        let (is_tied, has_bias) = (writer.chance(25), writer.chance(70));
        let can_be_norm = !is_tied;

        let w_out = writer.matrix(&format!("{linear}.weight"), vocabulary, hidden, can_be_norm);
        let b_out = has_bias.then(|| writer.bias(&format!("{linear}.bias"), vocabulary));
        let (mut embedding, mut vectors) = (None, None);
        if is_tied {
            (embedding, vectors) = (Some(hidden), Some(w_out.clone()));
            let names = [&linear, &lookup].map(|name| format!("{name}.weight"));
            writer.tie(&names, vocabulary == hidden, &mut options);
        } else if writer.chance(40) {
            let columns = writer.random.random_range(1..=6);
            let name = format!("{lookup}.weight");
            vectors = Some(writer.matrix(&name, vocabulary, columns, can_be_norm));
            embedding = Some(columns);
            let is_unclear = columns == vocabulary || columns == hidden && !has_bias;
            if is_unclear && lookup.ends_with("lookup") {
                options.embedding = Some(lookup);
            }
        }
        let inputs = embedding.unwrap_or(vocabulary);
        let layers = writer.stack(prefix, inputs, hidden, layers, &mut options);
        let mut file = writer.file;
        file.tensors.shuffle(random);
        Self { file, options, characters, hidden, embedding, vectors, layers, w_out, b_out }
    }

    /// The perplexity of `tokens`, from a state of zeros.
    pub(crate) fn perplexity(&self, tokens: &[usize]) -> f64 {
        let zeros = || vec![vec![0.0; self.hidden]; self.layers.len()];
        let (mut h, mut c, mut loss_nats) = (zeros(), zeros(), 0.0);
        for pair in tokens.windows(2) {
            let one_hot = (0..self.characters.len()).map(|at| f64::from(u8::from(at == pair[0])));
            let mut x = match &self.vectors {
                Some(vectors) => vectors[pair[0]].clone(),
                None => one_hot.collect(),
            };
            for (layer, (h, c)) in self.layers.iter().zip(h.iter_mut().zip(&mut c)) {
                layer.step(&x, h, c);
                x.clone_from(h);
            }
            let mut logits = product(&self.w_out, &x);
            add(&mut logits, self.b_out.as_deref().unwrap_or_default());
            let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
            loss_nats += sum.ln() - logits[pair[1]];
        }
        (loss_nats / (tokens.len() - 1) as f64).exp()
    }
}

impl Writer<'_> {
    /// Gives the tensor that embedding and output layer share, called the first of `names`, its
    /// other name: in addition, instead, or as `save_model` does.
    fn tie(&mut self, names: &[String; 2], is_square: bool, options: &mut ImportOptions) {
        let [linear, lookup] = names;
        match self.random.random_range(0..4) {
            0 => {
                let shared = self.file.get(linear).clone();
                self.file.tensors.push(Tensor { name: lookup.clone(), ..shared });
            }
            1 => self.file.dropped.push((lookup.clone(), linear.clone())),
            kept => {
                let kept = if kept == 2 { linear } else { lookup };
                self.file.get(linear).name.clone_from(kept);
                // It could be just an output layer, after one-hot characters.
                if is_square {
                    options.embedding = kept.strip_suffix(".weight").map(Into::into);
                }
            }
        }
    }

    /// The LSTM: one module, numbered cells, or modules whose order is given.
    fn stack(
        &mut self,
        prefix: &str,
        inputs: usize,
        hidden: usize,
        layers: usize,
        options: &mut ImportOptions,
    ) -> Vec<Layer> {
        let kind = self.random.random_range(0..3);
        let base = self.choice(&["lstm", "rnn", "core.lstm", "cell7_"]);
        let first = self.random.random_range(0..2);
        let biases =
            self.choice(&[&["bias_ih", "bias_hh"][..], &["bias_ih", "bias_hh"], &[], &["bias_ih"]]);
        let layer = |layer: usize| {
            let (module, end) = match kind {
                0 => (format!("{prefix}{base}"), format!("_l{layer}")),
                1 => (format!("{prefix}{base}.{}", first + layer), String::new()),
                _ => (format!("{prefix}{base}.{}", ["z", "y", "x"][layer]), "_l0".into()),
            };
            if kind == 2 && layers > 1 {
                options.lstm.push(module.clone());
            }
            let inputs = if layer == 0 { inputs } else { hidden };
            let mut matrix = |name: &str, columns| {
                self.matrix(&format!("{module}.{name}{end}"), 4 * hidden, columns, true)
            };
            let (w_ih, w_hh) = (matrix("weight_ih", inputs), matrix("weight_hh", hidden));
            let biases = biases.iter();
            let biases = biases
                .map(|name| self.bias(&format!("{module}.{name}{end}"), 4 * hidden))
                .collect();
            Layer { w_ih, w_hh, biases }
        };
        (0..layers).map(layer).collect()
    }
}

impl Layer {
    fn step(&self, x: &[f64], h: &mut [f64], c: &mut [f64]) {
        let mut gates = product(&self.w_ih, x);
        add(&mut gates, &product(&self.w_hh, h));
        self.biases.iter().for_each(|bias| add(&mut gates, bias));
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        for unit in 0..h.len() {
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[gate * h.len() + unit]);
            c[unit] = sigmoid(f) * c[unit] + sigmoid(i) * g.tanh();
            h[unit] = sigmoid(o) * c[unit].tanh();
        }
    }
}

fn product(matrix: &Matrix, x: &[f64]) -> Vec<f64> {
    let row = |row: &Vec<f64>| row.iter().zip(x).map(|(weight, x)| weight * x).sum();
    matrix.iter().map(row).collect()
}

fn add(sums: &mut [f64], values: &[f64]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}
