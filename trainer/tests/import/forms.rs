//! Each form in which PyTorch writes a model; `pytorch/forms.py` made the files.

use std::fs;

use charcell::{Error, ImportOptions, TextError, import};
use infer_core::Normalisation;
use safetensors::SafeTensors;

use crate::file::{File, form_path};
use crate::perplexity;

/// The characters of the models in the files, in the order of their inputs.
pub(crate) const VOCABULARY: [char; 5] = ['t', 'e', ' ', 'h', 'a'];

fn text() -> String {
    "the heat at the hat ate the teeth that the heath hath ".repeat(4)
}

#[test]
fn every_form_predicts_as_in_pytorch() {
    let plain = ImportOptions::default;
    let stacked = ["lower", "alpha"].map(str::to_owned).into();
    let mut forms = vec![
        ("two_lstms", 2, ImportOptions { lstm: stacked, ..plain() }),
        ("averaged", 1, ImportOptions { ignore: vec!["n_averaged".into()], ..plain() }),
        ("two_biases", 2, plain()),
        ("cells", 3, plain()),
    ];
    let simple = [
        "no_bias",
        "embedding",
        "embedding_as_wide_as_the_lstm",
        "embedding_as_wide_as_the_vocabulary",
        "as_many_units_as_characters",
        "tied",
        "tied_one_name",
        "tied_as_many_units_as_characters",
        "cell",
        "weight_norm",
        "parametrizations",
        "wrapped",
        "half",
        "bfloat16",
        "double",
    ];
    forms.extend(simple.map(|form| (form, 1, plain())));
    for (form, layers, options) in forms {
        let bytes = fs::read(form_path(form)).unwrap();
        let model = import(&bytes, &VOCABULARY, &options).unwrap().model;
        assert_eq!(model.parameters.dimensions().layers, layers, "{form}");
        let found = perplexity(&model, &text());
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let expected: f64 = header.metadata().as_ref().unwrap()["perplexity"].parse().unwrap();
        assert!((found / expected - 1.0).abs() < 1e-6, "{form}: {found}, PyTorch {expected}");
    }
}

#[test]
fn missing_biases_are_reported() {
    let mut file = File::of_form("two_biases");
    for (kind, said) in [
        ("bias_hh", "in lstm with only lstm.bias_ih_l0 on"),
        ("bias_ih", "in lstm without biases on"),
    ] {
        for layer in 0..2 {
            file.remove(&format!("lstm.{kind}_l{layer}"));
        }
        let imported = import(&file.bytes(), &VOCABULARY, &ImportOptions::default()).unwrap();
        assert!(imported.notes[0].contains(said), "{}", imported.notes[0]);
    }
}

#[test]
fn notes_say_how_the_file_was_interpreted() {
    let bytes = fs::read(form_path("averaged")).unwrap();
    let import = |options: &_| import(&bytes, &['T', 'e', ' ', 'h', 'a'], options);
    let options = ImportOptions {
        ignore: vec!["module.linear.bias".into(), "n_averaged".into()],
        normalisation: Normalisation::LowerCase,
        prefixes: vec!["HA\n".into()],
        ..ImportOptions::default()
    };
    let imported = import(&options).unwrap();
    assert_eq!(imported.model.normalisation, Normalisation::LowerCase);
    let [taken, vocabulary_note] = &imported.notes[..] else { panic!("{:?}", imported.notes) };
    assert_eq!(
        taken,
        "1 layer(s) of 4 units in module.lstm on one-hot characters; output layer \
         module.linear.weight without a bias; left out: module.linear.bias, n_averaged"
    );
    assert!(vocabulary_note.contains("'T'"), "{vocabulary_note}");

    let options = ImportOptions { prefixes: Vec::new(), ..options };
    assert_eq!(import(&options).unwrap().model.prefixes, ["a"]);
    let options = ImportOptions { prefixes: vec!["that".into()], ..options };
    let error = import(&options).unwrap_err();
    let Error::Text(TextError::UnknownCharacters(unknown)) = error else { panic!("{error}") };
    assert!(unknown.positions().eq([('t', 0)]), "{unknown}");

    let options = ImportOptions { replacement: Some('T'), ..options };
    let imported = import(&options).unwrap();
    assert_eq!(imported.model.vocabulary.replacement(), Some('T'));
    assert_eq!(imported.notes.len(), 1, "{:?}", imported.notes);
    let error = import(&ImportOptions { replacement: Some('?'), ..options }).unwrap_err();
    assert!(matches!(error, Error::Text(TextError::Replacement { character: '?' })), "{error}");
}
