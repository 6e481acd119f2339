//! Explains what Charcell doesn't support, so that no tensor is silently ignored.

use std::collections::BTreeSet;

use infer_core::layout::GATES;

use super::modules::{Modules, Parameter, is_within};
use super::stack::recurrent;
use crate::error::{ImportError, OtherKind};

/// Refuses other kinds of LSTMs, and tensors from which the weights are only computed, before
/// looking at any shape.
///
/// # Errors
/// Names the tensor that isn't supported.
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

/// Refuses any tensors that remain after a model of `vocabulary` characters and `hidden` units has
/// been taken from the file, whose tensors are called `names`.
///
/// # Errors
/// Names each tensor, says what it looks like, and how to leave it out.
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

/// The outermost module around a tensor that contains only tensors of the `rest`, and more than
/// one; otherwise the tensor itself.
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

/// What an unused tensor looks like, and what to do about it.
fn explain(parameter: &Parameter<'_>, vocabulary: usize, hidden: usize) -> &'static str {
    let own = own_name(parameter).to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| own.contains(part));
    let begins = |starts: &[&str]| starts.iter().any(|start| own.starts_with(start));
    let shape = parameter.shape();
    if recurrent(&own).is_some() {
        return "part of another recurrent layer; name each layer of the model, from the bottom up";
    }
    if begins(&["h0", "c0", "h_0", "c_0", "hx", "cx", "init"]) {
        return "an initial state; in Charcell, a text begins with a state of zeros";
    }
    if has(&["peep"]) || begins(&["w_ci", "w_cf", "w_co", "weight_c"]) {
        return "weights from the cell state to the gates (peepholes), which neither Charcell nor \
                PyTorch's nn.LSTM has";
    }
    if shape.iter().product::<usize>() == 1 {
        return "a single number; if it counts something, the model doesn't need it, and if it \
                scales something, multiply the weights by it";
    }
    if has(&["running_", "gamma", "beta"]) || (own == "weight" && shape.len() == 1) {
        return "part of a normalisation, such as LayerNorm or BatchNorm";
    }
    match *shape {
        [size] if size == GATES * hidden => {
            "one number for each gate of a layer; PyTorch calls the biases of gates bias_ih_l0, … \
             and bias_hh_l0, …"
        }
        [size] if size == vocabulary => {
            "one number for each character; PyTorch gives the bias of the output layer the name of \
             its weight, with bias at the end"
        }
        [_, _] => {
            "a matrix of another layer; Charcell supports only an nn.Embedding before the LSTM and \
             an nn.Linear after it; if it is one of these, name it"
        }
        _ if own == "bias" => "the bias of another layer",
        _ => "not part of any known layer",
    }
}
