//! The C interface of `infer-core`: what `include/charcell.h` declares.
//!
//! The caller owns all memory: the artifact in flash, and one buffer in RAM that holds the loaded
//! model, its state and the position of the text in it. Nothing here allocates or panics.

#![no_std]
#![expect(unsafe_code, reason = "C hands over addresses, and what lies there is its promise")]

// A host's program takes its panic handler from here; bare metal has the one below.
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

/// Bytes of a character in UTF-8 at the most, with a zero after it.
pub const CHARCELL_CHARACTER_BYTES: usize = 5;

type Character = [u8; CHARCELL_CHARACTER_BYTES];

/// A loaded model and the text that it writes, in memory of the caller's.
#[derive(Debug)]
pub struct Generator(infer_core::Generator<'static, Int8>);

/// How characters are chosen. All zeros: the most probable one always.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Sampling {
    /// Where the random numbers start: same seed, same text.
    pub seed: u64,
    /// Temperature in thousandths: 1000 draws from the model's own distribution, more is bolder,
    /// less more cautious, 0 always takes the most probable character.
    pub temperature_milli: u16,
    /// Only the k most probable characters; 0: all.
    pub top_k: u16,
    /// Only the most probable characters that reach this probability together, in thousandths; 0:
    /// all.
    pub top_p_milli: u16,
}

impl From<Sampling> for infer_core::Sampling {
    fn from(sampling: Sampling) -> Self {
        let Sampling { seed, temperature_milli, top_k, top_p_milli } = sampling;
        let top_p_milli = if top_p_milli == 0 { 1000 } else { top_p_milli };
        Self { temperature_milli, top_k, top_p_milli, seed }
    }
}

/// What lies at the start of the caller's memory; the state's bytes follow, aligned likewise.
#[repr(C, align(16))]
struct Loaded {
    model: Model<'static, Int8>,
    generator: Generator,
}

// What cbindgen can't compute, and what CHARCELL_MEMORY_BYTES in cbindgen.toml relies on.
const _: () = assert!(
    CHARCELL_ARTIFACT_ALIGNMENT == infer_core::layout::ALIGNMENT
        && CHARCELL_MEMORY_ALIGNMENT == align_of::<Loaded>()
        && size_of::<Loaded>() <= 56 * size_of::<*const u8>() + 16
);

/// Writes to `artifact_bytes` how many bytes the artifact has that starts at `flash`, which has
/// room for more: flash at a fixed address, say.
///
/// The checksum isn't compared yet.
///
/// # Safety
/// `flash` points to `flash_bytes` bytes, and `artifact_bytes` to memory for the result; either
/// may be null, which is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_artifact_bytes(
    flash: *const u8,
    flash_bytes: usize,
    artifact_bytes: *mut usize,
) -> Status {
    if flash.is_null() || artifact_bytes.is_null() {
        return Status::Null;
    }
    // SAFETY: it isn't null, and the caller promises the bytes.
    let flash = unsafe { slice::from_raw_parts(flash, flash_bytes) };
    match Model::<Int8>::find(flash) {
        Ok(artifact) => {
            // SAFETY: it isn't null, and the caller promises the memory.
            unsafe { artifact_bytes.write(artifact.len()) };
            Status::Ok
        }
        Err(error) => error.into(),
    }
}

/// Writes to `memory_bytes` how much memory charcell_load needs for this artifact.
///
/// The checksum isn't compared yet.
///
/// # Safety
/// `artifact` points to `artifact_bytes` bytes, and `memory_bytes` to memory for the result;
/// either may be null, which is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_memory_bytes(
    artifact: *const u8,
    artifact_bytes: usize,
    memory_bytes: *mut usize,
) -> Status {
    if artifact.is_null() || memory_bytes.is_null() {
        return Status::Null;
    }
    // SAFETY: it isn't null, and the caller promises the bytes.
    let artifact = unsafe { slice::from_raw_parts(artifact, artifact_bytes) };
    match Model::<Int8>::load_unverified(artifact) {
        Ok(model) => {
            let needed = size_of::<Loaded>() + model.memory().state_bytes;
            // SAFETY: it isn't null, and the caller promises the memory.
            unsafe { memory_bytes.write(needed) };
            Status::Ok
        }
        Err(error) => error.into(),
    }
}

/// Checks an artifact, loads it, and writes to `generator` where it is: at the start of a text,
/// with the most probable character always taken.
///
/// # Safety
/// `artifact` points to `artifact_bytes` bytes that never change, `memory` to `memory_bytes` bytes
/// that are nobody else's, and `generator` to memory for the result; each may be null, which is
/// refused. The generator is in `memory`, and must not be used once either is gone or loaded into
/// again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_load(
    artifact: *const u8,
    artifact_bytes: usize,
    memory: *mut c_void,
    memory_bytes: usize,
    generator: *mut *mut Generator,
) -> Status {
    // SAFETY: the caller promises it.
    unsafe { load(artifact, artifact_bytes, memory, memory_bytes, generator, |_| ()) }
}

/// As charcell_load, and copies as many of the weights to `ram` as fit, whole units at a time; the
/// others are read from the artifact. On most microcontrollers RAM answers faster than flash. The
/// text stays the same. `ram_used` is then how many bytes of `ram` the weights take, from the first
/// multiple of CHARCELL_ARTIFACT_ALIGNMENT on: aligned likewise, none of it is lost.
///
/// # Safety
/// As for charcell_load; and `ram` points to `ram_bytes` bytes that are nobody else's for as long
/// as the generator is used, or is null, which is refused. `ram_used` points to memory for the
/// result, or is null where that isn't asked.
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
    // SAFETY: it isn't null, and the caller promises the bytes.
    let ram = unsafe { slice::from_raw_parts_mut(ram.cast(), ram_bytes) };
    // SAFETY: the caller promises the memory if it isn't null.
    let ram_used = unsafe { ram_used.as_mut() };
    // SAFETY: the caller promises it.
    unsafe {
        load(artifact, artifact_bytes, memory, memory_bytes, generator, |model| {
            let placement = model.copy_to_ram(ram);
            if let Some(ram_used) = ram_used {
                *ram_used = placement.ram_bytes;
            }
        })
    }
}

/// Loads an artifact as charcell_load does; `prepare` is called with the model before it is used.
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
    // SAFETY: it isn't null, and the caller promises the bytes for as long as the generator is
    // used.
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
    // SAFETY: `memory` is aligned, large enough, and nobody else's. Its parts are borrowed apart
    // from each other: the model, which is only read from here on, and the state.
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
    // SAFETY: as above; and the caller promises the memory of the result.
    unsafe {
        slot.write(loaded);
        generator.write(slot);
    }
    Status::Ok
}

/// Starts a new text. Without `sampling`, the most probable character is always taken.
///
/// # Safety
/// `generator` comes from charcell_load, and `sampling` points to one; a null generator is
/// refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_restart(
    generator: *mut Generator,
    sampling: *const Sampling,
) -> Status {
    // SAFETY: the caller promises that what isn't null is there, and not in use elsewhere.
    let (generator, sampling) = unsafe { (generator.as_mut(), sampling.as_ref()) };
    let Some(Generator(generator)) = generator else { return Status::Null };
    generator.restart(sampling.copied().map_or(infer_core::Sampling::greedy(), Into::into));
    Status::Ok
}

/// Takes a text of `text_bytes` bytes of UTF-8 in, as if it had been written; nothing of it if it
/// has a character that the model doesn't know and the artifact doesn't replace: `unknown_at` is
/// then how many bytes stand before the first one.
///
/// # Safety
/// `generator` comes from charcell_load, `text` points to `text_bytes` bytes, and `unknown_at` to a
/// memory for the result, or is null where that isn't asked; the others may be null, which is
/// refused.
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
    // SAFETY: the caller promises that it is there, and not in use elsewhere, if it isn't null.
    let Some(Generator(generator)) = (unsafe { generator.as_mut() }) else { return Status::Null };
    // SAFETY: it isn't null, and the caller promises the bytes.
    let text = unsafe { slice::from_raw_parts(text.cast(), text_bytes) };
    let Ok(text) = str::from_utf8(text) else { return Status::NotUtf8 };
    let Err(unknown) = generator.prime(text) else { return Status::Ok };
    // SAFETY: the caller promises the memory if it isn't null.
    if let Some(unknown_at) = unsafe { unknown_at.as_mut() } {
        *unknown_at = unknown.offset;
    }
    Status::UnknownCharacter
}

/// Writes the next character to `character`, in UTF-8, with a zero after it.
///
/// # Safety
/// `generator` comes from charcell_load, and `character` points to CHARCELL_CHARACTER_BYTES bytes;
/// either may be null, which is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_next(
    generator: *mut Generator,
    character: *mut c_char,
) -> Status {
    // SAFETY: the caller promises that what isn't null is there, and not in use elsewhere.
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

/// Writes to `text` where the characters that the model knows are, in UTF-8 without a zero after
/// them, and to `text_bytes` how many bytes they take.
///
/// # Safety
/// `generator` comes from charcell_load, and `text` and `text_bytes` point to memory for the
/// results; each may be null, which is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn charcell_vocabulary(
    generator: *const Generator,
    text: *mut *const c_char,
    text_bytes: *mut usize,
) -> Status {
    // SAFETY: the caller promises that what isn't null is there.
    let generator = unsafe { generator.as_ref() };
    let vocabulary = generator.map(|Generator(generator)| generator.model().vocabulary().as_str());
    // SAFETY: as above.
    unsafe { write_text(vocabulary, text, text_bytes) }
}

/// Writes to `text` where a prefix is that the artifact carries along to show the model with, in
/// UTF-8 without a zero after it, and to `text_bytes` how many bytes it takes. `index` counts from
/// 0.
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
    // SAFETY: the caller promises that what isn't null is there.
    let Some(Generator(generator)) = (unsafe { generator.as_ref() }) else { return Status::Null };
    let Some(prefix) = generator.model().prefixes().nth(index) else { return Status::NoPrefix };
    // SAFETY: as above.
    unsafe { write_text(Some(prefix), text, text_bytes) }
}

/// Hands `found`, which lies in the artifact, to the caller.
///
/// # Safety
/// `text` and `text_bytes` point to memory for the results, where they aren't null.
unsafe fn write_text(
    found: Option<&str>,
    text: *mut *const c_char,
    text_bytes: *mut usize,
) -> Status {
    // SAFETY: the caller promises the memory.
    let results = unsafe { (text.as_mut(), text_bytes.as_mut()) };
    let (Some(found), (Some(text), Some(text_bytes))) = (found, results) else {
        return Status::Null;
    };
    (*text, *text_bytes) = (found.as_ptr().cast(), found.len());
    Status::Ok
}

/// Never reached: nothing in `infer-core` panics. A program that is all C needs the symbol.
#[cfg(all(target_os = "none", feature = "panic-handler"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
