//! Compact artifacts are as good as what was trained for them, or are refused.

mod common;

use std::sync::LazyLock;

use charcell::model::ParameterName::{BOut, WOut};
use charcell::model::{Dimensions, TrainedModel};
use charcell::text::{Corpus, SHIPPED_TEXT};
use charcell::{
    Artifact, ArtifactError, Config, Description, Device, IntegerLoss, Optimizer, Precision,
    artifact, integer_artifact, train_and_predict,
};
use infer_core::artifact::{
    Compaction, Header, PRELUDE_BYTES, Prelude, StoredPrecision, Tensor, TensorName, VERSION,
    checksum, tensors,
};
use infer_core::layout::{ALIGNMENT, MAX_VOCABULARY, NibbleBlock};
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

/// Int4 has the very weights that training has rounded, so only states and activations differ.
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

#[test]
fn int4_of_a_model_that_was_not_trained_for_it_is_refused() {
    let (losses, _) = losses(&NARROW, Precision::Int4);
    for loss in losses {
        let refused = loss.check(Precision::Int4).unwrap_err();
        assert!(matches!(refused, ArtifactError::IntegerLoss { .. }));
        assert!(refused.to_string().starts_with("int4 loses too much"), "{refused}");
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
        let mut model = untrained_model(dimensions, 200.0 / (hidden as f32).sqrt(), 5);
        (model.precision, model.prefixes) = (Precision::Int4, Vec::new());
        let tokens = window(vocabulary, 12, 1, 3).inputs;
        let log_probabilities = |precision| {
            let exported = artifact(&model, precision).unwrap();
            let mut all = Vec::new();
            exported.model().unwrap().predict_each(&tokens, |each, _| all.extend_from_slice(each));
            all
        };
        let (float, int4) = (log_probabilities(Precision::F32), log_probabilities(Precision::Int4));
        let difference = float.iter().zip(&int4).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let spread = float.iter().copied().fold(0.0, |spread: f64, p| spread.max(-p));
        assert!(difference <= 0.01 * spread, "{dimensions:?}: {difference} nats of {spread}");
    }
}

/// Blocks that are left out are zeros: with rows of up to 64 blocks, not a bit differs.
#[test]
fn sparse_int4_is_dense_int4() {
    for (hidden, layers) in [(10, 2), (20, 1), (100, 1), (512, 1)] {
        let dimensions = Dimensions { vocabulary: 22, hidden, layers };
        let model = compact_model(dimensions, 0, Precision::Int4);
        let sparse = artifact(&model, Precision::Int4).unwrap();
        let dense = dense(&sparse, dimensions);
        assert!(dense.bytes().len() > sparse.bytes().len());
        let sampling = Sampling::random().with_seed(5);
        let texts = [&sparse, &dense].map(|artifact| {
            let model = artifact.model().unwrap();
            let mut text = model.text("'(&", 300, sampling).unwrap();
            let tokens = model.tokens(&text, None).unwrap();
            model.predict_each(&tokens, |each, _| text += &format!("{:?}", each[0]));
            text
        });
        assert!(texts[0] == texts[1], "{dimensions:?}");
    }
}

/// The artifact with all blocks instead of the kept ones of `sparse`, which is int4.
fn dense(sparse: &Artifact, dimensions: Dimensions) -> Artifact {
    let (bytes, blocks) = (sparse.bytes(), dimensions.hidden.div_ceil(8));
    let of = |name, layer| {
        let is_it = |it: &Tensor| it.name == name && it.layer == layer;
        let tensor = tensors(bytes).find(is_it).unwrap();
        &bytes[tensor.offset as usize..][..tensor.bytes as usize]
    };
    let (mut entries, mut payload) = (Vec::new(), Vec::new());
    for Tensor { name, layer, .. } in tensors(bytes) {
        let tensor = match name {
            TensorName::BlockCounts | TensorName::BlockColumns => continue,
            TensorName::WHh => {
                let mut kept = of(name, layer).chunks_exact(size_of::<NibbleBlock>());
                let mut numbers = of(TensorName::BlockColumns, layer).iter();
                let zero = bytemuck::bytes_of(&NibbleBlock([0x0888_0888; 4])).to_vec();
                let mut all = vec![zero; dimensions.hidden * blocks];
                for (unit, &count) in of(TensorName::BlockCounts, layer).iter().enumerate() {
                    for &number in numbers.by_ref().take(count.into()) {
                        all[unit * blocks + usize::from(number)] = kept.next().unwrap().to_vec();
                    }
                }
                all.concat()
            }
            _ => of(name, layer).to_vec(),
        };
        payload.resize(usize::next_multiple_of(payload.len(), ALIGNMENT), 0);
        let (offset, bytes) = (payload.len() as u32, tensor.len() as u32);
        entries.push(Tensor { name, layer, offset, bytes });
        payload.extend(tensor);
    }
    let header_bytes = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let (mut header, _) = Header::decode(&bytes[PRELUDE_BYTES..][..header_bytes]).unwrap();
    let StoredPrecision::Compact(quantisation, compaction) = header.precision else {
        panic!("{:?}", header.precision)
    };
    header.precision =
        StoredPrecision::Compact(quantisation, Compaction { is_sparse: false, ..compaction });
    // Long enough that the offsets' encoding doesn't depend on it.
    let encode = |start: usize| {
        let mut encoded = postcard::to_stdvec(&header).unwrap();
        for entry in &entries {
            let entry = Tensor { offset: entry.offset + start as u32, ..*entry };
            encoded.extend(postcard::to_stdvec(&entry).unwrap());
        }
        encoded
    };
    let mut start = PRELUDE_BYTES;
    let encoded = loop {
        let encoded = encode(start);
        let next = (PRELUDE_BYTES + encoded.len()).next_multiple_of(ALIGNMENT);
        if next == start {
            break encoded;
        }
        start = next;
    };
    let header_bytes = encoded.len() as u32;
    let prelude =
        Prelude { version: VERSION, flags: header.precision.flags(), header_bytes, checksum: 0 };
    let mut made = [&prelude.to_bytes()[..], &encoded].concat();
    made.resize(start, 0);
    made.extend(payload);
    let prelude = Prelude { checksum: checksum(&made), ..prelude };
    made[..PRELUDE_BYTES].copy_from_slice(&prelude.to_bytes());
    Artifact::new(&made)
}
