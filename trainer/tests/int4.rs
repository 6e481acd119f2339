//! Compact artifacts are as good as what was trained for them, or are refused.

mod common;

use std::sync::LazyLock;

use charcell::model::ParameterName::{BOut, Embedding, WOut};
use charcell::model::{Dimensions, TrainedModel};
use charcell::text::{Corpus, SHIPPED_TEXT};
use charcell::{
    ArtifactError, Config, Description, Device, Error, IntegerLoss, Optimizer, Precision, artifact,
    integer_artifact, train_and_predict,
};
use infer_core::artifact::Compaction;
use infer_core::layout::MAX_VOCABULARY;
use infer_core::{Normalisation, Sampling};
use pollster::block_on;

use common::{compact_model, untrained_model, window};

static CORPUS: LazyLock<Corpus> = LazyLock::new(|| {
    Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(4000)).unwrap()
});

/// Models that have learned the corpus: in int4, and in int8 after an embedding; both with a part
/// of their recurrent weights.
static INT4: LazyLock<TrainedModel> =
    LazyLock::new(|| trained(Config { weights: Precision::Int4, ..config() }));
static NARROW: LazyLock<TrainedModel> =
    LazyLock::new(|| trained(Config { embedding: 5, ..config() }));

fn config() -> Config {
    let config = Config {
        hidden: 40,
        layers: 2,
        sparsity: 0.6,
        batch_size: 8,
        epochs: 40,
        ..Config::default()
    };
    config.with_optimizer(Some(Optimizer::Adam))
}

fn trained(config: Config) -> TrainedModel {
    let device = Device::Cpu { threads: 1 };
    block_on(train_and_predict(&CORPUS, &config, &device, |_| ())).unwrap().model
}

/// The losses of `model` on its corpus and on its own text, and what makes its artifact smaller.
fn losses(model: &TrainedModel, precision: Precision) -> ([IntegerLoss; 2], Compaction) {
    let excerpt = Description::new(&CORPUS, &Config::default(), 0).excerpt;
    let (artifact, on_corpus) = integer_artifact(model, precision, &excerpt).unwrap();
    let (_, on_own_text) = integer_artifact(model, precision, "").unwrap();
    let compaction = artifact.model().unwrap().header().precision.compaction();
    ([on_corpus, on_own_text], compaction)
}

/// Int4 has weights of as many units of their scale as training has rounded them to. Only the
/// scales, states and activations differ slightly.
#[test]
fn int4_is_what_was_trained() {
    let (losses, compaction) = losses(&INT4, Precision::Int4);
    assert_eq!(compaction, Compaction { is_int4: true, is_sparse: true, embedding: 0 });
    for loss in losses {
        loss.check(Precision::Int4).unwrap();
        assert!(loss.factor < 1.002 && loss.same_first_choices > 0.98, "{loss}");
    }
}

#[test]
fn a_narrow_embedding_costs_no_more_than_int8() {
    let (losses, compaction) = losses(&NARROW, Precision::Int8);
    assert_eq!(compaction, Compaction { is_int4: false, is_sparse: true, embedding: 5 });
    for loss in losses {
        assert!(loss.factor < 1.003 && loss.same_first_choices > 0.96, "{loss}");
    }
}

/// Not what is computed from it.
#[test]
fn an_embedding_that_is_too_large_is_named() {
    let mut model = NARROW.clone();
    model.parameters.get_mut(Embedding)[3] = -1e9;
    for precision in [Precision::Int8, Precision::Int4] {
        let refused = artifact(&model, precision).unwrap_err();
        let Error::Artifact(ArtifactError::Weight { name, value: 1e9 }) = refused else {
            panic!("{refused}")
        };
        assert_eq!(name, "embedding");
    }
}

#[test]
fn int4_of_a_model_that_was_not_trained_for_it_is_refused() {
    let (losses, _) = losses(&NARROW, Precision::Int4);
    for loss in losses {
        let refused = loss.check(Precision::Int4).unwrap_err();
        assert!(matches!(refused, ArtifactError::IntegerLoss { .. }));
        assert!(refused.to_string().starts_with("int4 loses too much"), "{refused}");
    }
}

/// Its rows of input weights were rounded, not the embedding that they are computed from.
#[test]
fn int8_of_a_model_for_int4_has_no_embedding() {
    let model = TrainedModel { precision: Precision::Int4, ..NARROW.clone() };
    let (losses, compaction) = losses(&model, Precision::Int8);
    assert_eq!(compaction, Compaction { is_int4: false, is_sparse: true, embedding: 0 });
    for loss in losses {
        assert!(loss.factor < 1.003, "{loss}");
    }
}

/// A masked character is never drawn, and costs the others little.
#[test]
fn a_masked_character_is_masked_in_int4() {
    let token = usize::from(INT4.vocabulary.token('e').unwrap());
    for mask in [-3e3, -1e6, -1e30] {
        let mut model = INT4.clone();
        model.parameters.get_mut(BOut)[token] = mask;
        let (artifact, loss) = integer_artifact(&model, Precision::Int4, "").unwrap();
        assert!(loss.factor < 1.002, "{loss}");
        let sampling = Sampling::random().with_temperature_milli(u16::MAX);
        let text = artifact.model().unwrap().text("", 3000, sampling).unwrap();
        assert!(!text.contains('e') && text.contains('t'), "{mask}");
    }
}

#[test]
fn an_output_layer_of_zeros_stays_one_in_int4() {
    let mut model = INT4.clone();
    model.parameters.get_mut(WOut).fill(0.0);
    model.parameters.get_mut(BOut).fill(0.0);
    let (_, loss) = integer_artifact(&model, Precision::Int4, "").unwrap();
    assert_eq!((loss.factor, loss.same_first_choices), (1.0, 1.0));
}

/// The smallest model, long rows in one part and in two, and the most characters.
#[test]
fn int4_is_close_to_f32_at_every_size() {
    let sizes =
        [(2, 1, 1), (3, 8, 1), (22, 9, 4), (43, 512, 1), (5, 520, 2), (MAX_VOCABULARY, 3, 1)];
    for (vocabulary, hidden, layers) in sizes {
        let dimensions = Dimensions { vocabulary, hidden, layers };
        let model = untrained_model(dimensions, 200.0 / (hidden as f32).sqrt(), 5);
        assert_close(TrainedModel { precision: Precision::Int4, ..model }, false);
    }
}

/// Rows of up to 64 blocks, of which about a third are kept.
#[test]
fn sparse_int4_is_close_to_f32_at_every_size() {
    for (hidden, layers) in [(10, 2), (20, 1), (100, 1), (512, 1)] {
        let dimensions = Dimensions { vocabulary: 22, hidden, layers };
        let mut model = compact_model(dimensions, 0, Precision::Int4);
        let factor = 0.6 / (hidden as f32).sqrt();
        model.parameters.values_mut().iter_mut().for_each(|value| *value *= factor);
        assert_close(model, true);
    }
}

fn assert_close(mut model: TrainedModel, is_sparse: bool) {
    model.prefixes.clear();
    let dimensions = model.parameters.dimensions();
    let tokens = window(dimensions.vocabulary, 12, 1, 3).inputs;
    let log_probabilities = |precision| {
        let exported = artifact(&model, precision).unwrap();
        let loaded = exported.model().unwrap();
        if precision == Precision::Int4 {
            assert_eq!(loaded.header().precision.compaction().is_sparse, is_sparse);
        }
        let mut all = Vec::new();
        loaded.predict_each(&tokens, |each, _| all.extend_from_slice(each));
        all
    };
    let (float, int4) = (log_probabilities(Precision::F32), log_probabilities(Precision::Int4));
    let difference = float.iter().zip(&int4).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let spread = float.iter().copied().fold(0.0, |spread: f64, p| spread.max(-p));
    assert!(difference <= 0.01 * spread, "{dimensions:?}: {difference} nats of {spread}");
}

/// What is exported for programs that don't round is what the layers read, bit for bit.
#[test]
fn rounding_again_changes_nothing() {
    let parameters = INT4.effective_parameters();
    assert!(parameters != INT4.parameters);
    let again = TrainedModel { parameters, ..INT4.clone() };
    assert!(again.effective_parameters() == again.parameters);
    let artifacts = [&INT4, &again].map(|model| artifact(model, Precision::Int4).unwrap());
    assert!(artifacts[0].bytes() == artifacts[1].bytes());
}

#[test]
fn f32_is_not_a_precision_of_integers() {
    let refused = integer_artifact(&INT4, Precision::F32, "").unwrap_err();
    assert!(matches!(refused, Error::Artifact(ArtifactError::NotIntegers)), "{refused}");
}
