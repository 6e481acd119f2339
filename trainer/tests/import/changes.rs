//! Changes that make a random file wrong.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::file::Tensor;
use crate::model::RandomModel;

/// A change to a file.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) what: &'static str,
    /// The error must name one of these.
    pub(crate) names: Vec<String>,
    /// If these are ignored, the model is unchanged.
    pub(crate) ignored: Option<Vec<String>>,
}

/// Changes the file of `model` so that it must be refused.
pub(crate) fn change(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Change {
    type Kind = fn(&mut ChaCha8Rng, &mut RandomModel) -> Option<Change>;
    let kinds: [Kind; 8] =
        [extra, missing, renamed, reshaped, huge, of_another_type, not_finite, twice];
    loop {
        // Not every change makes every model invalid.
        let kind = kinds.choose(random).unwrap();
        if let Some(change) = kind(random, model) {
            return change;
        }
    }
}

/// A change for which the error must contain one of `names`.
fn refused(what: &'static str, names: Vec<String>) -> Option<Change> {
    Some(Change { what, names, ignored: None })
}

fn extra(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Option<Change> {
    let (vocabulary, hidden) = (model.characters.len(), model.hidden);
    let kinds: [(&str, &str, &[usize]); 14] = [
        ("norm", "weight", &[hidden]),
        ("norm", "running_mean", &[hidden]),
        ("second", "weight", &[vocabulary + 7, hidden]),
        ("second", "weight_hh_l0", &[4 * hidden, hidden]),
        ("gru", "weight_ih_l0", &[3 * hidden, vocabulary]),
        ("second", "bias_ih_l0", &[4 * hidden]),
        ("back", "weight_ih_l0_reverse", &[4 * hidden, vocabulary]),
        ("back", "weight_hr_l0", &[1, hidden]),
        ("drop", "weight_hh_l0_raw", &[4 * hidden, hidden]),
        ("state", "h0", &[1, 1, hidden]),
        ("loss", "scale", &[]),
        ("extra", "bias", &[vocabulary + 1]),
        ("extra", "weight_ci", &[hidden]),
        ("extra", "", &[3, 0, 2]),
    ];
    let (module, own, shape) = *kinds.choose(random).unwrap();
    let name = if own.is_empty() { module.into() } else { format!("{module}.{own}") };
    model.file.add(&name, shape);
    let ignored = if random.random_ratio(1, 2) { module.into() } else { name.clone() };
    let (names, ignored) = (vec![name, module.into()], Some(vec![ignored]));
    Some(Change { what: "extra", names, ignored })
}

/// A random tensor, unless its role depends on another's shape.
fn victim<'a>(random: &mut ChaCha8Rng, model: &'a mut RandomModel) -> Option<&'a mut Tensor> {
    // Without an embedding as wide as the LSTM or the vocabulary, the file would be another valid
    // model.
    let [vocabulary, hidden] = [model.characters.len(), model.hidden];
    let can_be_other = model.embedding.is_some_and(|e| e == vocabulary || e == hidden);
    let at = random.random_range(0..model.file.tensors.len());
    let tensor = &mut model.file.tensors[at];
    let is_end = tensor.shape.len() != 1 && tensor.shape.first() == Some(&vocabulary);
    (!(can_be_other && is_end)).then_some(tensor)
}

fn missing(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Option<Change> {
    let tensor = victim(random, model)?;
    // Without a bias, the file would be another valid model.
    let name = tensor.name.clone();
    if tensor.shape.len() < 2 && name.contains("bias") {
        return None;
    }
    model.file.remove(&name);
    refused("missing", vec![half(&name), "output layer".into(), "embedding".into()])
}

/// What the names of both halves of a weight normalisation have in common; for any other tensor,
/// its name.
fn half(tensor: &str) -> String {
    let is_half = parameter(tensor) != tensor;
    tensor[..tensor.len() - usize::from(is_half)].into()
}

fn renamed(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Option<Change> {
    let tensor = victim(random, model)?;
    let end = ["x", "_l0", "_l01", "_", "s"].choose(random)?;
    let (module, _) = tensor.name.rsplit_once('.')?;
    let mut names = vec![half(&tensor.name), format!("{module}.weight and ")];
    tensor.name += end;
    names.push(tensor.name.clone());
    // Half of a weight normalisation may remain; without its bias, a module may be ambiguous.
    refused("renamed", names)
}

fn reshaped(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Option<Change> {
    let (vocabulary, hidden) = (model.characters.len(), model.hidden);
    let tensor = victim(random, model)?;
    let mut shape = tensor.shape.clone();
    match random.random_range(0..3) {
        // One magnitude for each row may also be valid as one for each column.
        0 if !shape.contains(&1) => shape.reverse(),
        1 => shape.insert(0, 1),
        _ => *shape.last_mut()? += 1,
    }
    // A single number in another shape, or a matrix that could also be valid.
    let may_be_right = match shape[..] {
        [1] => true,
        [_, columns] => [1, hidden, vocabulary].contains(&columns),
        _ => false,
    };
    if shape == tensor.shape || may_be_right {
        return None;
    }
    let bytes = tensor.data.len() / tensor.shape.iter().product::<usize>();
    tensor.data.resize(bytes * shape.iter().product::<usize>(), 0);
    tensor.shape = shape;
    refused("reshaped", vec![tensor.name.clone(), parameter(&tensor.name)])
}

/// The parameter that a tensor is a part of.
fn parameter(tensor: &str) -> String {
    let name = tensor.replace("parametrizations.", "");
    let ends = ["_g", "_v", ".original0", ".original1"];
    let end = ends.iter().find(|end| name.ends_with(*end)).copied().unwrap_or_default();
    name[..name.len() - end.len()].into()
}

fn huge(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Option<Change> {
    let at = random.random_range(0..model.file.tensors.len());
    let tensor = &mut model.file.tensors[at];
    tensor.shape.push(*[1 << 20, usize::MAX, 0].choose(random)?);
    refused("huge", vec![tensor.name.clone()])
}

fn of_another_type(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Option<Change> {
    let tensor = victim(random, model)?;
    let (dtype, bytes) =
        *[("I64", 8), ("I8", 1), ("BOOL", 1), ("U32", 4), ("F8_E4M3", 1)].choose(random)?;
    tensor.dtype = dtype.into();
    tensor.data = vec![0; bytes].repeat(tensor.shape.iter().product());
    refused("of another type", vec![tensor.name.clone()])
}

fn not_finite(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Option<Change> {
    let tensor = victim(random, model)?;
    let count: usize = tensor.shape.iter().product();
    let index = random.random_range(0..count);
    let size = tensor.data.len() / count;
    // Set all bits of the exponent.
    tensor.data[(index + 1) * size - 2..][..2].copy_from_slice(&[0xf8, 0xff]);
    refused("not finite", vec![format!("{} has NaN at [", tensor.name)])
}

fn twice(random: &mut ChaCha8Rng, model: &mut RandomModel) -> Option<Change> {
    let tensor = model.file.tensors.choose(random)?.clone();
    let name = tensor.name.clone();
    model.file.tensors.push(tensor);
    refused("twice", vec![format!("it has {name} twice")])
}
