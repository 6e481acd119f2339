//! What the models here don't have, in words: no tensor is left out unseen.

use std::collections::BTreeSet;

use infer_core::layout::GATES;

use super::modules::{Modules, Parameter, is_within};
use super::stack::recurrent;
use crate::error::{ImportError, OtherKind};

/// Refuses LSTMs of other kinds, and weights that aren't there themselves, before any shape is
/// looked at.
///
/// # Errors
/// Names the tensor that shows it.
pub(super) fn check_kind(modules: &Modules<'_>) -> Result<(), ImportError> {
    for parameter in modules.parameters() {
        let own = own_name(parameter);
        let without = |suffix| own.strip_suffix(suffix).and_then(recurrent).is_some();
        let kind = if without("_reverse") {
            OtherKind::TwoDirections
        } else if own.starts_with("weight_hr") {
            OtherKind::Projection
        } else if without("_raw") {
            OtherKind::WeightDrop
        } else if own.starts_with("weight") && (own.ends_with("_g") || own.ends_with("_v")) {
            OtherKind::HalfOfWeightNorm
        } else if own.ends_with("_orig") || parameter.name.contains("parametrizations.") {
            OtherKind::Parametrised
        } else {
            continue;
        };
        return Err(ImportError::OtherKind { tensor: parameter.shown(), kind });
    }
    Ok(())
}

/// Refuses all of the file's tensors, called `names`, that are left, now that everything has been
/// taken that a model of `vocabulary` characters and `hidden` units is made of.
///
/// # Errors
/// Names each tensor, says what it looks like, and how it is left out.
pub(super) fn check_rest(
    modules: &Modules<'_>,
    names: &[String],
    vocabulary: usize,
    hidden: usize,
) -> Result<(), ImportError> {
    let rest: BTreeSet<&str> = modules.parameters().flat_map(Parameter::tensors).collect();
    if rest.is_empty() {
        return Ok(());
    }
    let explained: String = modules
        .parameters()
        .map(|parameter| {
            let what = explain(parameter, vocabulary, hidden);
            format!("\n  {} of {:?}: {what}", parameter.shown(), parameter.shape())
        })
        .collect();
    let ignorable: BTreeSet<String> =
        rest.iter().map(|tensor| widest(tensor, &rest, names).to_owned()).collect();
    Err(ImportError::Unused { explained, ignorable: ignorable.into_iter().collect() })
}

/// The outermost module around a tensor that has nothing but tensors of the `rest` in it, and more
/// than one; or the tensor.
fn widest<'a>(tensor: &'a str, rest: &BTreeSet<&str>, names: &[String]) -> &'a str {
    let modules = tensor.match_indices('.').map(|(dot, _)| &tensor[..dot]);
    let mut unused = modules.filter(|module| {
        let within: Vec<&String> = names.iter().filter(|name| is_within(name, module)).collect();
        within.len() > 1 && within.iter().all(|name| rest.contains(name.as_str()))
    });
    unused.next().unwrap_or(tensor)
}

fn own_name<'a>(parameter: &'a Parameter<'_>) -> &'a str {
    parameter.name.rsplit('.').next().unwrap_or_default()
}

/// What a tensor that nothing uses looks like, and the mend.
fn explain(parameter: &Parameter<'_>, vocabulary: usize, hidden: usize) -> &'static str {
    let own = own_name(parameter).to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| own.contains(part));
    let begins = |starts: &[&str]| starts.iter().any(|start| own.starts_with(start));
    let shape = parameter.shape();
    if recurrent(&own).is_some() {
        return "a part of another recurrent layer; name each that the model is made of, from the \
                bottom up";
    }
    if begins(&["h0", "c0", "h_0", "c_0", "hx", "cx", "init"]) {
        return "an initial state; here, a text begins with a state of zeros";
    }
    if has(&["peep"]) || begins(&["w_ci", "w_cf", "w_co", "weight_c"]) {
        return "weights from the cell state to the gates (peepholes), which PyTorch's nn.LSTM \
                doesn't have either";
    }
    if shape.iter().product::<usize>() == 1 {
        return "a single number; if it counts something, the model is right without it, and if it \
                scales something, multiply the weights by it";
    }
    if has(&["running_", "gamma", "beta"]) || (own == "weight" && shape.len() == 1) {
        return "a part of a normalisation, such as LayerNorm or BatchNorm";
    }
    match *shape {
        [size] if size == GATES * hidden => {
            "as many numbers as a layer has gates; PyTorch calls their biases bias_ih_l0, …, and \
             bias_hh_l0, …"
        }
        [size] if size == vocabulary => {
            "a number for each character; PyTorch calls the bias of the output layer as its \
             weight, with bias at the end"
        }
        [_, _] => {
            "a matrix of another layer; only an nn.Embedding before the LSTM and an nn.Linear \
             after it can be taken; name them if they are these"
        }
        _ if own == "bias" => "the bias of another layer",
        _ => "of no layer that is known here",
    }
}
