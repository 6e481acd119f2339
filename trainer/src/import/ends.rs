//! The modules around the LSTM: an `nn.Embedding` before it, if there is one, and an `nn.Linear`
//! after it.

use super::file::{shown, some};
use super::modules::{Modules, Parameter, full_name};
use super::options::ImportOptions;
use super::stack::Stack;
use crate::error::{ImportError, Part};

/// Where the inputs of the lowest layer come from.
#[derive(Debug)]
pub(super) enum Inputs<'a> {
    /// One-hot characters.
    OneHot,
    /// A row for each character, `[V, inputs]`.
    Embedding(Parameter<'a>),
    /// The weights of the output layer, which the model uses twice.
    Tied,
}

/// The two ends of the model.
#[derive(Debug)]
pub(super) struct Ends<'a> {
    pub(super) inputs: Inputs<'a>,
    /// `[V, H]`.
    pub(super) w_out: Parameter<'a>,
    /// `[V]`.
    pub(super) b_out: Option<Parameter<'a>>,
}

/// PyTorch's names of weights and biases.
const WEIGHT: &str = "weight";
const BIAS: &str = "bias";

impl<'a> Ends<'a> {
    /// Takes the ends of a model with `vocabulary` characters, whose LSTM is `stack`.
    ///
    /// # Errors
    /// Names a module or tensor that is missing or unfit, or the modules to choose from.
    pub(super) fn take(
        modules: &mut Modules<'a>,
        stack: &Stack<'_>,
        vocabulary: usize,
        options: &ImportOptions,
    ) -> Result<Self, ImportError> {
        let search = Search { modules, stack, vocabulary, options };
        let linear = search.linear()?;
        let embedding = search.embedding(&linear)?;
        let is_tied = embedding.as_ref() == Some(&linear);
        let biased = if is_tied { search.bias_of_tied(&linear) } else { linear.clone() };

        let mut take = |module: &str| {
            modules.take(module, WEIGHT).ok_or_else(|| ImportError::MissingModule {
                tensor: shown(&full_name(module, WEIGHT)),
                found: some(modules.parameters().map(Parameter::shown)),
            })
        };
        let rows = format!("a row for each of the {vocabulary} characters of the vocabulary");
        let w_out = take(&linear)?;
        let columns = format!("{rows}, and a column for each of the {} units", stack.hidden);
        w_out.expect(&[vocabulary, stack.hidden], &columns)?;
        let lookup = match embedding {
            Some(name) if !is_tied => Some(take(&name)?),
            _ => None,
        };
        if let Some(vectors) = lookup.as_ref().or(is_tied.then_some(&w_out)) {
            let columns =
                format!("{rows}, and a column for each input of {}", stack.shown_inputs());
            vectors.expect(&[vocabulary, stack.inputs], &columns)?;
        }
        let b_out = modules.take(&biased, BIAS);
        if let Some(b_out) = &b_out {
            b_out.expect(&[vocabulary], &rows.replace("a row", "one number"))?;
        }
        let inputs = match lookup {
            Some(lookup) => Inputs::Embedding(lookup),
            None if is_tied => Inputs::Tied,
            None => Inputs::OneHot,
        };
        Ok(Self { inputs, w_out, b_out })
    }
}

/// Finds the modules at the ends, by name if one is given, otherwise by shapes and biases.
struct Search<'a, 'b> {
    modules: &'a Modules<'b>,
    stack: &'a Stack<'a>,
    vocabulary: usize,
    options: &'a ImportOptions,
}

impl Search<'_, '_> {
    /// The output layer.
    fn linear(&self) -> Result<String, ImportError> {
        if let Some(name) = &self.options.linear {
            return Ok(name.clone());
        }
        let mut found = self.of(self.stack.hidden);
        let is_embedding = |name: &&str| self.options.embedding.as_deref() == Some(*name);
        if found.len() > 1 {
            found.retain(|name| !is_embedding(name));
        }
        // An embedding has no bias, and its name usually says what it is.
        let ways: [&dyn Fn(&str) -> bool; 2] =
            [&|name| self.has_bias(name), &|name| !is_called_embedding(name)];
        for way in ways {
            let fitting: Vec<&str> = found.iter().copied().filter(|name| way(name)).collect();
            if fitting.len() == 1 {
                found = fitting;
            }
        }
        match found[..] {
            [] => Err(ImportError::NoOutputLayer {
                shape: [self.vocabulary, self.stack.hidden],
                found: self.others(),
            }),
            [linear] => Ok(linear.into()),
            [linear, ref others @ ..] if others.iter().all(|other| self.equal(linear, other)) => {
                Ok(linear.into())
            }
            _ => Err(ImportError::Ambiguous { part: Part::OutputLayer, found: list(&found) }),
        }
    }

    /// The embedding, if there is one; the output layer `linear` if the two are tied.
    fn embedding(&self, linear: &str) -> Result<Option<String>, ImportError> {
        if let Some(name) = &self.options.embedding {
            return Ok(Some(name.clone()));
        }
        let Stack { inputs, hidden, .. } = *self.stack;
        let mut found = self.of(inputs);
        found.retain(|&name| name != linear && !self.has_bias(name));
        let can_be_one_hot = inputs == self.vocabulary;
        if can_be_one_hot || found.len() > 1 {
            // Keep only those that can't be anything else.
            found.retain(|name| is_called_embedding(name) || self.equal(name, linear));
        }
        match found[..] {
            [embedding] => Ok(Some(embedding.into())),
            [] if can_be_one_hot && !(inputs == hidden && is_called_embedding(linear)) => Ok(None),
            [] if inputs == hidden => Ok(Some(linear.into())),
            [] => Err(ImportError::NoEmbedding {
                w_ih: self.stack.shown_inputs(),
                shape: [self.vocabulary, inputs],
                found: self.others(),
            }),
            _ => Err(ImportError::Ambiguous { part: Part::Embedding, found: list(&found) }),
        }
    }

    /// The module with the bias of the output layer, if the shared weights may be stored only under
    /// the embedding's name.
    fn bias_of_tied(&self, linear: &str) -> String {
        let fits = |parameter: &Parameter<'_>| parameter.shape() == [self.vocabulary];
        let alone = self
            .modules
            .iter()
            .filter(|(_, own)| own.len() == 1 && own.get(BIAS).is_some_and(fits));
        match alone.map(|(name, _)| name).collect::<Vec<_>>()[..] {
            [one] if !self.has_bias(linear) => one.into(),
            _ => linear.into(),
        }
    }

    /// The modules whose weights are `[V, columns]`.
    fn of(&self, columns: usize) -> Vec<&str> {
        let modules = self.modules.iter();
        let fits = |parameter: &Parameter<'_>| parameter.shape() == [self.vocabulary, columns];
        modules.filter(|(_, own)| own.get(WEIGHT).is_some_and(fits)).map(|(name, _)| name).collect()
    }

    fn has_bias(&self, module: &str) -> bool {
        self.modules.get(module, BIAS).is_some()
    }

    fn equal(&self, one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|name| self.modules.get(name, WEIGHT));
        one.zip(other).is_some_and(|(one, other)| one.equals(other))
    }

    /// The parameters left in the file, with their shapes.
    fn others(&self) -> String {
        let others = self.modules.parameters();
        some(others.map(|other| format!("{} of {:?}", other.shown(), other.shape())))
    }
}

/// Whether the last part of a module's name suggests an embedding.
fn is_called_embedding(module: &str) -> bool {
    let own = module.rsplit('.').next().unwrap_or_default().to_lowercase();
    own.contains("emb") || own.contains("encoder")
}

/// The names of the weights of `modules`.
fn list(modules: &[&str]) -> String {
    let weights = modules.iter().map(|name| shown(&full_name(name, WEIGHT)));
    weights.collect::<Vec<_>>().join(" and ")
}
