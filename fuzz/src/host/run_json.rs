//! The description of a run.

use charcell::model::{Dimensions, Parameters};
use charcell::{Config, Description, Error, Precision, TextError, artifact, to_safetensors};
use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS};
use serde_json::Value;

use super::CORPUS;

/// The most parameters of a model to create from a description.
const MOST_PARAMETERS: usize = 1 << 14;

/// Values of fields.
pub(crate) const WORDS: [&[u8]; 6] = [b"adam", b"adamw", b"cosine", b"step", b"random", b"none"];

/// Reads `bytes` as a `run.json`, or as changes to one, and returns whether it is accepted. An
/// accepted description must survive a round trip, and describe a model that can be exported.
///
/// # Panics
/// If a property doesn't hold.
pub fn run_json(bytes: &[u8]) -> bool {
    let json = if bytes.starts_with(b"{") { bytes } else { &changed(bytes) };
    let Ok(description) = Description::from_json(json) else { return false };
    let written = description.to_json();
    assert!(Description::from_json(written.as_bytes()).expect("our own") == description);
    if Parameters::element_count(description.architecture()) <= MOST_PARAMETERS {
        export(&description);
    } else {
        // A reader that trusts the sizes would allocate too much memory.
        let smaller = Dimensions { hidden: 1, ..description.dimensions() };
        let weights = to_safetensors(&Parameters::zeros(smaller));
        description.model(&weights).expect_err("the weights of a smaller model");
    }
    true
}

/// Checks that the artifact of the described model matches the description.
fn export(description: &Description) {
    let mut parameters = Parameters::zeros(description.architecture());
    (0..).zip(parameters.values_mut()).for_each(|(number, value)| *value = number as f32);
    let model = description.clone().model(&to_safetensors(&parameters)).expect("its own weights");
    assert!(model.parameters == parameters);
    let artifact = match artifact(&model, Precision::F32) {
        Ok(artifact) => artifact,
        // Training and import check this, but somebody may have changed the file.
        Err(Error::Text(TextError::UnknownCharacters(_))) => return,
        Err(error) => panic!("{error}"),
    };
    let loaded = artifact.model().expect("an artifact that was just exported");
    let header = loaded.header();
    assert_eq!(loaded.dimensions(), description.dimensions());
    assert!(header.vocabulary.chars().eq(description.vocabulary.iter().copied()));
    assert_eq!(header.normalisation, description.normalisation);
    let replacement = header.replacement.map(|token| description.vocabulary[usize::from(token)]);
    assert_eq!(replacement, description.source.replacement);
    assert_eq!(header.prefixes.len(), description.config.prefixes.len());
    for prefix in &header.prefixes {
        loaded.tokens(prefix, None).expect("characters of the vocabulary");
    }
}

/// A valid description after `changes` of [`CHANGE_BYTES`] each: a field, a kind of change, and a
/// value.
fn changed(changes: &[u8]) -> Vec<u8> {
    let mut json = serde_json::to_value(small()).expect("plain values as JSON");
    for [object, field, kind, value @ ..] in changes.as_chunks::<CHANGE_BYTES>().0 {
        let object = OBJECTS[usize::from(*object) % OBJECTS.len()];
        let fields = json.pointer_mut(object).and_then(Value::as_object_mut);
        let Some(fields) = fields.filter(|fields| !fields.is_empty()) else { continue };
        let Some(name) = fields.keys().nth(usize::from(*field) % fields.len()).cloned() else {
            continue;
        };
        match new_value(*kind, *value) {
            Some(value) => fields.insert(name, value),
            None => fields.remove(&name),
        };
    }
    json.to_string().into_bytes()
}

/// A value of some `kind`, made from `bytes`; nothing: the field is removed.
fn new_value(kind: u8, bytes: [u8; 8]) -> Option<Value> {
    let number = u64::from_le_bytes(bytes);
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches('\0');
    Some(match kind % 8 {
        0 => (number % 8).into(),
        1 => (number % 2048).into(),
        2 => number.into(),
        3 => f64::from_bits(number).into(),
        4 => f64::from(f32::from_bits(number as u32)).into(),
        5 => text.into(),
        6 => text.chars().map(String::from).collect(),
        _ if number == 0 => return None,
        _ => Value::Null,
    })
}

const CHANGE_BYTES: usize = 11;

/// The objects in a description.
const OBJECTS: [&str; 3] = ["", "/config", "/source"];

/// Descriptions of runs: a small one, one with its own text, and one of the largest size; and some
/// changes.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut other = small();
    other.source.files = vec!["a.txt".into()];
    other.source.characters = Some(120);
    other.source.replacement = Some('t');
    let mut largest = other.clone();
    (largest.config.hidden, largest.config.layers) = (MAX_HIDDEN, MAX_LAYERS);
    let written = [small(), other, largest].map(|it| it.to_json().into_bytes());
    let changes = [
        change("", "vocabulary", 6, *b" aehlort"),
        change("/config", "hidden", 0, 3_u64.to_le_bytes()),
        change("/config", "learning_rate", 4, u64::from(0.5_f32.to_bits()).to_le_bytes()),
        change("/config", "prefixes", 6, *b"the hat "),
        change("/config", "seed", 2, u64::MAX.to_le_bytes()),
    ];
    written.into_iter().chain([changes.concat()]).collect()
}

/// A change of `field` in an object.
fn change(object: &str, field: &str, kind: u8, value: [u8; 8]) -> Vec<u8> {
    let json = serde_json::to_value(small()).expect("plain values as JSON");
    let fields = json.pointer(object).and_then(Value::as_object).expect("an object");
    let field = fields.keys().position(|name| name == field).expect("one of its fields");
    let object = OBJECTS.iter().position(|name| *name == object).expect("one of the objects");
    [&[object as u8, field as u8, kind], &value[..]].concat()
}

/// The description of a model of one unit.
fn small() -> Description {
    let config = Config { hidden: 1, prefixes: vec!["the".into()], ..Config::default() };
    Description::new(&CORPUS, &config, 7)
}
