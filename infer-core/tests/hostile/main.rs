//! Bytes that aren't a model: each error names what is wrong, and the loader never panics.

mod compact;
mod constants;

use infer_core::artifact::{
    Aligned, Header, PRELUDE_BYTES, Prelude, Quantisation, StoredPrecision, Summary, Tensor,
    TensorName, VERSION, checksum, tensors,
};
use infer_core::layout::{MAX_HIDDEN, MAX_LAYERS};
use infer_core::{F32, Generator, Int8, LoadError, Model, Normalisation, Sampling, State};

static INT8: &[u8] = infer_core::include_model!("../models/tiny-int8.postcard");
static F32_MODEL: &[u8] = infer_core::include_model!("../models/tiny-f32.postcard");

static INT4: &[u8] = infer_core::include_model!("../models/tiny-int4.postcard");
static SPARSE: &[u8] = infer_core::include_model!("../models/tiny-sparse.postcard");
static NARROW: &[u8] = infer_core::include_model!("../models/tiny-narrow.postcard");

/// Artifacts that are read as int8, of every kind.
static ALL: [&[u8]; 4] = [INT8, INT4, SPARSE, NARROW];

/// Aligned memory, large enough for the models used here.
type Memory = Aligned<[u8; 16 * 1024]>;

fn memory() -> Box<Memory> {
    Box::new(Aligned([0; 16 * 1024]))
}

/// Copies `bytes` to an aligned address.
fn aligned<'m>(memory: &'m mut Memory, bytes: &[u8]) -> &'m mut [u8] {
    let aligned = &mut memory.0[..bytes.len()];
    aligned.copy_from_slice(bytes);
    aligned
}

fn load(artifact: &[u8]) -> Result<Model<'_, Int8>, LoadError> {
    Model::load(artifact)
}

/// Stores the correct checksum in `artifact`.
fn mend_checksum(artifact: &mut [u8]) {
    let checksum = checksum(artifact);
    artifact[12..PRELUDE_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn the_fixed_models_load() {
    let model = load(INT8).unwrap();
    assert_eq!((model.dimensions().hidden, model.dimensions().layers), (10, 2));
    assert_eq!(model.prefixes().collect::<Vec<&str>>(), ["'(&", "#"]);
    Model::<F32>::load(F32_MODEL).unwrap();
}

#[test]
fn every_truncation_is_refused() {
    let mut memory = memory();
    for artifact in ALL {
        for length in 0..artifact.len() {
            let error = load(aligned(&mut memory, &artifact[..length])).unwrap_err();
            let is_named = match error {
                LoadError::Truncated { needed, available } => {
                    available == length && needed > available && needed <= artifact.len()
                }
                _ => false,
            };
            assert!(is_named, "{length} bytes: {error}");
        }
    }
    let longer = [INT8, &[0]].concat();
    let error = load(aligned(&mut memory, &longer)).unwrap_err();
    assert!(matches!(error, LoadError::TrailingBytes { .. }), "{error}");
}

/// If other bytes follow, the header says where the artifact ends, for both precisions.
#[test]
fn an_artifact_is_found_among_other_bytes() {
    let mut memory = memory();
    let longer = aligned(&mut memory, &[INT8, &[0xFF; 40]].concat());
    assert_eq!(Model::<Int8>::find(longer), Ok(INT8));
    assert_eq!(Model::<F32>::find(longer), Err(LoadError::NotF32));
    let (needed, available) = (INT8.len(), INT8.len() - 1);
    let error = LoadError::Truncated { needed, available };
    assert_eq!(Model::<Int8>::find(&INT8[..available]), Err(error));
    for artifact in [INT8, F32_MODEL, INT4, SPARSE, NARROW] {
        let followed = [artifact, &[0xFF; 40]].concat();
        assert_eq!(Summary::read(&followed).unwrap().bytes, artifact.len());
    }
    let is_f32 =
        |artifact| Summary::read(artifact).unwrap().header.precision == StoredPrecision::F32;
    assert!(is_f32(F32_MODEL) && !is_f32(INT8));
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut memory = memory();
    for sound in ALL {
        for bit in 0..8 * sound.len() {
            let artifact = aligned(&mut memory, sound);
            artifact[bit / 8] ^= 1 << (bit % 8);
            assert!(load(artifact).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn errors_name_what_is_wrong() {
    let mut memory = memory();
    let mut changed = |byte: usize, value: u8| {
        let artifact = aligned(&mut memory, INT8);
        artifact[byte] = value;
        load(artifact).unwrap_err()
    };
    assert_eq!(changed(0, b'X'), LoadError::NotAnArtifact);
    assert_eq!(changed(4, 2), LoadError::Version { found: 2, supported: VERSION });
    assert_eq!(changed(6, 2), LoadError::UnknownFlags { flags: 2 });
    assert!(matches!(changed(INT8.len() - 1, 0xaa), LoadError::Checksum { .. }));
    assert!(matches!(changed(200, 0xaa), LoadError::Checksum { .. }));

    let mut memory = self::memory();
    memory.0[1..=INT8.len()].copy_from_slice(INT8);
    assert_eq!(load(&memory.0[1..=INT8.len()]).unwrap_err(), LoadError::Misaligned { offset: 1 });

    let int8_as_f32 = Model::<F32>::load(INT8).unwrap_err();
    assert_eq!(int8_as_f32, LoadError::NotF32);
    let f32_as_int8 = load(F32_MODEL).unwrap_err();
    assert_eq!(f32_as_int8, LoadError::NotInt8);
}

/// An artifact with this header and no tensors, but a correct checksum.
fn with_header(header: &Header<'_>, entries: &[Tensor], payload_bytes: usize) -> Vec<u8> {
    let mut encoded = postcard::to_stdvec(header).unwrap();
    for entry in entries {
        encoded.extend(postcard::to_stdvec(entry).unwrap());
    }
    let header_bytes = encoded.len() as u32;
    let flags = header.precision.flags();
    let prelude = Prelude { version: VERSION, flags, header_bytes, checksum: 0 };
    let mut artifact = [&prelude.to_bytes()[..], &encoded].concat();
    artifact.resize(artifact.len().next_multiple_of(16) + payload_bytes, 0);
    mend_checksum(&mut artifact);
    artifact
}

/// `header` with these `cell_fraction_bits`.
fn with_cells<'a>(header: &Header<'a>, cell_fraction_bits: &'a [u8]) -> Header<'a> {
    let quantisation = Quantisation { nats_per_logit_q32: 1, cell_fraction_bits };
    Header { precision: StoredPrecision::Int8(quantisation), ..header.clone() }
}

#[test]
fn absurd_headers_are_refused() {
    let sound = Header {
        precision: StoredPrecision::Int8(Quantisation {
            nats_per_logit_q32: 1 << 16,
            cell_fraction_bits: &[12; 2],
        }),
        layers: 2,
        hidden: 4,
        normalisation: Normalisation::None,
        vocabulary: "abc",
        replacement: Some(2),
        prefixes: heapless::Vec::new(),
    };
    let mut memory = memory();
    let mut error = |header: &Header<'_>, entries: &[Tensor]| {
        load(aligned(&mut memory, &with_header(header, entries, 256))).unwrap_err()
    };
    assert_eq!(error(&Header { layers: 0, ..sound.clone() }, &[]), LoadError::Layers { layers: 0 });
    let layers = MAX_LAYERS as u8 + 1;
    assert_eq!(error(&Header { layers, ..sound.clone() }, &[]), LoadError::Layers { layers });
    for hidden in [0, MAX_HIDDEN as u16 + 1, u16::MAX] {
        let header = Header { hidden, ..sound.clone() };
        assert_eq!(error(&header, &[]), LoadError::Hidden { hidden });
    }
    for vocabulary in ["", "ba", "aa", "abb"] {
        let header = Header { vocabulary, ..sound.clone() };
        assert_eq!(error(&header, &[]), LoadError::Vocabulary);
    }
    for token in [3, 4, u16::MAX] {
        let header = Header { replacement: Some(token), ..sound.clone() };
        assert_eq!(error(&header, &[]), LoadError::Replacement { token });
    }
    for (count, layer) in [(0, 0), (1, 1), (3, 2), (4, 2)] {
        let header = with_cells(&sound, &[12; MAX_LAYERS][..count]);
        assert_eq!(error(&header, &[]), LoadError::Quantisation { layer });
    }
    for cell_fraction_bits in [0, 16, 255] {
        for layer in 0..2 {
            let mut bits = [12; 2];
            bits[layer] = cell_fraction_bits;
            let header = with_cells(&sound, &bits);
            assert_eq!(error(&header, &[]), LoadError::Quantisation { layer });
        }
    }
    assert_eq!(error(&sound, &[]), LoadError::Header);

    let sound_entry = Tensor { name: TensorName::WIh, layer: 0, offset: 48, bytes: 48 };
    let wrong_entries = [
        Tensor { name: TensorName::WHh, ..sound_entry },
        Tensor { layer: 1, ..sound_entry },
        Tensor { offset: 0, ..sound_entry },
        Tensor { offset: u32::MAX, ..sound_entry },
        Tensor { bytes: 47, ..sound_entry },
        Tensor { bytes: u32::MAX, ..sound_entry },
    ];
    for entry in wrong_entries {
        let expected = LoadError::Tensor { name: TensorName::WIh, layer: 0 };
        assert_eq!(error(&sound, &[entry]), expected, "{entry:?}");
    }
    let vocabulary: String = ('\u{1000}'..).take(60_000).collect();
    let header = Header { hidden: 1024, vocabulary: &vocabulary, ..sound.clone() };
    let big = with_header(&header, &[sound_entry], 0);
    let mut words = vec![0_u128; big.len().div_ceil(16)];
    let aligned = &mut bytemuck::cast_slice_mut(&mut words)[..big.len()];
    aligned.copy_from_slice(&big);
    let expected = LoadError::Tensor { name: TensorName::WIh, layer: 0 };
    assert_eq!(load(aligned).unwrap_err(), expected);
}

/// Damaged weights with a correct checksum give wrong text, but nothing worse.
#[test]
fn damaged_payloads_generate_without_a_panic() {
    for sound in ALL {
        damaged_payload_generates(sound);
    }
}

fn damaged_payload_generates(sound: &[u8]) {
    let first_tensor = tensors(sound).next().unwrap().offset as usize;
    let mut memory = memory();
    let (mut random, mut loaded) = (1_u64, 0);
    for round in 0..5000 {
        let artifact = aligned(&mut memory, sound);
        for _ in 0..1 + round % 20 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bit = (random >> 33) as usize % (8 * (artifact.len() - first_tensor));
            artifact[first_tensor + bit / 8] ^= 1 << (bit % 8);
        }
        assert!(matches!(load(artifact), Err(LoadError::Checksum { .. })));
        mend_checksum(artifact);
        let model = match load(artifact) {
            Err(LoadError::Overflow { .. } | LoadError::Blocks { .. }) => continue,
            model => model.unwrap(),
        };
        loaded += 1;
        let mut state = State::<16, 22, 2>::new();
        let sampling = Sampling::random().with_top_p_milli(900);
        let generator = Generator::new(&model, &mut state, sampling).unwrap();
        assert_eq!(generator.take(5).count(), 5);
    }
    assert!(loaded > 400, "{loaded} of 5000 were loaded");
}

/// The entry of tensor `name` of `layer`.
fn tensor(artifact: &[u8], name: TensorName, layer: usize) -> Tensor {
    let is_it = |tensor: &Tensor| tensor.name == name && usize::from(tensor.layer) == layer;
    tensors(artifact).find(is_it).unwrap()
}
