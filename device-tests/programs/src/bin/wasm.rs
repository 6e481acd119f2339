//! The tasks in WebAssembly: `node/wasm.mjs` copies the artifact to its buffer, calls a task, and
//! prints the output.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "the host shares this program's memory")]

use core::arch::wasm32;
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::slice;

use device_programs::{LARGEST_ARTIFACT, check_kernels, write_texts};
use infer_core::artifact::Aligned;

static mut ARTIFACT: Aligned<[u8; LARGEST_ARTIFACT]> = Aligned([0; LARGEST_ARTIFACT]);

// SAFETY: the host's function reads the text, and keeps no pointer to it.
unsafe extern "C" {
    safe fn output(text: *const u8, bytes: usize);
}

/// The buffer for the artifact.
#[unsafe(no_mangle)]
extern "C" fn artifact() -> *mut u8 {
    (&raw mut ARTIFACT).cast()
}

/// The task `texts`, with an artifact of this many `bytes`.
#[unsafe(no_mangle)]
extern "C" fn texts(characters: usize, bytes: usize) {
    // SAFETY: nobody writes to the artifact while this runs.
    let artifact = unsafe { slice::from_raw_parts(artifact(), bytes.min(LARGEST_ARTIFACT)) };
    if write_texts(artifact, characters, &mut Console).is_err() {
        wasm32::unreachable();
    }
}

/// The task `kernels`, which needs neither number.
#[unsafe(no_mangle)]
extern "C" fn kernels(_: usize, _: usize) {
    check_kernels();
}

/// The host's output.
struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        output(text.as_ptr(), text.len());
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // The host prints this output and reports the trap.
    let _ = write!(Console, "{info}");
    wasm32::unreachable()
}
