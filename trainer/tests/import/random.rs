//! Ten thousand random files: models that must be imported exactly, and each again with a change,
//! which must be refused by name.

use charcell::{Imported, import};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::changes::{Change, change};
use crate::model::RandomModel;
use crate::{perplexity, suggested};

/// Each model is written to two files.
const MODELS: u64 = 5_000;

/// Characters of the text that each model predicts.
const CHARACTERS: usize = 30;

#[test]
fn random_files_are_imported_exactly_or_refused_by_name() {
    for seed in 0..MODELS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut model = RandomModel::new(&mut random);
        let token = |_| random.random_range(0..model.characters.len());
        let tokens: Vec<usize> = (0..CHARACTERS).map(token).collect();
        is_exact(seed, &model, &tokens);

        let Change { what, names, ignored } = change(&mut random, &mut model);
        let error = match import(&model.file.bytes(), &model.characters, &model.options) {
            Err(error) => error,
            Ok(Imported { notes, .. }) => panic!("seed {seed}: {what} is accepted: {notes:?}"),
        };
        let said = error.to_string();
        let is_named = names.iter().any(|name| said.contains(name.as_str()));
        assert!(is_named, "seed {seed}, {what}: {names:?} isn't named in: {said}");
        if let Some(ignored) = ignored {
            model.options.ignore = suggested(&error).map_or(ignored, Into::into);
            is_exact(seed, &model, &tokens);
        }
    }
}

fn is_exact(seed: u64, model: &RandomModel, tokens: &[usize]) {
    let imported = import(&model.file.bytes(), &model.characters, &model.options);
    let imported = imported.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let text: String = tokens.iter().map(|&token| model.characters[token]).collect();
    let (found, expected) = (perplexity(&imported.model, &text), model.perplexity(tokens));
    let is_close = (found / expected - 1.0).abs() < 1e-4;
    assert!(is_close, "seed {seed}: {found}, in f64 {expected}; notes: {:?}", imported.notes);
}
