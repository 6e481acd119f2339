//! Text from the fixed models: exact characters, states that are too small, unknown characters.

use std::array;

use infer_core::artifact::Aligned;
use infer_core::{
    CapacityError, F32, Generator, Int8, Model, Pcg32, Precision, PrimeError, Sampling, State,
    StateView,
};

static INT8: &[u8] = infer_core::include_model!("models/tiny-int8.postcard");
static REPLACING: &[u8] = infer_core::include_model!("models/tiny-replacing.postcard");
static F32_MODEL: &[u8] = infer_core::include_model!("models/tiny-f32.postcard");

fn text(sampling: Sampling) -> String {
    let model = Model::load(INT8).unwrap();
    let mut state = State::<16, 22, 2>::new();
    let mut generator = Generator::new(&model, &mut state, sampling).unwrap();
    generator.prime("'(&").unwrap();
    generator.take(60).collect()
}

#[test]
fn int8_text_is_the_same_everywhere() {
    let sampled = Sampling::random().with_seed(3);
    let golden = [
        (Sampling::greedy(), "1) !! !!!!!!!!!!!!!!!!!!!!!!! '  )  )  ))  ))  %33) $  $)  !"),
        (sampled, "1)$ ))) $ $3'!!'  )3 $)   )' 3+ !000)$!    2!' ' 5!55!!0)1! "),
        (sampled.with_top_k(3), "1)$ $    !!!!3 33% 5  !$! )) $3333333 3!5!!1!)) $) $3)   !!!"),
        (
            sampled.with_top_p_milli(500),
            "1) !!!!!!!!!!!!!!!!!!!    !     )  )  )  ))  ))  3)  $$)'  !",
        ),
    ];
    for (sampling, expected) in golden {
        assert_eq!(text(sampling), expected, "{sampling:?}");
    }
}

#[test]
fn priming_in_pieces_is_priming_at_once() {
    let model = Model::load(INT8).unwrap();
    let mut states = [State::<16, 22, 2>::new(), State::new()];
    let [first, second] = &mut states;
    let mut at_once = Generator::new(&model, first, Sampling::greedy()).unwrap();
    at_once.prime("!\"#$%").unwrap();
    let mut in_pieces = Generator::new(&model, second, Sampling::greedy()).unwrap();
    in_pieces.prime("!\"").unwrap();
    in_pieces.prime("").unwrap();
    in_pieces.prime("#$%").unwrap();
    assert!(at_once.take(50).eq(in_pieces.take(50)));
}

#[test]
fn the_next_text_starts_over_and_random_numbers_continue() {
    let model = Model::load(INT8).unwrap();
    let sampling = Sampling::random().with_temperature_milli(2000);
    let (mut own, mut seeded) = (State::<16, 22, 2>::new(), State::<16, 22, 2>::new());
    let mut own = Generator::new(&model, &mut own, sampling).unwrap().with_random(Pcg32::new(1, 2));
    let mut seeded = Generator::new(&model, &mut seeded, sampling).unwrap();
    let texts: [String; 2] = array::from_fn(|_| {
        own.restart_unseeded(sampling);
        own.by_ref().take(50).collect()
    });
    assert_ne!(texts[0], texts[1]);
    let texts: [String; 2] = array::from_fn(|_| {
        seeded.restart(sampling);
        seeded.by_ref().take(50).collect()
    });
    assert_eq!(texts[0], texts[1]);
    // Greedily, because only then does the text depend on the state alone.
    own.restart_unseeded(Sampling::greedy());
    seeded.restart(Sampling::greedy());
    assert!(own.take(50).eq(seeded.take(50)));
}

#[test]
fn a_text_with_an_unknown_character_changes_nothing() {
    let model = Model::load(INT8).unwrap();
    let mut state = State::<16, 22, 2>::new();
    let mut generator = Generator::new(&model, &mut state, Sampling::greedy()).unwrap();
    let error = generator.prime("#$%Ж").unwrap_err();
    assert_eq!(error, PrimeError { character: 'Ж', position: 3, offset: 3 });
    assert_eq!(error.to_string(), "character 4 of the text, 'Ж', is not in the model's vocabulary");
    let mut fresh = State::<16, 22, 2>::new();
    let fresh = Generator::new(&model, &mut fresh, Sampling::greedy()).unwrap();
    assert!(generator.take(20).eq(fresh.take(20)));
}

/// Unknown characters give the same text as the replacement would. Without tables of Unicode, a
/// letter that may have a lower-case form isn't replaced.
#[test]
fn unknown_characters_are_replaced_if_the_artifact_says_so() {
    let after = |artifact: &[u8], prefix: &str| {
        let model = Model::<Int8>::load(artifact).unwrap();
        let mut state = State::<16, 22, 2>::new();
        let mut generator = Generator::new(&model, &mut state, Sampling::greedy()).unwrap();
        generator.prime(prefix).map(|()| generator.take(60).collect::<String>())
    };
    assert_eq!(Model::<Int8>::load(REPLACING).unwrap().header().replacement, Some(3));
    let expected = after(INT8, "'#(&#").unwrap();
    assert_ne!(expected, after(INT8, "'(&").unwrap());
    assert_eq!(after(REPLACING, "'\u{201c}(&Z").unwrap(), expected);
    let of_letter = after(REPLACING, "'Ж(&é");
    if cfg!(feature = "unicode") {
        assert_eq!(of_letter.unwrap(), expected);
    } else {
        assert_eq!(of_letter, Err(PrimeError { character: 'Ж', position: 1, offset: 1 }));
    }
}

#[test]
fn the_error_for_a_state_that_is_too_small_has_the_numbers() {
    let model = Model::load(INT8).unwrap();
    let error = State::<8, 22, 2>::new().view(&model).unwrap_err();
    let expected = CapacityError { what: "units in the hidden state", needed: 32, available: 16 };
    assert_eq!(error, expected);
    assert!(error.to_string().ends_with("16 too few"), "{error}");
    assert!(State::<16, 21, 2>::new().view(&model).is_err());
    assert!(State::<16, 22, 1>::new().view(&model).is_err());
    assert!(State::<16, 22, 2>::new().view(&model).is_ok());
    assert!(State::<256, 64, 4>::new().view(&model).is_ok());
}

#[cfg(feature = "embedded-io")]
#[test]
fn text_goes_to_a_writer_until_it_is_full() {
    let model = Model::<Int8>::load(INT8).unwrap();
    let mut state = State::<16, 22, 2>::new();
    let mut generator = Generator::new(&model, &mut state, Sampling::greedy()).unwrap();
    generator.prime("'(&").unwrap();
    let mut written = [0; 60];
    generator.write_to(&mut written[..], 40).unwrap();
    assert!(generator.write_to(&mut written[40..], 30).is_err());
    assert_eq!(str::from_utf8(&written).unwrap(), text(Sampling::greedy()));
}

#[test]
fn a_state_fits_in_any_memory_with_enough_bytes() {
    let model = Model::<Int8>::load(INT8).unwrap();
    let needed = model.memory().state_bytes;
    let mut memory = Aligned([u8::MAX; 1024]);
    for start in 0..20 {
        let end = usize::next_multiple_of(start, 16) + needed;
        let bytes = &mut memory.0;
        let error = StateView::from_bytes(&model, &mut bytes[start..end - 1]).unwrap_err();
        assert_eq!(error.needed, needed);
        let state = StateView::from_bytes(&model, &mut bytes[start..end]).unwrap();
        let mut generator = Generator::from_view(&model, state, Sampling::greedy());
        generator.prime("'(&").unwrap();
        assert_eq!(generator.take(60).collect::<String>(), text(Sampling::greedy()));
    }
}

/// Logits in nats, relative to the first, after each character of a text.
fn logits<P: Precision>(model: &Model<'_, P>, mut state: StateView<'_, P>) -> Vec<f64> {
    let nats_per_logit = f64::from(model.nats_per_logit_q32()) / 2_f64.powi(32);
    let mut all = Vec::new();
    for token in (0..22).cycle().step_by(5).take(8) {
        model.step(&mut state, token);
        model.logits(&mut state);
        let nats: Vec<f64> = state
            .logits()
            .iter()
            .map(|&logit| f64::from(Model::<P>::fixed_point(logit)) * nats_per_logit)
            .collect();
        all.extend(nats.iter().map(|logit| logit - nats[0]));
    }
    all
}

#[test]
fn f32_and_int8_agree() {
    let model = Model::<F32>::load(F32_MODEL).unwrap();
    let mut state = State::<16, 22, 2, F32>::new();
    let float = logits(&model, state.view(&model).unwrap());
    let model = Model::<Int8>::load(INT8).unwrap();
    let mut state = State::<16, 22, 2>::new();
    let integer = logits(&model, state.view(&model).unwrap());
    let difference = float.iter().zip(&integer).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let spread = float.iter().copied().fold(0.0, f64::max);
    assert!(spread > 1.0 && difference < 0.05 * spread, "{difference} nats of {spread}");
}
