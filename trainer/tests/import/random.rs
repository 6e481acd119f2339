//! Ten thousand random files: models that are imported exactly, and each again with a change after
//! which it must be refused by name.

use charcell::import_bytes;
use charcell::model::TrainedModel;
use charcell::text::Vocabulary;
use infer_core::Normalisation;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::changes::{Change, change};
use crate::model::{MAX_VOCABULARY, RandomModel};
use crate::{perplexity, suggested};

/// Two files each.
const MODELS: u64 = 5_000;

/// Characters of the text that each model predicts.
const CHARACTERS: usize = 30;

#[test]
fn random_files_are_imported_exactly_or_refused_by_name() {
    let vocabularies: Vec<Vocabulary> = (2..=MAX_VOCABULARY).map(sorted_characters).collect();
    for seed in 0..MODELS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut model = RandomModel::new(&mut random);
        let token = |_| random.random_range(0..model.characters.len());
        let tokens: Vec<usize> = (0..CHARACTERS).map(token).collect();
        let vocabulary = &vocabularies[model.characters.len() - 2];
        is_exact(seed, &model, &tokens, vocabulary);

        let Change { what, names, ignored } = change(&mut random, &mut model);
        let error = import_bytes(&model.file.bytes(), &model.characters, &model.options);
        let error = error.map(|(_, taken)| taken).expect_err(&format!("seed {seed}: {what}"));
        let is_named = names.iter().any(|name| error.contains(name.as_str()));
        assert!(is_named, "seed {seed}, {what}: {names:?} isn't named in: {error}");
        if let Some(ignored) = ignored.map(|ignored| suggested(&error).unwrap_or(ignored)) {
            model.options.ignore = ignored;
            is_exact(seed, &model, &tokens, vocabulary);
        }
    }
}

/// As many characters as there are in a model, which stand for its own in their order.
fn sorted_characters(count: usize) -> Vocabulary {
    Vocabulary::of(&('a'..).take(count).collect::<String>()).unwrap()
}

fn is_exact(seed: u64, model: &RandomModel, tokens: &[usize], vocabulary: &Vocabulary) {
    let imported = import_bytes(&model.file.bytes(), &model.characters, &model.options);
    let (parameters, taken) = imported.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let rank = |token: usize| {
        let character = model.characters[token];
        vocabulary.characters()[model.characters.iter().filter(|&&c| c < character).count()]
    };
    let text: String = tokens.iter().map(|&token| rank(token)).collect();
    let vocabulary = vocabulary.clone();
    let (normalisation, prefixes) = (Normalisation::None, vec!["a".into()]);
    let found = TrainedModel { parameters, vocabulary, normalisation, prefixes };
    let (found, expected) = (perplexity(&found, &text), model.perplexity(tokens));
    let is_close = (found / expected - 1.0).abs() < 1e-4;
    assert!(is_close, "seed {seed}: {found}, in f64 {expected}; taken: {taken}");
}
