//! What a host reads.

use charcell::{ImportOptions, import_bytes, to_safetensors};
use safetensors::SafeTensors;

/// The characters of the models that the search starts from, sorted.
const CHARACTERS: [char; 5] = [' ', 'a', 'e', 'h', 't'];

/// Imports `bytes` as safetensors, which may be refused; what is taken must be finite, a file for
/// the crate `safetensors` too, and the same after it was written and read again.
///
/// # Panics
/// If it isn't so.
pub fn import(bytes: &[u8]) {
    let options = ImportOptions::default();
    let Ok((parameters, _)) = import_bytes(bytes, &CHARACTERS, &options) else { return };
    assert!(parameters.values().iter().all(|value| value.is_finite()));
    SafeTensors::deserialize(bytes).expect("stricter than safetensors itself");
    let written = to_safetensors(&parameters);
    let again = import_bytes(&written, &CHARACTERS, &options).expect("a model of ours");
    assert!(again.0 == parameters);
}
