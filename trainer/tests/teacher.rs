//! Models that learn from the predictions of another model.

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use charcell::model::{Dimensions, ParameterName, Parameters, State, TrainedModel};
use charcell::text::{Corpus, Vocabulary};
use charcell::{
    Config, Device, DeviceError, Error, OnDevice, Optimizer, Outcome, Teacher, Training,
    TrainingError,
};
use infer_core::{Normalisation, Token};
use pollster::block_on;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use common::parameters;

const DEVICE: Device = Device::Cpu { threads: 1 };

/// A text that can't be learned by heart: each character is drawn anew.
fn noise() -> Corpus {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let text: String = (0..4000).map(|_| random.random_range('a'..='e')).collect();
    Corpus::from_text(&text, Normalisation::LowerCase, None).unwrap()
}

/// A model that was never trained, with definite opinions about some characters.
fn model(characters: &str) -> TrainedModel {
    let vocabulary = Vocabulary::of(characters).unwrap();
    let dimensions = Dimensions { vocabulary: vocabulary.size(), hidden: 9, layers: 2 };
    let mut parameters = parameters(dimensions, 150.0, 3);
    parameters.get_mut(ParameterName::WOut).iter_mut().for_each(|weight| *weight *= 3.0);
    TrainedModel { parameters, vocabulary, ..common::untrained_model(dimensions, 1.0, 1) }
}

fn teacher(characters: &str) -> Teacher {
    Teacher::new(model(characters), "runs/teacher".into()).unwrap()
}

fn config(teacher: Option<&Teacher>) -> Config {
    Config {
        hidden: 24,
        batch_size: 8,
        num_steps: 20,
        epochs: 40,
        optimizer: Optimizer::Adam,
        learning_rate: 0.01,
        clip: 1.0,
        prefixes: vec!["a".into()],
        teacher: teacher.map(|teacher| teacher.origin().clone()),
        ..Config::default()
    }
}

async fn on_device(parameters: Parameters, config: &Config) -> Result<OnDevice, DeviceError> {
    DEVICE.backend(parameters, config).await
}

fn train(corpus: &Corpus, teacher: Option<&Teacher>) -> Outcome {
    let config = config(teacher);
    let backend = async |parameters| on_device(parameters, &config).await;
    let mut training = block_on(Training::new(corpus, &config, backend)).unwrap();
    if let Some(teacher) = teacher {
        training = block_on(training.with_teacher(teacher, on_device)).unwrap();
    }
    let outcome = block_on(training.run(|_| ControlFlow::Continue(())));
    assert!(outcome.stopped.is_none(), "{:?}", outcome.stopped);
    outcome
}

/// The probabilities of `characters` after each character of `text`, in proportion.
fn probabilities(model: &TrainedModel, text: &Corpus, characters: &[char]) -> Vec<Vec<f64>> {
    let token = |character: &char| model.vocabulary.own_token(*character).unwrap();
    let tokens: Vec<Token> = text.vocabulary().characters().iter().map(token).collect();
    let inputs: Vec<Token> = text.tokens().iter().map(|token| tokens[usize::from(token)]).collect();
    let mut state = State::zeros(model.parameters.dimensions(), 1);
    let logits = model.parameters.forward(&inputs, &mut state).logits;
    let rows = logits.chunks_exact(model.vocabulary.size());
    rows.map(|row| {
        let power = |character| f64::from(row[usize::from(token(character))]).exp();
        let powers: Vec<f64> = characters.iter().map(power).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| power / sum).collect()
    })
    .collect()
}

/// The mean Kullback-Leibler divergence in nats of `q` from `p`.
fn divergence(p: &[Vec<f64>], q: &[Vec<f64>]) -> f64 {
    let of_row = |(p, q): (&Vec<f64>, &Vec<f64>)| -> f64 {
        p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum()
    };
    p.iter().zip(q).map(of_row).sum::<f64>() / p.len() as f64
}

/// The teacher's other characters, before, between and after those of the text, don't count.
#[test]
fn a_model_learns_half_the_text_and_half_the_teacher() {
    let corpus = noise();
    let characters = corpus.vocabulary().characters();
    let model = model("Xabc, de θ");
    let teacher = Teacher::new(model.clone(), "runs/teacher".into()).unwrap();
    let expected = probabilities(&model, &corpus, characters);
    // All characters of the text are equally likely.
    let half = expected.iter().map(|row| row.iter().map(|p| 0.5 * p + 0.1).collect());
    let half: Vec<Vec<f64>> = half.collect();
    let [taught, alone] = [Some(&teacher), None]
        .map(|teacher| probabilities(&train(&corpus, teacher).model, &corpus, characters));
    let of_teacher = [&taught, &alone].map(|model| divergence(&expected, model));
    assert!(of_teacher[0] < 0.5 * of_teacher[1], "{of_teacher:?}");
    let of_half = divergence(&half, &taught);
    assert!(of_half < 0.5 * of_teacher[0], "{of_half}, {of_teacher:?}");
}

#[test]
fn a_teacher_that_cannot_read_the_text_is_refused() {
    let corpus = noise();
    let run = "runs/teacher";
    let refused = teacher("bcd").check(&corpus).unwrap_err();
    assert!(matches!(
        refused,
        TrainingError::TeacherLacks { run: found, characters }
            if found == Path::new(run) && characters == ['a', 'e']
    ));
    let model = TrainedModel { normalisation: Normalisation::None, ..model("abcde") };
    let refused = Teacher::new(model, run.into()).unwrap().check(&corpus).unwrap_err();
    assert!(matches!(
        refused,
        TrainingError::TeacherNormalisation { normalisation: Normalisation::None, .. }
    ));
}

#[test]
fn a_training_needs_the_teacher_of_its_settings() {
    let corpus = noise();
    let settings = config(Some(&teacher("abcde")));
    let other = teacher("abcdef");
    let training = || {
        let backend = async |parameters| on_device(parameters, &settings).await;
        block_on(Training::new(&corpus, &settings, backend)).unwrap()
    };
    let of_other = block_on(training().with_teacher(&other, on_device)).map(drop);
    let without = block_on(training().advance()).map(drop);
    for refused in [of_other, without] {
        assert!(matches!(refused, Err(Error::Training(TrainingError::OtherTeacher { .. }))));
    }
}
