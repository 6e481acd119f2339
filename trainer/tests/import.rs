//! Models of PyTorch as runs; `pytorch/reference.py` made the files.

use std::fs;
use std::path::{Path, PathBuf};

use charcell::{Error, ModuleNames, Weights, artifact, evaluate, import};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tempfile::TempDir;

/// What the models in the files know, in the order of their inputs.
const VOCABULARY: &str = r#"["t", "e", " ", "h", "a"]"#;

fn text() -> String {
    "the heat at the hat ate the teeth that the heath hath ".repeat(4)
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch").join(name)
}

fn vocabulary(folder: &TempDir, json: &str) -> PathBuf {
    let path = folder.path().join("vocabulary.json");
    fs::write(&path, json).unwrap();
    path
}

fn names(lstm: &str, linear: &str) -> ModuleNames {
    ModuleNames { lstm: lstm.into(), linear: linear.into() }
}

#[test]
fn imported_models_predict_as_in_pytorch() {
    let folder = TempDir::new().unwrap();
    let vocabulary = vocabulary(&folder, VOCABULARY);
    for (name, names, layers) in [
        ("import_two_biases.safetensors", ModuleNames::default(), 2),
        ("import_no_bias.safetensors", names("encoder.rnn", "decoder"), 1),
    ] {
        let model = import(&file(name), &names, &vocabulary, &[]).unwrap();
        assert_eq!(model.parameters.dimensions().layers, layers);
        assert_eq!(model.prefixes, ["a"]);
        let artifact = artifact(&model, Weights::F32).unwrap();
        let tokens = model.vocabulary.tokens(&text()).unwrap();
        let found = evaluate(&artifact.model().unwrap(), &tokens).perplexity;
        let bytes = fs::read(file(name)).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let expected = tensors.tensor("expected.perplexity").unwrap().data().try_into().unwrap();
        let expected = f64::from(f32::from_le_bytes(expected));
        assert!((found / expected - 1.0).abs() < 1e-4, "{name}: {found}, PyTorch {expected}");
    }
}

fn refused(path: &Path, names: &ModuleNames, vocabulary: &Path, parts: &[&str]) {
    let error: Error = import(path, names, vocabulary, &[]).unwrap_err();
    let error = error.to_string();
    for part in parts {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn what_is_missing_or_unfit_is_named() {
    let folder = TempDir::new().unwrap();
    let vocabulary_path = vocabulary(&folder, VOCABULARY);
    let good = file("import_two_biases.safetensors");
    let default = ModuleNames::default();
    let missing = ["the tensor rnn.weight_hh_l0 is missing", "lstm.weight_hh_l0", "--lstm-name"];
    refused(&good, &names("rnn", "linear"), &vocabulary_path, &missing);
    refused(&good, &names("lstm", "head"), &vocabulary_path, &["head.weight", "--linear-name"]);
    refused(&folder.path().join("none"), &default, &vocabulary_path, &["cannot read", "none"]);
    refused(&vocabulary_path, &default, &vocabulary_path, &["not safetensors"]);

    let bytes = fs::read(&good).unwrap();
    // The file with one tensor replaced.
    let only = |wanted: &str, (new_name, shape, dtype): (&str, Vec<usize>, Dtype)| {
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let count: usize = shape.iter().product();
        let data = vec![0_u8; count * dtype.bitsize() / 8];
        let mut views: Vec<(String, TensorView<'_>)> = tensors.tensors();
        views.retain(|(name, _)| name != wanted);
        views.push((new_name.into(), TensorView::new(dtype, shape, &data).unwrap()));
        let path = folder.path().join("changed.safetensors");
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        path
    };
    let path = only("lstm.weight_hh_l1", ("lstm.weight_hh_l1", vec![28, 6], Dtype::F32));
    refused(&path, &default, &vocabulary_path, &["lstm.weight_hh_l1 is of [28, 6]", "[28, 7]"]);
    let path = only("lstm.bias_hh_l1", ("lstm.bias_hh_l1", vec![27], Dtype::F32));
    refused(&path, &default, &vocabulary_path, &["lstm.bias_hh_l1 is of [27]", "[28]"]);
    let path = only("linear.weight", ("linear.weight", vec![5, 7], Dtype::F16));
    refused(&path, &default, &vocabulary_path, &["linear.weight is of F16", ".float()"]);
    let path = only("lstm.weight_hh_l0", ("lstm.weight_hh_l0", vec![30, 7], Dtype::F32));
    refused(&path, &default, &vocabulary_path, &["lstm.weight_hh_l0 is of [30, 7]", "[4H, H]"]);
    let path = only("lstm.bias_hh_l1", ("lstm.weight_hr_l0", vec![3, 7], Dtype::F32));
    refused(&path, &default, &vocabulary_path, &["lstm.weight_hr_l0", "a projection"]);
    let path = only("lstm.bias_hh_l1", ("lstm.bias_ih_l0_reverse", vec![28], Dtype::F32));
    refused(&path, &default, &vocabulary_path, &["bias_ih_l0_reverse", "two directions"]);

    let more = vocabulary(&folder, r#"["t", "e", " ", "h", "a", "x"]"#);
    refused(&good, &default, &more, &["lstm.weight_ih_l0 is of [28, 5]", "6 characters"]);
}
