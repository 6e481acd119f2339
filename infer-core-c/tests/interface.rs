//! The functions called like from C: the same texts as on the host, and the errors.

#![expect(unsafe_code, reason = "the functions are called as from C")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::{ptr, slice};

use infer_core::artifact::Aligned;
use infer_core::{Generator, Int8, Model, Sampling, State};
use infer_core_c::{
    CHARCELL_CHARACTER_BYTES, Status, charcell_artifact_bytes, charcell_load,
    charcell_load_with_ram, charcell_memory_bytes, charcell_next, charcell_prefix, charcell_prime,
    charcell_restart, charcell_status_message, charcell_vocabulary,
};

static ARTIFACT: &[u8] =
    infer_core::include_model!("../../infer-core/tests/models/tiny-int8.postcard");
/// The same, but with `#` as the replacement for unknown characters.
static REPLACING: &[u8] =
    infer_core::include_model!("../../infer-core/tests/models/tiny-replacing.postcard");
/// One with int4 weights, of the same sizes.
static INT4_ARTIFACT: &[u8] =
    infer_core::include_model!("../../infer-core/tests/models/tiny-int4.postcard");
static F32_ARTIFACT: &[u8] =
    infer_core::include_model!("../../infer-core/tests/models/tiny-f32.postcard");

const PREFIX: &str = "'(&";

fn needed() -> usize {
    let mut needed = 0;
    // SAFETY: the artifact and the number are valid.
    let status =
        unsafe { charcell_memory_bytes(ARTIFACT.as_ptr(), ARTIFACT.len(), &raw mut needed) };
    assert_eq!(status, Status::Ok);
    needed
}

/// Loads `artifact` into `bytes` bytes of `memory`, starting at the byte `start`.
fn load(
    artifact: &'static [u8],
    memory: &mut [u128],
    start: usize,
    bytes: usize,
) -> Result<*mut infer_core_c::Generator, Status> {
    assert!(start + bytes <= size_of_val(memory));
    let mut generator = ptr::null_mut();
    let memory = memory.as_mut_ptr().wrapping_byte_add(start).cast::<c_void>();
    // SAFETY: the artifact is static, and the bytes are within the memory.
    let status = unsafe {
        charcell_load(artifact.as_ptr(), artifact.len(), memory, bytes, &raw mut generator)
    };
    if status == Status::Ok { Ok(generator) } else { Err(status) }
}

fn prime(generator: *mut infer_core_c::Generator, text: &[u8]) -> Status {
    // SAFETY: the generator comes from charcell_load, and the text is valid.
    unsafe { charcell_prime(generator, text.as_ptr().cast(), text.len(), ptr::null_mut()) }
}

fn text(generator: *mut infer_core_c::Generator, length: usize) -> String {
    let mut text = String::new();
    for _ in 0..length {
        let mut character = [0x55; CHARCELL_CHARACTER_BYTES];
        // SAFETY: the generator comes from charcell_load, and the buffer is large enough.
        let status = unsafe { charcell_next(generator, character.as_mut_ptr().cast()) };
        assert_eq!(status, Status::Ok);
        text.push_str(CStr::from_bytes_until_nul(&character).unwrap().to_str().unwrap());
    }
    text
}

fn expected(artifact: &[u8], sampling: Sampling) -> String {
    let model = Model::load(artifact).unwrap();
    let mut state = State::<16, 22, 2>::new();
    let mut generator = Generator::new(&model, &mut state, sampling).unwrap();
    generator.prime(PREFIX).unwrap();
    generator.take(60).collect()
}

#[test]
fn texts_are_the_same_as_in_infer_core() {
    // Works with any previous contents.
    let mut memory = vec![u128::MAX; needed().div_ceil(16)];
    let generator = load(ARTIFACT, &mut memory, 0, needed()).unwrap();
    assert_eq!(prime(generator, PREFIX.as_bytes()), Status::Ok);
    assert_eq!(text(generator, 60), expected(ARTIFACT, Sampling::greedy()));

    let choice =
        infer_core_c::Sampling { seed: 3, temperature_milli: 1000, top_k: 0, top_p_milli: 0 };
    let sampled = Sampling::random().with_seed(3);
    let choices = [
        (choice, sampled),
        (infer_core_c::Sampling { top_k: 3, ..choice }, sampled.with_top_k(3)),
        (infer_core_c::Sampling { top_p_milli: 500, ..choice }, sampled.with_top_p_milli(500)),
    ];
    for (choice, sampling) in choices {
        // SAFETY: the generator comes from charcell_load, and the sampling is valid.
        assert_eq!(unsafe { charcell_restart(generator, &raw const choice) }, Status::Ok);
        assert_eq!(prime(generator, PREFIX.as_bytes()), Status::Ok);
        assert_eq!(text(generator, 60), expected(ARTIFACT, sampling), "{choice:?}");
    }
    // SAFETY: the generator comes from charcell_load.
    assert_eq!(unsafe { charcell_restart(generator, ptr::null()) }, Status::Ok);
    assert_eq!(prime(generator, PREFIX.as_bytes()), Status::Ok);
    assert_eq!(text(generator, 60), expected(ARTIFACT, Sampling::greedy()));
}

/// They are read if `infer-core` has its feature `compact`.
#[test]
fn compact_artifacts_are_read_or_refused() {
    let mut memory = vec![0; needed().div_ceil(16)];
    let loaded = load(INT4_ARTIFACT, &mut memory, 0, needed());
    if Model::<Int8>::load(INT4_ARTIFACT).is_err() {
        assert_eq!(loaded, Err(Status::Version));
        return;
    }
    let generator = loaded.unwrap();
    assert_eq!(prime(generator, PREFIX.as_bytes()), Status::Ok);
    assert_eq!(text(generator, 60), expected(INT4_ARTIFACT, Sampling::greedy()));
}

/// Wherever the weights are, and however much RAM there is for them.
#[test]
fn weights_in_ram_write_the_same_text() {
    let mut memory = vec![0_u128; needed().div_ceil(16)];
    let (memory, bytes) = (memory.as_mut_ptr().cast::<c_void>(), needed());
    for ram_bytes in [0, 1, 700, ARTIFACT.len()] {
        let mut room = vec![0xA5_u8; ram_bytes];
        let expected_use = Model::<Int8>::load(ARTIFACT).unwrap().copy_to_ram(&mut room).ram_bytes;
        room.fill(0xA5);
        let (ram, mut used, mut generator) =
            (room.as_mut_ptr().cast::<c_void>(), usize::MAX, ptr::null_mut());
        // SAFETY: the artifact is static, and memory and RAM outlive the generator.
        let status = unsafe {
            charcell_load_with_ram(
                ARTIFACT.as_ptr(),
                ARTIFACT.len(),
                memory,
                bytes,
                ram,
                ram_bytes,
                &raw mut used,
                &raw mut generator,
            )
        };
        assert_eq!(status, Status::Ok, "{ram_bytes}");
        assert_eq!(used, expected_use, "of {ram_bytes}");
        assert!((used > 0) == (ram_bytes >= 700), "{used} of {ram_bytes}");
        assert_eq!(room.iter().any(|&byte| byte != 0xA5), used > 0);
        assert_eq!(prime(generator, PREFIX.as_bytes()), Status::Ok);
        assert_eq!(text(generator, 60), expected(ARTIFACT, Sampling::greedy()), "{ram_bytes}");
    }
}

#[test]
fn unknown_characters_are_replaced_if_the_artifact_says_so() {
    let mut memory = vec![0; needed().div_ceil(16)];
    let after = |generator, prefix: &str| {
        // SAFETY: the generator comes from charcell_load.
        assert_eq!(unsafe { charcell_restart(generator, ptr::null()) }, Status::Ok);
        assert_eq!(prime(generator, prefix.as_bytes()), Status::Ok, "{prefix}");
        text(generator, 60)
    };
    let expected = after(load(ARTIFACT, &mut memory, 0, needed()).unwrap(), "'#(&#");
    let generator = load(REPLACING, &mut memory, 0, needed()).unwrap();
    assert_eq!(after(generator, "'\u{201c}(&Z"), expected);
}

#[test]
fn refused_texts_change_nothing() {
    let mut memory = vec![0; needed().div_ceil(16)];
    let generator = load(ARTIFACT, &mut memory, 0, needed()).unwrap();
    assert_eq!(prime(generator, PREFIX.as_bytes()), Status::Ok);
    assert_eq!(prime(generator, b"#\xff"), Status::NotUtf8);
    let (unknown, mut unknown_at) = ("#(Ж", 0);
    assert_eq!(prime(generator, unknown.as_bytes()), Status::UnknownCharacter);
    // SAFETY: the generator comes from charcell_load, and the text and the number are valid.
    let status = unsafe {
        charcell_prime(generator, unknown.as_ptr().cast(), unknown.len(), &raw mut unknown_at)
    };
    assert_eq!((status, unknown_at), (Status::UnknownCharacter, 2));
    assert_eq!(prime(generator, b""), Status::Ok);
    assert_eq!(text(generator, 60), expected(ARTIFACT, Sampling::greedy()));
}

#[test]
fn a_model_lists_its_characters_and_prefixes() {
    let mut memory = vec![0; needed().div_ceil(16)];
    let generator = load(ARTIFACT, &mut memory, 0, needed()).unwrap();
    let text = |function: &dyn Fn(*mut *const c_char, *mut usize) -> Status| {
        let (mut text, mut bytes) = (ptr::null(), 0);
        let status = function(&raw mut text, &raw mut bytes);
        // SAFETY: the text is in the artifact, which is static.
        (status == Status::Ok)
            .then(|| str::from_utf8(unsafe { slice::from_raw_parts(text.cast(), bytes) }).unwrap())
            .ok_or(status)
    };
    let model = Model::<Int8>::load(ARTIFACT).unwrap();
    // SAFETY: the generator comes from charcell_load, and the pointers are valid.
    let vocabulary = text(&|text, bytes| unsafe { charcell_vocabulary(generator, text, bytes) });
    assert_eq!(vocabulary, Ok(model.vocabulary().as_str()));
    let expected = model.prefixes().map(Ok).chain([Err(Status::NoPrefix)]);
    for (index, prefix) in expected.enumerate() {
        // SAFETY: as above.
        let found = text(&|text, bytes| unsafe { charcell_prefix(generator, index, text, bytes) });
        assert_eq!(found, prefix);
    }
}

#[test]
fn memory_too_small_or_misaligned_is_refused() {
    let mut memory = vec![u128::MAX; needed().div_ceil(16) + 1];
    for bytes in [0, 1, needed() - 1] {
        assert_eq!(load(ARTIFACT, &mut memory, 0, bytes), Err(Status::MemoryTooSmall));
    }
    assert_eq!(load(ARTIFACT, &mut memory, 8, needed()), Err(Status::MemoryMisaligned));
    assert!(memory.iter().all(|&word| word == u128::MAX), "something was written");
}

#[test]
fn errors_name_what_is_wrong_with_an_artifact() {
    let mut memory = vec![0; needed().div_ceil(16)];
    let mut status = |artifact| load(artifact, &mut memory, 0, needed()).unwrap_err();
    assert_eq!(status(&ARTIFACT[1..]), Status::ArtifactMisaligned);
    assert_eq!(status(&ARTIFACT[16..]), Status::NotAnArtifact);
    assert_eq!(status(&ARTIFACT[..ARTIFACT.len() - 1]), Status::Length);
    assert_eq!(status(&ARTIFACT[..0]), Status::Length);
    assert_eq!(status(F32_ARTIFACT), Status::NotInt8);
    for (byte, expected) in [(4, Status::Version), (6, Status::Version), (200, Status::Damaged)] {
        let damaged = Box::leak(Box::new(Aligned([0; 8192])));
        let bytes = &mut damaged.0[..ARTIFACT.len()];
        bytes.copy_from_slice(ARTIFACT);
        bytes[byte] ^= 0x10;
        assert_eq!(status(bytes), expected);
    }
}

#[test]
fn an_artifact_is_found_in_a_larger_buffer() {
    let mut flash = Aligned([0xFF; 8192]);
    flash.0[..ARTIFACT.len()].copy_from_slice(ARTIFACT);
    let found = |room: usize| {
        let mut bytes = 0;
        // SAFETY: the bytes and the number are valid.
        let status = unsafe { charcell_artifact_bytes(flash.0.as_ptr(), room, &raw mut bytes) };
        (status, bytes)
    };
    assert_eq!(found(8192), (Status::Ok, ARTIFACT.len()));
    assert_eq!(found(ARTIFACT.len()), (Status::Ok, ARTIFACT.len()));
    assert_eq!(found(ARTIFACT.len() - 1), (Status::Length, 0));
}

#[test]
fn null_is_refused_everywhere() {
    let mut memory = vec![0_u128; needed().div_ceil(16)];
    let address = memory.as_mut_ptr().cast::<c_void>();
    let (artifact, bytes) = (ARTIFACT.as_ptr(), ARTIFACT.len());
    let (mut generator, mut count, mut text) = (ptr::null_mut(), 0, ptr::null());
    let (result, character) = (&raw mut generator, [0; CHARCELL_CHARACTER_BYTES].as_mut_ptr());
    // SAFETY: pointers that aren't null are valid.
    let statuses = unsafe {
        [
            charcell_artifact_bytes(ptr::null(), 0, &raw mut count),
            charcell_artifact_bytes(artifact, bytes, ptr::null_mut()),
            charcell_memory_bytes(ptr::null(), 0, &raw mut count),
            charcell_memory_bytes(artifact, bytes, ptr::null_mut()),
            charcell_load(ptr::null(), 0, address, needed(), result),
            charcell_load(artifact, bytes, ptr::null_mut(), 0, result),
            charcell_load(artifact, bytes, address, needed(), ptr::null_mut()),
            charcell_load_with_ram(
                artifact,
                bytes,
                address,
                needed(),
                ptr::null_mut(),
                0,
                &raw mut count,
                result,
            ),
            charcell_restart(ptr::null_mut(), ptr::null()),
            charcell_prime(ptr::null_mut(), c"".as_ptr(), 0, ptr::null_mut()),
            charcell_next(ptr::null_mut(), character),
            charcell_vocabulary(ptr::null(), &raw mut text, &raw mut count),
            charcell_prefix(ptr::null(), 0, &raw mut text, &raw mut count),
        ]
    };
    assert_eq!(statuses, [Status::Null; 13]);
    let generator = load(ARTIFACT, &mut memory, 0, needed()).unwrap();
    // SAFETY: the generator comes from charcell_load, and pointers that aren't null are valid.
    let statuses = unsafe {
        [
            charcell_prime(generator, ptr::null(), 0, &raw mut count),
            charcell_next(generator, ptr::null_mut()),
            charcell_vocabulary(generator, ptr::null_mut(), &raw mut count),
            charcell_vocabulary(generator, &raw mut text, ptr::null_mut()),
            charcell_prefix(generator, 0, &raw mut text, ptr::null_mut()),
        ]
    };
    assert_eq!(statuses, [Status::Null; 5]);
}

#[test]
fn every_status_has_a_message_of_its_own() {
    let message = |status: c_int| {
        // SAFETY: messages are static, with a terminating zero.
        unsafe { CStr::from_ptr(charcell_status_message(status)) }.to_str().unwrap()
    };
    let last = Status::Header as c_int;
    let mut messages: Vec<&str> = (-1..=last).map(message).collect();
    assert_eq!(messages[0], message(last + 1));
    messages.sort_unstable();
    messages.dedup();
    assert_eq!(messages.len() as c_int, last + 2);
}
