//! A firmware that links only if nothing in it can panic: its panic handler calls a function that
//! doesn't exist.
//!
//! Its features plant a panic or a floating-point operation, to check that they would be found.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "a function that doesn't exist can only be declared")]

use core::fmt::{self, Write};
use core::hint::black_box;
use core::panic::PanicInfo;

use infer_core::{Generator, Model, Sampling, State};

/// Room for a header; the compiler can't see that it holds no model.
static ARTIFACT: [u8; 64] = [0; 64];

#[cortex_m_rt::entry]
fn main() -> ! {
    let (mut state, mut ram) = (State::<256, 64>::new(), [0; 1024]);
    loop {
        let ram = black_box(&mut ram[..]);
        black_box(characters(black_box(&ARTIFACT), black_box("the"), &mut state, ram));
        #[cfg(feature = "planted-panic")]
        black_box(ARTIFACT[black_box(7)]);
        #[cfg(feature = "planted-float")]
        black_box(black_box(1.5_f32) * black_box(2.5));
    }
}

/// Everything that a user of the crate does: loads, copies weights to RAM, primes, samples in every
/// way, generates.
fn characters<'a>(
    artifact: &'a [u8],
    prefix: &str,
    state: &mut State<256, 64>,
    ram: &'a mut [u8],
) -> u32 {
    let mut model = match Model::load(artifact) {
        Ok(model) => model,
        Err(error) => return written(&error),
    };
    black_box(model.copy_to_ram(ram));
    let sampling = Sampling {
        temperature_milli: black_box(700),
        top_k: black_box(5),
        top_p_milli: black_box(900),
        seed: black_box(1),
    };
    let mut generator = match Generator::new(&model, state, sampling) {
        Ok(generator) => generator,
        Err(error) => return written(&error),
    };
    let primed = generator.prime(prefix);
    let text = generator.take(20).map(u32::from).sum::<u32>();
    text + primed.map_or_else(|error| written(&error), |()| 0)
}

/// The length of an error's text, in bytes.
fn written(error: &dyn fmt::Display) -> u32 {
    struct Counter(u32);

    impl fmt::Write for Counter {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += black_box(text).len() as u32;
            Ok(())
        }
    }

    let mut counter = Counter(0);
    let _ = write!(counter, "{error}");
    counter.0
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_is_reachable() -> !;
    }
    // SAFETY: never called, because a program that calls it doesn't link.
    unsafe { a_panic_is_reachable() }
}
