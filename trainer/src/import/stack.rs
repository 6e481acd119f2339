//! The layers of the LSTM: an `nn.LSTM`, an `nn.LSTMCell`, or several stacked on each other.

use infer_core::layout::{GATES, MAX_HIDDEN, MAX_LAYERS};

use super::file::{shown, some};
use super::modules::{Modules, Parameter, full_name, shown_module};
use crate::error::{ImportError, OtherKind, Part, TensorError};

/// The names of a layer's input weights and recurrent weights.
const WEIGHTS: [&str; 2] = ["weight_ih", "weight_hh"];

/// The names of the two biases of a gate, which are added.
const BIASES: [&str; 2] = ["bias_ih", "bias_hh"];

/// The parameters of a layer, as `[4H, inputs]` and `[4H]`.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    pub(super) w_ih: Parameter<'a>,
    pub(super) w_hh: Parameter<'a>,
    /// At most two.
    pub(super) biases: Vec<Parameter<'a>>,
}

/// The layers from the bottom up, all of H units.
#[derive(Debug)]
pub(super) struct Stack<'a> {
    /// The modules that they are in.
    pub(super) modules: Vec<String>,
    pub(super) layers: Vec<Layer<'a>>,
    /// H.
    pub(super) hidden: usize,
    /// Inputs of the lowest layer.
    pub(super) inputs: usize,
}

/// The name of a recurrent module's parameter without the layer, and the layer, which a cell's
/// parameters don't have.
pub(super) fn recurrent(name: &str) -> Option<(&str, Option<usize>)> {
    let (kind, layer) = match name.rsplit_once("_l") {
        Some((kind, digits)) => {
            let layer: usize = digits.parse().ok()?;
            // PyTorch never writes `_l01`.
            (kind, Some(layer).filter(|layer| layer.to_string() == digits)?.into())
        }
        None => (name, None),
    };
    let is_known = WEIGHTS.contains(&kind) || BIASES.contains(&kind);
    is_known.then_some((kind, layer))
}

/// The name within its module of the parameter `kind` of a layer.
fn own_name(kind: &str, layer: Option<usize>) -> String {
    layer.map_or_else(|| kind.into(), |layer| format!("{kind}_l{layer}"))
}

impl<'a> Stack<'a> {
    /// Takes the layers of the modules `names`, from the bottom up; without names, those of the
    /// only module in the file, or of numbered cells.
    ///
    /// # Errors
    /// Names a module or tensor that is missing or unfit, or the modules to choose from.
    pub(super) fn take(modules: &mut Modules<'a>, names: &[String]) -> Result<Self, ImportError> {
        let names = choose(modules, names)?;
        let mut layers = Vec::new();
        for name in &names {
            for layer in layers_of(modules, name)? {
                layers.push(Layer::take(modules, name, layer)?);
                if layers.len() > MAX_LAYERS {
                    let tensor = layers[MAX_LAYERS].w_hh.shown();
                    return Err(ImportError::TooManyLayers { tensor });
                }
            }
        }
        let hidden = hidden(&layers[0].w_hh)?;
        for (number, layer) in layers.iter().enumerate() {
            layer.check(number, hidden)?;
        }
        let w_ih = &layers[0].w_ih;
        match *w_ih.shape() {
            [gates, inputs] if gates == GATES * hidden && inputs > 0 => {
                Ok(Self { modules: names, layers, hidden, inputs })
            }
            _ => {
                let (expected, reason) =
                    (format!("[{}, inputs]", GATES * hidden), format!("there are {hidden} units"));
                Err(w_ih.unfit(expected, reason, false).into())
            }
        }
    }

    /// The input weights of the lowest layer, and their shape.
    pub(super) fn shown_inputs(&self) -> String {
        let w_ih = &self.layers[0].w_ih;
        format!("{} of {:?}", w_ih.shown(), w_ih.shape())
    }
}

/// The modules to take, from the bottom up.
fn choose(modules: &Modules<'_>, names: &[String]) -> Result<Vec<String>, ImportError> {
    let is_weight = |own: &String| recurrent(own).is_some_and(|(kind, _)| WEIGHTS.contains(&kind));
    let found: Vec<&str> =
        modules.iter().filter(|(_, own)| own.keys().any(is_weight)).map(|(name, _)| name).collect();
    let shown = some(found.iter().map(|name| shown_module(name)));
    if let Some(missing) = names.iter().find(|name| !found.contains(&name.as_str())) {
        return Err(ImportError::NoLstmCalled { name: shown_module(missing), found: shown });
    }
    if !names.is_empty() {
        return Ok(names.into());
    }
    match found[..] {
        [] => Err(ImportError::NoLstm { found: some(modules.parameters().map(Parameter::shown)) }),
        [one] => Ok(vec![one.into()]),
        _ => {
            let is_cell =
                |name: &&str| WEIGHTS.iter().any(|weight| modules.get(name, weight).is_some());
            let in_order = numbered(&found).filter(|_| found.iter().all(is_cell));
            in_order.ok_or(ImportError::Ambiguous { part: Part::Lstm, found: shown })
        }
    }
}

/// Names that differ only in one number, 0, 1, 2, … or 1, 2, 3, …, sorted by it.
fn numbered(names: &[&str]) -> Option<Vec<String>> {
    let first = names.first()?;
    let digits = |&(at, character): &(usize, char)| {
        character.is_ascii_digit() && !first[..at].ends_with(|before: char| before.is_ascii_digit())
    };
    first.char_indices().filter(digits).find_map(|(at, _)| {
        let (before, rest) = first.split_at(at);
        let after = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        let number = |name: &&str| {
            let number = name.strip_prefix(before)?.strip_suffix(after)?;
            Some((number.parse::<usize>().ok()?, (*name).to_owned()))
        };
        let mut numbered: Vec<(usize, String)> = names.iter().map(number).collect::<Option<_>>()?;
        numbered.sort_unstable();
        let start = numbered[0].0.min(1);
        let in_order = (start..).zip(&numbered).all(|(expected, &(number, _))| number == expected);
        in_order.then(|| numbered.into_iter().map(|(_, name)| name).collect())
    })
}

/// The layers of a module: 0 to its highest, or, for a cell, a single one without a number.
///
/// # Errors
/// Names the module if it is neither or both, or a bias that other layers have but this one lacks.
fn layers_of(modules: &Modules<'_>, module: &str) -> Result<Vec<Option<usize>>, ImportError> {
    let own = modules.iter().filter(|&(name, _)| name == module).flat_map(|(_, own)| own.keys());
    let numbers: Vec<Option<usize>> = own.filter_map(|own| Some(recurrent(own)?.1)).collect();
    let is_cell = numbers.contains(&None);
    let layers = match numbers.into_iter().flatten().max() {
        None if is_cell => vec![None],
        // One layer more than allowed is enough to be refused.
        Some(highest) if !is_cell => (0..=highest.min(MAX_LAYERS)).map(Some).collect(),
        None => return Err(ImportError::NamedTwice { module: shown_module(module) }),
        Some(_) => {
            let found = left_in(modules, module);
            return Err(ImportError::LstmAndCell { module: shown_module(module), found });
        }
    };
    for kind in BIASES {
        let has = |&layer: &Option<usize>| modules.get(module, &own_name(kind, layer)).is_some();
        if let (true, Some(&layer)) =
            (layers.iter().any(has), layers.iter().find(|layer| !has(layer)))
        {
            return Err(missing(modules, module, kind, layer));
        }
    }
    Ok(layers)
}

fn missing(modules: &Modules<'_>, module: &str, kind: &str, layer: Option<usize>) -> ImportError {
    let tensor = shown(&full_name(module, &own_name(kind, layer)));
    ImportError::Missing { tensor, left: left_in(modules, module) }
}

/// The parameters of a module, and of modules within it, that haven't been used yet.
fn left_in(modules: &Modules<'_>, module: &str) -> String {
    let within = modules.parameters().filter(|parameter| parameter.name.starts_with(module));
    some(within.map(Parameter::shown))
}

impl<'a> Layer<'a> {
    fn take(
        modules: &mut Modules<'a>,
        module: &str,
        layer: Option<usize>,
    ) -> Result<Self, ImportError> {
        let mut weights = |kind: &str| {
            let found = modules.take(module, &own_name(kind, layer));
            found.ok_or_else(|| missing(modules, module, kind, layer))
        };
        let [w_ih, w_hh] = WEIGHTS.map(&mut weights);
        let (w_ih, w_hh) = (w_ih?, w_hh?);
        let biases = BIASES.iter().filter_map(|kind| modules.take(module, &own_name(kind, layer)));
        Ok(Self { w_ih, w_hh, biases: biases.collect() })
    }

    /// Checks that the layer, the `number`th from below, has `hidden` units.
    fn check(&self, number: usize, hidden: usize) -> Result<(), TensorError> {
        let gates = GATES * hidden;
        let reason = format!("all layers must have as many units as the lowest, {hidden}");
        self.w_hh.expect(&[gates, hidden], &reason)?;
        if number > 0 {
            let reason = format!("its inputs are the outputs of the {hidden} units below it");
            self.w_ih.expect(&[gates, hidden], &reason)?;
        }
        let reason = format!("one number for each of the four gates of {hidden} units");
        self.biases.iter().try_for_each(|bias| bias.expect(&[gates], &reason))
    }
}

/// H, from the recurrent weights of the lowest layer.
fn hidden(w_hh: &Parameter<'_>) -> Result<usize, ImportError> {
    let tensor = w_hh.shown();
    match *w_hh.shape() {
        [gates, hidden] if hidden > 0 && gates == GATES * hidden => {
            if hidden > MAX_HIDDEN {
                return Err(ImportError::TooManyUnits { tensor, shape: [gates, hidden] });
            }
            Ok(hidden)
        }
        [gates, hidden] if hidden > 0 && gates == hidden => {
            Err(ImportError::OtherKind { tensor, kind: OtherKind::Rnn })
        }
        [gates, hidden] if hidden > 0 && gates == 3 * hidden => {
            Err(ImportError::OtherKind { tensor, kind: OtherKind::Gru })
        }
        _ => Err(w_hh.unfit("[4H, H]".into(), "four gates for each of H units", false).into()),
    }
}
