//! A firmware that links only if nothing in it can panic: its panic handler calls a function that
//! doesn't exist.
//!
//! Its features plant a panic, or an operation on floats, to see that they would be found.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "what must not be linked can only be declared")]

use core::hint::black_box;
use core::panic::PanicInfo;

use infer_core::{Generator, Model, Sampling, State};

/// Enough for a header; the compiler doesn't learn that there is no model in it.
static ARTIFACT: [u8; 64] = [0; 64];

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut state = State::<256, 64>::new();
    loop {
        black_box(characters(black_box(&ARTIFACT), black_box("the"), &mut state));
        #[cfg(feature = "planted-panic")]
        black_box(ARTIFACT[black_box(7)]);
        #[cfg(feature = "planted-float")]
        black_box(black_box(1.5_f32) * black_box(2.5));
    }
}

/// All that a user of the crate does: loading, priming, sampling in every way, generating.
fn characters(artifact: &[u8], prefix: &str, state: &mut State<256, 64>) -> u32 {
    let Ok(model) = Model::load(artifact) else { return 1 };
    let sampling = Sampling {
        temperature_milli: black_box(700),
        top_k: black_box(5),
        top_p_milli: black_box(900),
        seed: black_box(1),
    };
    let Ok(mut generator) = Generator::new(&model, state, sampling) else { return 2 };
    let primed = generator.prime(prefix);
    generator.take(20).map(u32::from).sum::<u32>() + u32::from(primed.is_err())
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_is_reachable() -> !;
    }
    // SAFETY: never called, as the program wouldn't link.
    unsafe { a_panic_is_reachable() }
}
