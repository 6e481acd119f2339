//! Int8 is as good as f32, or is refused: for models with masked characters, and with biases and
//! weights far larger than all others.

mod common;

use std::sync::LazyLock;

use charcell::model::ParameterName::{self, B, BOut, WHh, WIh, WOut};
use charcell::model::{Dimensions, TrainedModel};
use charcell::text::{Corpus, SHIPPED_TEXT};
use charcell::{
    Artifact, ArtifactError, Config, Description, Device, Error, IntegerLoss, Optimizer, Precision,
    artifact, evaluate, integer_artifact, train_and_predict,
};
use infer_core::layout::{GATES, Gate, MAX_VOCABULARY, gate_column};
use infer_core::{Int8, Model, Normalisation, Sampling};
use pollster::block_on;
use rand::seq::{IndexedMutRandom, IndexedRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use common::untrained_model;

const HIDDEN: usize = 24;

/// A model that has learned the text below.
static MODEL: LazyLock<TrainedModel> = LazyLock::new(|| {
    let config =
        Config { hidden: HIDDEN, layers: 2, batch_size: 8, epochs: 40, ..Config::default() };
    let config = config.with_optimizer(Some(Optimizer::Adam));
    let device = Device::Cpu { threads: 1 };
    block_on(train_and_predict(&CORPUS, &config, &device, |_| ())).unwrap().model
});

static CORPUS: LazyLock<Corpus> = LazyLock::new(|| {
    Corpus::from_text(SHIPPED_TEXT, Normalisation::LowerCase, Some(4000)).unwrap()
});

/// The model with another value of one of its parameters.
fn with(name: ParameterName, index: usize, value: f32) -> TrainedModel {
    let mut model = MODEL.clone();
    model.parameters.get_mut(name)[index] = value;
    model
}

static EXCERPT: LazyLock<String> =
    LazyLock::new(|| Description::new(&CORPUS, &Config::default(), 0).excerpt);

fn token(character: char) -> usize {
    MODEL.vocabulary.token(character).unwrap().into()
}

/// 3000 characters at the highest temperature, in int8 and in f32.
fn wild_texts(model: &TrainedModel) -> [String; 2] {
    let sampling = Sampling::random().with_temperature_milli(u16::MAX);
    [Precision::Int8, Precision::F32].map(|weights| {
        let artifact = artifact(model, weights).unwrap();
        artifact.model().unwrap().text("", 3000, sampling).unwrap()
    })
}

fn nats_per_logit_q32(artifact: &Artifact) -> u32 {
    Model::<Int8>::load(artifact.bytes()).unwrap().nats_per_logit_q32()
}

/// The int8 predictions for each character of the corpus: logarithms of probabilities, `[V]` each.
fn predictions(model: &TrainedModel) -> Vec<f64> {
    let (artifact, tokens) = (artifact(model, Precision::Int8).unwrap(), CORPUS.tokens().to_vec());
    let mut all = Vec::new();
    artifact.model().unwrap().predict_each(&tokens, |each, _| all.extend_from_slice(each));
    all
}

fn int8_artifact(model: &TrainedModel, text: &str) -> Result<(Artifact, IntegerLoss), Error> {
    integer_artifact(model, Precision::Int8, text)
}

/// Checks that int8 suits a model, on its corpus and on its own text; returns the artifact.
fn assert_is_right(model: &TrainedModel) -> Artifact {
    let (artifact, on_corpus) = int8_artifact(model, &EXCERPT).unwrap();
    for loss in [on_corpus, int8_artifact(model, "").unwrap().1] {
        loss.check(Precision::Int8).unwrap();
        assert!(loss.factor < 1.003 && loss.same_first_choices > 0.96, "{loss}");
    }
    artifact
}

#[test]
fn a_masked_character_costs_the_others_nothing() {
    let unmasked = assert_is_right(&MODEL);
    assert!(wild_texts(&MODEL).iter().all(|text| text.contains('e')));
    for mask in [-3e3, -1e6, -1e30] {
        let masked = with(BOut, token('e'), mask);
        let artifact = assert_is_right(&masked);
        // The masked character's weights may have been the largest.
        assert!(nats_per_logit_q32(&artifact) <= nats_per_logit_q32(&unmasked), "{mask}");
        assert!(wild_texts(&masked).iter().all(|text| !text.contains('e')), "{mask}");
    }
}

#[test]
fn all_characters_but_two_can_be_masked() {
    let mut model = MODEL.clone();
    let biases = model.parameters.get_mut(BOut);
    for other in (0..biases.len()).filter(|other| ![token('a'), token('t')].contains(other)) {
        biases[other] = -1e9;
    }
    assert_is_right(&model);
    for text in wild_texts(&model) {
        assert!(text.contains('a') && text.replace(['a', 't'], "").is_empty(), "{text}");
    }
}

/// The weights are so small that the biases determine the scale, but they don't need the precision.
#[test]
fn a_character_is_masked_beside_small_weights() {
    let mut model = with(BOut, token('e'), -1e6);
    model.parameters.get_mut(WOut).iter_mut().for_each(|weight| *weight *= 0.01);
    let (_, loss) = int8_artifact(&model, "").unwrap();
    assert!(loss.factor < 1.0001, "{loss}");
    assert!(wild_texts(&model).iter().all(|text| !text.contains('e')));
}

#[test]
fn biases_far_from_zero_are_preserved() {
    for bias in [1e5, 1e30] {
        let model = with(BOut, token('e'), bias);
        assert_is_right(&model);
        assert_eq!(wild_texts(&model), ["e".repeat(3000), "e".repeat(3000)]);
    }
    let mut model = with(BOut, token('e'), 1e5);
    model.parameters.get_mut(BOut)[token('t')] = 2e5;
    assert_eq!(wild_texts(&model), ["t".repeat(3000), "t".repeat(3000)]);
    // In f32 too, no logit may exceed its range.
    for common in [20_000.0, 1e6, -1e5] {
        let mut model = MODEL.clone();
        model.parameters.get_mut(BOut).iter_mut().for_each(|bias| *bias += common);
        assert_is_right(&model);
    }
}

/// Once a bias is large enough to open or close a gate for any text, a larger one changes nothing.
#[test]
fn a_saturated_gate_stays_saturated_at_any_bias() {
    for gate in 0..GATES {
        for sign in [1.0, -1.0] {
            let with_bias = |bias: f32| with(B(1), gate * HIDDEN + 3, sign * bias);
            let expected = predictions(&with_bias(1e4));
            assert_is_right(&with_bias(1e30));
            for bias in [1e5, 1e30] {
                assert!(predictions(&with_bias(bias)) == expected, "{gate}, {bias}");
            }
        }
    }
}

#[test]
fn zeros_are_preserved() {
    let mut model = MODEL.clone();
    for name in [WIh(0), WHh(1)] {
        model.parameters.get_mut(name).chunks_exact_mut(GATES * HIDDEN).for_each(|weights| {
            weights[5] = 0.0;
        });
    }
    assert_is_right(&model);
    for name in [WOut, BOut] {
        model.parameters.get_mut(name).fill(0.0);
    }
    let (artifact, loss) = int8_artifact(&model, "").unwrap();
    assert_eq!((loss.factor, loss.same_first_choices), (1.0, 1.0));
    let evaluation = evaluate(&artifact.model().unwrap(), &CORPUS.tokens().to_vec());
    assert!((evaluation.perplexity - MODEL.vocabulary.size() as f64).abs() < 1e-9);
}

/// A large weight costs the precision of all weights with the same scale, even if its input is
/// always zero.
#[test]
fn a_weight_far_beyond_the_others_is_refused() {
    let unit = 3;
    let mut model = with(B(1), gate_column(Gate::Output, unit, HIDDEN), -1e6);
    assert_is_right(&model);
    model.parameters.get_mut(WOut)[unit * MODEL.vocabulary.size()] = 300.0;
    let (_, loss) = int8_artifact(&model, "").unwrap();
    assert!(loss.factor > 1.5 && loss.same_first_choices < 0.8, "{loss}");
    assert!(matches!(loss.check(Precision::Int8), Err(ArtifactError::IntegerLoss { .. })));
}

/// Whatever the outliers are, int8 predicts text written in f32 as well as f32 does, or is refused.
#[test]
fn no_outlier_silently_spoils_int8() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let (mut held, mut refused) = (0, 0);
    for _ in 0..32 {
        let mut model = MODEL.clone();
        let name =
            *[WIh(0), WHh(0), B(0), WIh(1), WHh(1), B(1), WOut, BOut].choose(&mut random).unwrap();
        let values = model.parameters.get_mut(name);
        let magnitude = 10_f32.powf(random.random_range(0.5..4.0));
        for _ in 0..random.random_range(1..4) {
            *values.choose_mut(&mut random).unwrap() =
                if random.random() { magnitude } else { -magnitude };
        }
        let loss = match int8_artifact(&model, "") {
            Err(Error::Artifact(ArtifactError::Weight { name: named, .. })) => {
                assert_eq!(named, name.to_string());
                refused += 1;
                continue;
            }
            made => made.unwrap().1,
        };
        if loss.check(Precision::Int8).is_err() {
            refused += 1;
            continue;
        }
        held += 1;
        let factor = factor_on_own_text(&model);
        assert!((0.98..1.02).contains(&factor), "{name} with {magnitude}: {factor}, {loss}");
    }
    assert!(held > 10 && refused > 5, "{held} and {refused}");
}

/// The perplexity in int8 divided by that in f32, on a text other than the one used in the export.
fn factor_on_own_text(model: &TrainedModel) -> f64 {
    let [int8, float] =
        [Precision::Int8, Precision::F32].map(|weights| artifact(model, weights).unwrap());
    let (int8, float) = (int8.model().unwrap(), float.model().unwrap());
    let sampling = Sampling::random().with_seed(9);
    let tokens = float.tokens(&float.text("", 1500, sampling).unwrap(), None).unwrap();
    evaluate(&int8, &tokens).perplexity / evaluate(&float, &tokens).perplexity
}

/// The smallest model, and one with the most characters.
#[test]
fn models_of_any_size_are_compared() {
    for (vocabulary, hidden, layers) in [(2, 1, 1), (3, 2, 4), (MAX_VOCABULARY, 1, 1)] {
        let mut model = untrained_model(Dimensions { vocabulary, hidden, layers }, 300.0, 7);
        model.prefixes.clear();
        let (_, loss) = int8_artifact(&model, "").unwrap();
        assert!((0.999_999..1.01).contains(&loss.factor), "{loss}");
        assert!((0.5..=1.0).contains(&loss.same_first_choices), "{loss}");
    }
}
