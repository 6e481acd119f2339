//! What is refused, and in which words: each tensor is named, with what to do.

use charcell::{Error, ImportOptions, import};

use crate::file::{File, Tensor};
use crate::forms::VOCABULARY;
use crate::suggested;

/// A change to a file, and what the error must say then.
type Case<'a> = (&'a dyn Fn(&mut File), &'a [&'a str]);

fn error(file: &File, options: &ImportOptions) -> Error {
    import(&file.bytes(), &VOCABULARY, options).unwrap_err()
}

/// Each change to the file of `form` must be refused in these words.
fn refused(form: &str, cases: &[Case<'_>]) {
    for (change, parts) in cases {
        let mut file = File::of_form(form);
        change(&mut file);
        let error = error(&file, &ImportOptions::default());
        let said = error.to_string();
        for part in *parts {
            assert!(said.contains(part), "{part:?} isn't in: {said}");
        }
        if let Some(ignore) = suggested(&error) {
            let options = ImportOptions { ignore: ignore.into(), ..ImportOptions::default() };
            import(&file.bytes(), &VOCABULARY, &options).unwrap();
        }
    }
}

#[test]
fn other_kinds_of_layers_have_words_of_their_own() {
    // Two layers of 7 units, an output layer, five characters.
    refused(
        "two_biases",
        &[
            (&|f| f.add("lstm.weight_ih_l0_reverse", &[28, 5]), &["l0_reverse", "two directions"]),
            (&|f| f.add("lstm.weight_hr_l0", &[3, 7]), &["lstm.weight_hr_l0", "projection"]),
            (&|f| f.add("lstm.weight_hh_l0_raw", &[28, 7]), &["l0_raw", "weight-drop"]),
            (
                &|f| f.add("decoder.weight_hh_l0", &[28, 7]),
                &["decoder, lstm", "more than one LSTM"],
            ),
            (
                &|f| *f.get("lstm.weight_hh_l0") = Tensor::zeros("lstm.weight_hh_l0", &[21, 7]),
                &["lstm.weight_hh_l0 is of [21, 7]", "GRU"],
            ),
            (
                &|f| *f.get("lstm.weight_hh_l0") = Tensor::zeros("lstm.weight_hh_l0", &[7, 7]),
                &["lstm.weight_hh_l0 is of [7, 7]", "RNN"],
            ),
            (&|f| f.add("hidden.weight", &[9, 7]), &["hidden.weight of [9, 7]", "another layer"]),
            (&|f| f.add("h0", &[2, 1, 7]), &["h0 of [2, 1, 7]", "initial state"]),
            (&|f| f.add("lstm.weight_ch_l0", &[21]), &["lstm.weight_ch_l0", "peepholes"]),
            (&|f| f.add("scale", &[]), &["scale of []", "multiply the weights"]),
            (&|f| f.add("lstm.b_ih_l0", &[28]), &["lstm.b_ih_l0 of [28]", "bias_ih_l0"]),
            (&|f| f.add("linear.b", &[5]), &["linear.b of [5]", "bias of the output layer"]),
            (&|f| f.add("linear.weight_orig", &[5, 7]), &["linear.weight_orig", "pruning"]),
            (&|f| f.add("conv.kernel", &[5, 7, 3]), &["conv.kernel of [5, 7, 3]", "no layer"]),
            (
                &|f| {
                    f.add("norm.weight", &[7]);
                    f.add("norm.bias", &[7]);
                },
                &["norm.weight of [7]", "norm.bias of [7]", "LayerNorm"],
            ),
        ],
    );
}

#[test]
fn what_is_missing_or_unfit_is_named() {
    refused(
        "two_biases",
        &[
            (&|f| drop(f.remove("lstm.weight_ih_l1")), &["lstm.weight_ih_l1 is missing"]),
            (&|f| drop(f.remove("lstm.bias_hh_l1")), &["lstm.bias_hh_l1 is missing"]),
            (&|f| drop(f.remove("linear.weight")), &["no output layer", "[5, 7]", "padding"]),
            (
                &|f| *f.get("linear.weight") = Tensor::zeros("linear.weight", &[7, 5]),
                &["no output layer", "linear.weight of [7, 5]"],
            ),
            (
                &|f| *f.get("lstm.weight_hh_l1") = Tensor::zeros("lstm.weight_hh_l1", &[7, 28]),
                &[
                    "lstm.weight_hh_l1 is of [7, 28], and must be [28, 7]",
                    "numpy.ascontiguousarray",
                ],
            ),
            (
                &|f| *f.get("lstm.weight_ih_l0") = Tensor::zeros("lstm.weight_ih_l0", &[28, 6]),
                &[
                    "lstm.weight_ih_l0 of [28, 6] has an input for each of 6",
                    "the vocabulary has 5 characters",
                    "no embedding",
                ],
            ),
            (&|f| f.get("lstm.weight_hh_l0").name = "rnn.weight_hh_l0".into(), &["lstm, rnn"]),
            (
                &|f| f.get("lstm.bias_ih_l1").dtype = "I32".into(),
                &["lstm.bias_ih_l1", "I32", ".float()"],
            ),
            (
                &|f| {
                    for layer in 2..5 {
                        f.add(&format!("lstm.weight_ih_l{layer}"), &[28, 7]);
                        f.add(&format!("lstm.weight_hh_l{layer}"), &[28, 7]);
                        f.add(&format!("lstm.bias_ih_l{layer}"), &[28]);
                        f.add(&format!("lstm.bias_hh_l{layer}"), &[28]);
                    }
                },
                &["lstm.weight_hh_l4", "more layers"],
            ),
            (
                &|f| {
                    *f.get("lstm.weight_hh_l0") = Tensor::zeros("lstm.weight_hh_l0", &[4100, 1025])
                },
                &["lstm.weight_hh_l0 is of [4100, 1025]", "more than an artifact holds, 1024"],
            ),
            (&|f| f.tensors.clear(), &["no LSTM", "there are none"]),
        ],
    );
    refused(
        "embedding_as_wide_as_the_lstm",
        &[(
            &|f| f.get("embedding.weight").name = "other.weight".into(),
            &["linear.weight and other.weight", "could each be the output layer's"],
        )],
    );
    refused(
        "cells",
        &[
            (&|f| f.tensors.retain(|t| !t.name.starts_with("cells.1.")), &["cells.0, cells.2"]),
            (
                &|f| *f.get("cells.2.weight_hh") = Tensor::zeros("cells.2.weight_hh", &[8, 2]),
                &["cells.2.weight_hh is of [8, 2], and must be [16, 4]", "as many units"],
            ),
        ],
    );
    refused(
        "weight_norm",
        &[
            (&|f| drop(f.remove("lstm.weight_hh_l0_g")), &["lstm.weight_hh_l0_v is one half"]),
            (
                &|f| f.add("linear.weight", &[5, 4]),
                &["linear.weight is there", "weight normalisation"],
            ),
            (
                &|f| f.get("linear.weight_g").shape = vec![5],
                &["linear.weight_g is of [5]", "[rows, 1]"],
            ),
            (&|f| f.get("linear.weight_v").data.fill(0), &["linear.weight_v", "zeros in row 0"]),
        ],
    );
    let options = ImportOptions { lstm: vec!["rnn".into()], ..ImportOptions::default() };
    let file = File::of_form("two_biases");
    let said = error(&file, &options).to_string();
    assert!(said.contains("no LSTM is called rnn: there are lstm"), "{said}");
    let options = ImportOptions { ignore: vec!["linear.b".into()], ..ImportOptions::default() };
    let said = error(&file, &options).to_string();
    assert!(said.contains("linear.b is to be left out") && said.contains("linear.bias"), "{said}");
    // What is named twice, by its module or by itself, is left out once.
    let mut file = File::of_form("two_biases");
    file.add("norm.weight", &[7]);
    let ignore = ["norm", "norm.weight", "norm"].map(str::to_owned).into();
    let options = ImportOptions { ignore, ..ImportOptions::default() };
    import(&file.bytes(), &VOCABULARY, &options).unwrap();
}

#[test]
fn numbers_that_cannot_be_computed_with_are_named_by_their_index() {
    let set = |file: &mut File, at: usize, value: f32| {
        let data = &mut file.get("lstm.weight_hh_l1").data[4 * at..][..4];
        data.copy_from_slice(&value.to_le_bytes());
    };
    refused(
        "two_biases",
        &[
            (
                &|f| [3 * 7 + 2, 180].map(|at| set(f, at, f32::NAN)).into_iter().collect(),
                &["lstm.weight_hh_l1 has NaN at [3, 2]", "before the training went wrong"],
            ),
            (&|f| set(f, 7, f32::NEG_INFINITY), &["lstm.weight_hh_l1 has -inf at [1, 0]"]),
            (&|f| set(f, 0, 1e38), &["lstm.weight_hh_l1 has", "at [0, 0], which is too large"]),
        ],
    );
    // Each number is fine, and their product isn't.
    refused(
        "embedding",
        &[(
            &|f| {
                for name in ["embedding.weight", "lstm.weight_ih_l0"] {
                    f.get(name).data[..4].copy_from_slice(&1e30_f32.to_le_bytes());
                }
            },
            &["embedding.weight times lstm.weight_ih_l0", "at [0, 0]"],
        )],
    );
}

#[test]
fn damaged_files_name_the_tensor() {
    let first = "linear.bias";
    refused(
        "two_biases",
        &[
            (&|f| f.tensors.push(f.tensors[0].clone()), &["it has linear.bias twice"]),
            (
                &|f| f.get(first).shape = vec![6],
                &["linear.bias is F32 of [6], which takes 24 bytes"],
            ),
            (&|f| f.get(first).shape = vec![1 << 40, 1 << 40], &[first, "more than there can be"]),
            (&|f| f.get(first).dtype = "F12".into(), &[first, "unknown variant"]),
            (&|f| f.get(first).name = "a\u{1b}[31m".into(), &[r#""a\u{1b}[31m" of [5]"#]),
        ],
    );
    let bytes = File::of_form("two_biases").bytes();
    let refused = |bytes: &[u8], parts: &[&str]| {
        let error = import(bytes, &VOCABULARY, &ImportOptions::default()).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    refused(&bytes[..bytes.len() - 1], &["the file ends within lstm.weight_ih_l1"]);
    refused(&[&bytes[..], b"x"].concat(), &["last 1 bytes", "no tensor"]);
    refused(&bytes[..100], &["cut short"]);
    refused(b"PK", &["2 bytes, too few"]);
}
