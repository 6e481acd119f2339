//! The C interface of `infer-core`, declared in `include/charcell.h`.
//!
//! The caller owns all memory: the artifact in flash, and one buffer in RAM for the loaded model,
//! its state and its position in the text. Nothing here allocates or panics.

#![no_std]
#![expect(unsafe_code, reason = "C passes pointers, and vouches for what they point to")]

// Only for hosts: uses the standard library's panic handler. Bare metal has the one below.
#[cfg(not(target_os = "none"))]
extern crate std;

mod status;

use core::ffi::{c_char, c_void};
use core::{ptr, slice};

use infer_core::{Int8, Model, StateView};

pub use status::{Status, charcell_status_message};

/// Alignment in bytes of an artifact's address.
pub const CHARCELL_ARTIFACT_ALIGNMENT: usize = 16;

/// Alignment in bytes of the memory given to charcell_load.
pub const CHARCELL_MEMORY_ALIGNMENT: usize = 16;

/// Maximum length in bytes of a character in UTF-8, with its terminating zero.
pub const CHARCELL_CHARACTER_BYTES: usize = 5;

type Character = [u8; CHARCELL_CHARACTER_BYTES];

/// A loaded model and the text that it generates, in the caller's memory.
#[derive(Debug)]
pub struct Generator(infer_core::Generator<'static, Int8>);

/// How characters are chosen. All zeros means: always the most probable one.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Sampling {
    /// Seed of the random numbers: same seed, same text.
    pub seed: u64,
    /// Temperature in thousandths: 1000 samples from the model's own distribution; higher is
    /// bolder, lower more cautious, and 0 always takes the most probable character.
    pub temperature_milli: u16,
    /// Only the k most probable characters; 0 means all.
    pub top_k: u16,
    /// Only the most probable characters that together reach this probability, in thousandths; 0
    /// means all.
    pub top_p_milli: u16,
}

impl From<Sampling> for infer_core::Sampling {
    fn from(sampling: Sampling) -> Self {
        let Sampling { seed, temperature_milli, top_k, top_p_milli } = sampling;
        let top_p_milli = if top_p_milli == 0 { 1000 } else { top_p_milli };
        Self { temperature_milli, top_k, top_p_milli, seed }
    }
}

/// The start of the caller's memory; it is followed by the state, with the same alignment.
#[repr(C, align(16))]
struct Loaded {
    model: Model<'static, Int8>,
    generator: Generator,
}

// Values that cbindgen can't compute, and the size assumed by CHARCELL_MEMORY_BYTES in
// cbindgen.toml.
const _: () = assert!(
    CHARCELL_ARTIFACT_ALIGNMENT == infer_core::layout::ALIGNMENT
        && CHARCELL_MEMORY_ALIGNMENT == align_of::<Loaded>()
        && size_of::<Loaded>() <= 44 * size_of::<*const u8>() + 16
);

/// Writes the length of the artifact that starts at `flash` to `artifact_bytes`. Other bytes may
/// follow the artifact, so `flash` can be all flash from a fixed address onwards.
///
/// Doesn't compare the checksum.
///
/// # Safety
/// `flash` points to `flash_bytes` bytes, and `artifact_bytes` to memory for the result. Null
/// pointers are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_artifact_bytes(
    flash: *const u8,
    flash_bytes: usize,
    artifact_bytes: *mut usize,
) -> Status {
    if flash.is_null() || artifact_bytes.is_null() {
        return Status::Null;
    }
    // SAFETY: it isn't null, and the caller guarantees the bytes.
    let flash = unsafe { slice::from_raw_parts(flash, flash_bytes) };
    match Model::<Int8>::find(flash) {
        Ok(artifact) => {
            // SAFETY: it isn't null, and the caller guarantees the memory.
            unsafe { artifact_bytes.write(artifact.len()) };
            Status::Ok
        }
        Err(error) => error.into(),
    }
}

/// Writes the number of bytes of memory that charcell_load needs for this artifact to
/// `memory_bytes`.
///
/// Doesn't compare the checksum.
///
/// # Safety
/// `artifact` points to `artifact_bytes` bytes, and `memory_bytes` to memory for the result. Null
/// pointers are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_memory_bytes(
    artifact: *const u8,
    artifact_bytes: usize,
    memory_bytes: *mut usize,
) -> Status {
    if artifact.is_null() || memory_bytes.is_null() {
        return Status::Null;
    }
    // SAFETY: it isn't null, and the caller guarantees the bytes.
    let artifact = unsafe { slice::from_raw_parts(artifact, artifact_bytes) };
    match Model::<Int8>::load_unverified(artifact) {
        Ok(model) => {
            let needed = size_of::<Loaded>() + model.memory().state_bytes;
            // SAFETY: it isn't null, and the caller guarantees the memory.
            unsafe { memory_bytes.write(needed) };
            Status::Ok
        }
        Err(error) => error.into(),
    }
}

/// Checks and loads an artifact, and writes a pointer to its generator to `generator`. The
/// generator is at the start of a text and always takes the most probable character.
///
/// # Safety
/// `artifact` points to `artifact_bytes` bytes that never change, `memory` to `memory_bytes` bytes
/// that nothing else uses, and `generator` to memory for the result. Null pointers are refused. The
/// generator is in `memory`; it must not be used once the artifact or the memory is gone, or after
/// another load into the same memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_load(
    artifact: *const u8,
    artifact_bytes: usize,
    memory: *mut c_void,
    memory_bytes: usize,
    generator: *mut *mut Generator,
) -> Status {
    // SAFETY: guaranteed by the caller.
    unsafe { load(artifact, artifact_bytes, memory, memory_bytes, generator, |_| ()) }
}

/// Like charcell_load, but also copies as many of the weights to `ram` as fit, in whole units; the
/// others are read from the artifact. On most microcontrollers RAM is faster than flash. The text
/// stays the same. `ram_used` is set to the number of bytes of `ram` occupied by the weights, from
/// the first multiple of CHARCELL_ARTIFACT_ALIGNMENT on; if `ram` is aligned to that, none of it is
/// wasted.
///
/// # Safety
/// As for charcell_load. In addition, `ram` points to `ram_bytes` bytes that nothing else uses as
/// long as the generator is used; null is refused. `ram_used` points to memory for the result, or
/// is null if the number isn't needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_load_with_ram(
    artifact: *const u8,
    artifact_bytes: usize,
    memory: *mut c_void,
    memory_bytes: usize,
    ram: *mut c_void,
    ram_bytes: usize,
    ram_used: *mut usize,
    generator: *mut *mut Generator,
) -> Status {
    if ram.is_null() {
        return Status::Null;
    }
    // SAFETY: it isn't null, and the caller guarantees the bytes.
    let ram = unsafe { slice::from_raw_parts_mut(ram.cast(), ram_bytes) };
    // SAFETY: the caller guarantees the memory if it isn't null.
    let ram_used = unsafe { ram_used.as_mut() };
    // SAFETY: guaranteed by the caller.
    unsafe {
        load(artifact, artifact_bytes, memory, memory_bytes, generator, |model| {
            let placement = model.copy_to_ram(ram);
            if let Some(ram_used) = ram_used {
                *ram_used = placement.ram_bytes;
            }
        })
    }
}

/// Loads an artifact like charcell_load, and calls `prepare` with the model before it is used.
///
/// # Safety
/// As for charcell_load.
unsafe fn load(
    artifact: *const u8,
    artifact_bytes: usize,
    memory: *mut c_void,
    memory_bytes: usize,
    generator: *mut *mut Generator,
    prepare: impl FnOnce(&mut Model<'static, Int8>),
) -> Status {
    if artifact.is_null() || memory.is_null() || generator.is_null() {
        return Status::Null;
    }
    if !memory.addr().is_multiple_of(CHARCELL_MEMORY_ALIGNMENT) {
        return Status::MemoryMisaligned;
    }
    // SAFETY: it isn't null, and the caller guarantees the bytes as long as the generator is used.
    let artifact = unsafe { slice::from_raw_parts(artifact, artifact_bytes) };
    let mut model = match Model::load(artifact) {
        Ok(model) => model,
        Err(error) => return error.into(),
    };
    let state_bytes = model.memory().state_bytes;
    if memory_bytes < size_of::<Loaded>() + state_bytes {
        return Status::MemoryTooSmall;
    }
    prepare(&mut model);
    // SAFETY: `memory` is aligned, large enough, and used by nothing else. Its parts are borrowed
    // separately: the model, which is only read from here on, and the state.
    let (slot, model, state) = unsafe {
        let loaded = memory.cast::<Loaded>();
        let model_slot = &raw mut (*loaded).model;
        model_slot.write(model);
        let state = loaded.add(1).cast::<u8>();
        ptr::write_bytes(state, 0, state_bytes);
        let state = slice::from_raw_parts_mut(state, state_bytes);
        (&raw mut (*loaded).generator, &*model_slot, state)
    };
    let Ok(state) = StateView::from_bytes(model, state) else { return Status::MemoryTooSmall };
    let loaded =
        Generator(infer_core::Generator::from_view(model, state, infer_core::Sampling::greedy()));
    // SAFETY: as above, and the caller guarantees the memory for the result.
    unsafe {
        slot.write(loaded);
        generator.write(slot);
    }
    Status::Ok
}

/// Starts a new text. If `sampling` is null, the most probable character is always taken.
///
/// # Safety
/// `generator` comes from charcell_load; null is refused. `sampling` points to a charcell_sampling
/// or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_restart(
    generator: *mut Generator,
    sampling: *const Sampling,
) -> Status {
    // SAFETY: the caller guarantees that pointers that aren't null are valid and not in use
    // elsewhere.
    let (generator, sampling) = unsafe { (generator.as_mut(), sampling.as_ref()) };
    let Some(Generator(generator)) = generator else { return Status::Null };
    generator.restart(sampling.copied().map_or(infer_core::Sampling::greedy(), Into::into));
    Status::Ok
}

/// Feeds `text_bytes` bytes of UTF-8 to the model as if it had generated them. If the text has a
/// character that the model doesn't know and the artifact doesn't replace, nothing is fed, and
/// `unknown_at` is set to the number of bytes before the first such character.
///
/// # Safety
/// `generator` comes from charcell_load, and `text` points to `text_bytes` bytes; null is refused.
/// `unknown_at` points to memory for the result, or is null if it isn't needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_prime(
    generator: *mut Generator,
    text: *const c_char,
    text_bytes: usize,
    unknown_at: *mut usize,
) -> Status {
    if text.is_null() {
        return Status::Null;
    }
    // SAFETY: if it isn't null, the caller guarantees that it is valid and not in use elsewhere.
    let Some(Generator(generator)) = (unsafe { generator.as_mut() }) else { return Status::Null };
    // SAFETY: it isn't null, and the caller guarantees the bytes.
    let text = unsafe { slice::from_raw_parts(text.cast(), text_bytes) };
    let Ok(text) = str::from_utf8(text) else { return Status::NotUtf8 };
    let Err(unknown) = generator.prime(text) else { return Status::Ok };
    // SAFETY: the caller guarantees the memory if it isn't null.
    if let Some(unknown_at) = unsafe { unknown_at.as_mut() } {
        *unknown_at = unknown.offset;
    }
    Status::UnknownCharacter
}

/// Writes the next character to `character`, in UTF-8 with a terminating zero.
///
/// # Safety
/// `generator` comes from charcell_load, and `character` points to CHARCELL_CHARACTER_BYTES bytes.
/// Null pointers are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_next(
    generator: *mut Generator,
    character: *mut c_char,
) -> Status {
    // SAFETY: the caller guarantees that pointers that aren't null are valid and not in use
    // elsewhere.
    let (generator, character) =
        unsafe { (generator.as_mut(), character.cast::<Character>().as_mut()) };
    let (Some(Generator(generator)), Some(character)) = (generator, character) else {
        return Status::Null;
    };
    *character = Character::default();
    // A generator never ends.
    generator.next().unwrap_or_default().encode_utf8(character);
    Status::Ok
}

/// Writes a pointer to the characters that the model knows to `text`, in UTF-8 without a
/// terminating zero, and their length in bytes to `text_bytes`.
///
/// # Safety
/// `generator` comes from charcell_load, and `text` and `text_bytes` point to memory for the
/// results. Null pointers are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_vocabulary(
    generator: *const Generator,
    text: *mut *const c_char,
    text_bytes: *mut usize,
) -> Status {
    // SAFETY: the caller guarantees that pointers that aren't null are valid.
    let generator = unsafe { generator.as_ref() };
    let vocabulary = generator.map(|Generator(generator)| generator.model().vocabulary().as_str());
    // SAFETY: as above.
    unsafe { write_text(vocabulary, text, text_bytes) }
}

/// Writes a pointer to one of the artifact's example prefixes to `text`, in UTF-8 without a
/// terminating zero, and its length in bytes to `text_bytes`. `index` counts from 0.
///
/// # Safety
/// As for charcell_vocabulary.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_prefix(
    generator: *const Generator,
    index: usize,
    text: *mut *const c_char,
    text_bytes: *mut usize,
) -> Status {
    // SAFETY: the caller guarantees that pointers that aren't null are valid.
    let Some(Generator(generator)) = (unsafe { generator.as_ref() }) else { return Status::Null };
    let Some(prefix) = generator.model().prefixes().nth(index) else { return Status::NoPrefix };
    // SAFETY: as above.
    unsafe { write_text(Some(prefix), text, text_bytes) }
}

/// Returns `found`, which is part of the artifact, to the caller.
///
/// # Safety
/// `text` and `text_bytes` point to memory for the results if they aren't null.
unsafe fn write_text(
    found: Option<&str>,
    text: *mut *const c_char,
    text_bytes: *mut usize,
) -> Status {
    // SAFETY: the caller guarantees the memory.
    let results = unsafe { (text.as_mut(), text_bytes.as_mut()) };
    let (Some(found), (Some(text), Some(text_bytes))) = (found, results) else {
        return Status::Null;
    };
    (*text, *text_bytes) = (found.as_ptr().cast(), found.len());
    Status::Ok
}

/// Never reached: nothing in `infer-core` panics. A program otherwise in C needs the symbol.
#[cfg(all(target_os = "none", feature = "panic-handler"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
