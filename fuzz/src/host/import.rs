//! PyTorch models.

use std::collections::BTreeSet;

use charcell::model::Dimensions;
use charcell::{ImportOptions, Imported, from_safetensors, to_safetensors};
use safetensors::SafeTensors;

/// The characters of the seed models, sorted.
const CHARACTERS: [char; 5] = [' ', 'a', 'e', 'h', 't'];

/// Imports `bytes` as safetensors, and returns whether they are accepted. An accepted model must be
/// finite, its file must be valid for the crate `safetensors` too, and it must survive a round trip
/// through both readers.
///
/// # Panics
/// If a property doesn't hold.
pub fn import(bytes: &[u8]) -> bool {
    let options = ImportOptions::default();
    let Ok(Imported { model, .. }) = charcell::import(bytes, &CHARACTERS, &options) else {
        // Read as the weights of a run, with the sizes of most seeds.
        let dimensions = Dimensions { vocabulary: CHARACTERS.len(), hidden: 4, layers: 1 };
        return from_safetensors(bytes, dimensions).is_ok();
    };
    let parameters = model.parameters;
    assert!(parameters.values().iter().all(|value| value.is_finite()));
    let written = to_safetensors(&parameters);
    let again = charcell::import(&written, &CHARACTERS, &options).expect("a model of ours");
    assert!(again.model.parameters == parameters);
    assert!(from_safetensors(&written, parameters.dimensions()).expect("our own") == parameters);
    if names(bytes) == names(&written)
        && let Ok(own) = from_safetensors(bytes, parameters.dimensions())
    {
        assert!(own == parameters);
    }
    true
}

/// The names of all tensors in a file.
fn names(file: &[u8]) -> BTreeSet<String> {
    let file = SafeTensors::deserialize(file).expect("stricter than safetensors itself");
    file.names().into_iter().map(str::to_owned).collect()
}
