//! Files that are refused: the error names the tensor and the reason.

use charcell::ImportError::{
    self, Ambiguous, File as Damaged, Missing, NoEmbedding, NoLstm, NoLstmCalled, NoOutputLayer,
    NothingToIgnore, TooManyLayers, TooManyUnits, Twice, Unused,
};
use charcell::MatrixPart;
use charcell::TensorError::{Dtype, Number, Shape, Zeros};
use charcell::{Error, FileError, ImportOptions, OtherKind, Part, import};

use crate::file::{File, Tensor};
use crate::forms::VOCABULARY;
use crate::suggested;

/// A change to a file, and a check of the error.
type Case<'a> = (&'a dyn Fn(&mut File), &'a dyn Fn(&ImportError) -> bool);

/// Whether an error is this variant, with these names in its fields.
macro_rules! is {
    ($variant:pat $(if $condition:expr)?) => {
        &|error: &ImportError| matches!(error, $variant $(if $condition)?)
    };
}

/// Whether an error says that a tensor belongs to another kind of layer.
macro_rules! shows {
    ($tensor:literal, $kind:ident) => {
        is!(ImportError::OtherKind { tensor, kind: OtherKind::$kind } if tensor == $tensor)
    };
}

/// Whether an error lists unused tensors, with these words, which exist only as text.
macro_rules! unused {
    ($($part:literal),+) => {
        is!(Unused { explained, .. } if [$($part),+].iter().all(|part| explained.contains(part)))
    };
}

fn error(file: &File, options: &ImportOptions) -> Error {
    import(&file.bytes(), &VOCABULARY, options).unwrap_err()
}

/// Checks that each change to the file of `form` is refused with the right error.
fn refused(form: &str, cases: &[Case<'_>]) {
    for (number, (change, is_right)) in cases.iter().enumerate() {
        let mut file = File::of_form(form);
        change(&mut file);
        let error = error(&file, &ImportOptions::default());
        let Error::Import(reason) = &error else { panic!("{error}") };
        assert!(is_right(reason), "{form}, case {number}: {reason:?}");
        if let Some(ignore) = suggested(&error) {
            let options = ImportOptions { ignore: ignore.into(), ..ImportOptions::default() };
            import(&file.bytes(), &VOCABULARY, &options).unwrap();
        }
    }
}

/// Replaces a tensor with zeros of another shape.
fn reshape(file: &mut File, name: &str, shape: &[usize]) {
    *file.get(name) = Tensor::zeros(name, shape);
}

#[test]
fn other_kinds_of_layers_are_explained() {
    // Two layers of 7 units, an output layer, five characters.
    refused(
        "two_biases",
        &[
            (
                &|f| f.add("lstm.weight_ih_l0_reverse", &[28, 5]),
                shows!("lstm.weight_ih_l0_reverse", TwoDirections),
            ),
            (&|f| f.add("lstm.weight_hr_l0", &[3, 7]), shows!("lstm.weight_hr_l0", Projection)),
            (
                &|f| f.add("lstm.weight_hh_l0_raw", &[28, 7]),
                shows!("lstm.weight_hh_l0_raw", WeightDrop),
            ),
            (
                &|f| f.add("decoder.weight_hh_l0", &[28, 7]),
                is!(Ambiguous { part: Part::Lstm, found } if found == "decoder, lstm"),
            ),
            (&|f| reshape(f, "lstm.weight_hh_l0", &[21, 7]), shows!("lstm.weight_hh_l0", Gru)),
            (&|f| reshape(f, "lstm.weight_hh_l0", &[7, 7]), shows!("lstm.weight_hh_l0", Rnn)),
            (
                &|f| f.add("hidden.weight", &[9, 7]),
                unused!("hidden.weight of [9, 7]", "another layer"),
            ),
            (&|f| f.add("h0", &[2, 1, 7]), unused!("h0 of [2, 1, 7]", "initial state")),
            (
                &|f| f.add("lstm.weight_ch_l0", &[21]),
                unused!("lstm.weight_ch_l0 of [21]", "peepholes"),
            ),
            (&|f| f.add("scale", &[]), unused!("scale of []", "multiply the weights")),
            (&|f| f.add("lstm.b_ih_l0", &[28]), unused!("lstm.b_ih_l0 of [28]", "bias_ih_l0")),
            (&|f| f.add("linear.b", &[5]), unused!("linear.b of [5]", "bias of the output layer")),
            (&|f| f.add("linear.weight_orig", &[5, 7]), shows!("linear.weight_orig", Parametrised)),
            (
                &|f| f.add("conv.kernel", &[5, 7, 3]),
                unused!("conv.kernel of [5, 7, 3]", "any known layer"),
            ),
            (
                &|f| {
                    f.add("norm.weight", &[7]);
                    f.add("norm.bias", &[7]);
                },
                unused!("norm.weight of [7]", "norm.bias of [7]", "LayerNorm"),
            ),
        ],
    );
}

/// Adds layers up to the `count`th.
fn add_layers(file: &mut File, count: usize) {
    for layer in 2..count {
        file.add(&format!("lstm.weight_ih_l{layer}"), &[28, 7]);
        file.add(&format!("lstm.weight_hh_l{layer}"), &[28, 7]);
        file.add(&format!("lstm.bias_ih_l{layer}"), &[28]);
        file.add(&format!("lstm.bias_hh_l{layer}"), &[28]);
    }
}

#[test]
fn what_is_missing_or_unfit_is_named() {
    refused(
        "two_biases",
        &[
            (
                &|f| drop(f.remove("lstm.weight_ih_l1")),
                is!(Missing { tensor, .. } if tensor == "lstm.weight_ih_l1"),
            ),
            (
                &|f| drop(f.remove("lstm.bias_hh_l1")),
                is!(Missing { tensor, .. } if tensor == "lstm.bias_hh_l1"),
            ),
            (&|f| drop(f.remove("linear.weight")), is!(NoOutputLayer { shape: [5, 7], .. })),
            (
                &|f| reshape(f, "linear.weight", &[7, 5]),
                is!(NoOutputLayer { found, .. } if found.contains("linear.weight of [7, 5]")),
            ),
            (
                &|f| reshape(f, "lstm.weight_hh_l1", &[7, 28]),
                is!(ImportError::Tensor(Shape { tensor, shape, is_transposed: true, .. })
                    if tensor == "lstm.weight_hh_l1" && *shape == [7, 28]),
            ),
            (
                &|f| reshape(f, "lstm.weight_ih_l0", &[28, 6]),
                is!(NoEmbedding { w_ih, shape: [5, 6], .. }
                    if w_ih == "lstm.weight_ih_l0 of [28, 6]"),
            ),
            (
                &|f| f.get("lstm.weight_hh_l0").name = "rnn.weight_hh_l0".into(),
                is!(Ambiguous { part: Part::Lstm, found } if found == "lstm, rnn"),
            ),
            (
                &|f| f.get("lstm.bias_ih_l1").dtype = "I32".into(),
                is!(ImportError::Tensor(Dtype { tensor, .. }) if tensor == "lstm.bias_ih_l1"),
            ),
            (&|f| add_layers(f, 5), is!(TooManyLayers { tensor } if tensor == "lstm.weight_hh_l4")),
            (
                &|f| reshape(f, "lstm.weight_hh_l0", &[4100, 1025]),
                is!(TooManyUnits { tensor, shape: [4100, 1025] } if tensor == "lstm.weight_hh_l0"),
            ),
            (&|f| f.tensors.clear(), is!(NoLstm { found } if found == "none")),
        ],
    );
}

#[test]
fn modules_that_do_not_go_together_are_named() {
    refused(
        "embedding_as_wide_as_the_lstm",
        &[(
            &|f| f.get("embedding.weight").name = "other.weight".into(),
            is!(Ambiguous { part: Part::OutputLayer, found }
                if found == "linear.weight and other.weight"),
        )],
    );
    refused(
        "cells",
        &[
            (
                &|f| f.tensors.retain(|t| !t.name.starts_with("cells.1.")),
                is!(Ambiguous { part: Part::Lstm, found } if found == "cells.0, cells.2"),
            ),
            (
                &|f| reshape(f, "cells.2.weight_hh", &[8, 2]),
                is!(ImportError::Tensor(Shape { tensor, shape, expected, .. })
                    if tensor == "cells.2.weight_hh" && *shape == [8, 2] && expected == "[16, 4]"),
            ),
        ],
    );
}

#[test]
fn halves_of_a_weight_normalisation_are_named() {
    refused(
        "weight_norm",
        &[
            (
                &|f| drop(f.remove("lstm.weight_hh_l0_g")),
                shows!("lstm.weight_hh_l0_v", HalfOfWeightNorm),
            ),
            (&|f| f.add("linear.weight", &[5, 4]), is!(Twice { name } if name == "linear.weight")),
            (
                &|f| f.get("linear.weight_g").shape = vec![5],
                is!(ImportError::Tensor(Shape { tensor, shape, .. })
                    if tensor == "linear.weight_g" && *shape == [5]),
            ),
            (
                &|f| f.get("linear.weight_v").data.fill(0),
                is!(ImportError::Tensor(Zeros { tensor, part: MatrixPart::Row(0) })
                    if tensor == "linear.weight_v"),
            ),
            (
                &|f| {
                    // A magnitude for each column, of which the third has only zeros.
                    f.remove("linear.weight_g");
                    f.add("linear.weight_g", &[1, 4]);
                    for row in f.get("linear.weight_v").data.chunks_exact_mut(4 * 4) {
                        row[2 * 4..][..4].fill(0);
                    }
                },
                is!(ImportError::Tensor(Zeros { tensor, part: MatrixPart::Column(2) })
                    if tensor == "linear.weight_v"),
            ),
        ],
    );
}

#[test]
fn names_that_are_given_must_be_there() {
    let file = File::of_form("two_biases");
    let refused = |options: &ImportOptions| match error(&file, options) {
        Error::Import(error) => error,
        error => panic!("{error}"),
    };
    let options = ImportOptions { lstm: vec!["rnn".into()], ..ImportOptions::default() };
    assert!(matches!(
        refused(&options), NoLstmCalled { name, found } if name == "rnn" && found == "lstm"
    ));
    let options = ImportOptions { ignore: vec!["linear.b".into()], ..ImportOptions::default() };
    assert!(matches!(
        refused(&options),
        NothingToIgnore { name, found } if name == "linear.b" && found.contains("linear.bias")
    ));
    // A tensor named twice, itself or by its module, is left out once.
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
    macro_rules! number {
        ($tensor:literal, $index:expr, $is_right:expr) => {
            is!(ImportError::Tensor(Number { tensor, index, value })
                if tensor == $tensor && *index == $index && $is_right(*value))
        };
    }
    refused(
        "two_biases",
        &[
            (
                &|f| [3 * 7 + 2, 180].map(|at| set(f, at, f32::NAN)).into_iter().collect(),
                number!("lstm.weight_hh_l1", [3, 2], f64::is_nan),
            ),
            (
                &|f| set(f, 7, f32::NEG_INFINITY),
                number!("lstm.weight_hh_l1", [1, 0], f64::is_infinite),
            ),
            (&|f| set(f, 0, 1e38), number!("lstm.weight_hh_l1", [0, 0], f64::is_finite)),
        ],
    );
    // Each number is fine, but their product isn't.
    refused(
        "embedding",
        &[(
            &|f| {
                for name in ["embedding.weight", "lstm.weight_ih_l0"] {
                    f.get(name).data[..4].copy_from_slice(&1e30_f32.to_le_bytes());
                }
            },
            number!("embedding.weight times lstm.weight_ih_l0", [0, 0], f64::is_finite),
        )],
    );
}

#[test]
fn damaged_files_name_the_tensor() {
    refused(
        "two_biases",
        &[
            (
                &|f| f.tensors.push(f.tensors[0].clone()),
                // serde_json reports this only as text.
                is!(Damaged(FileError::Header(error))
                    if error.to_string().starts_with("it has linear.bias twice")),
            ),
            (
                &|f| f.get("linear.bias").shape = vec![6],
                is!(Damaged(FileError::Size { tensor, needed: Some(24), .. })
                    if tensor == "linear.bias"),
            ),
            (
                &|f| f.get("linear.bias").shape = vec![1 << 40, 1 << 40],
                is!(Damaged(FileError::Size { tensor, needed: None, .. })
                    if tensor == "linear.bias"),
            ),
            (
                &|f| f.get("linear.bias").dtype = "F12".into(),
                is!(Damaged(FileError::Header(error))
                    if error.to_string().starts_with("linear.bias: unknown variant")),
            ),
            (
                &|f| f.get("linear.bias").name = "a\u{1b}[31m".into(),
                unused!(r#""a\u{1b}[31m" of [5]"#),
            ),
        ],
    );
    let bytes = File::of_form("two_biases").bytes();
    let refused = |bytes: &[u8]| match import(bytes, &VOCABULARY, &ImportOptions::default()) {
        Err(Error::Import(Damaged(error))) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        refused(&bytes[..bytes.len() - 1]),
        FileError::CutShort { tensor, .. } if tensor.starts_with("lstm.weight_ih_l1")
    ));
    assert!(matches!(refused(&[&bytes[..], b"x"].concat()), FileError::Surplus { bytes: 1 }));
    assert!(matches!(refused(&bytes[..100]), FileError::NoHeader));
    assert!(matches!(refused(b"PK"), FileError::TooShort { bytes: 2 }));
}
