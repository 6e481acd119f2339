//! The logits of an f32 model after each character of its first prefix, for comparison with a host.
//!
//! A line a character, the logits as the hexadecimal digits of their bits.

#![no_std]
#![no_main]

#[path = "../uart.rs"]
mod uart;

use cortex_m_rt::entry;
use embedded_io::Write;
use infer_core::{F32, Model, State};

static MODEL: &[u8] = infer_core::include_model!(env!("CHARCELL_MODEL_FILE"));

#[entry]
fn main() -> ! {
    charcell_exit::exit(show(&mut uart::Uart::new()))
}

/// Writes all lines to `console`; what goes wrong, too.
fn show(console: &mut uart::Uart) -> Result<(), ()> {
    let model = Model::<F32>::load(MODEL).map_err(|error| report(console, &error))?;
    let mut state = State::<256, 64, 1, F32>::new();
    let mut state = state.view(&model).map_err(|error| report(console, &error))?;
    let prefix = model.prefixes().next().unwrap_or_default();
    for token in prefix.chars().filter_map(|character| model.token(character)) {
        model.step(&mut state, token);
        model.logits(&mut state);
        for logit in state.logits() {
            write!(console, "{:08x} ", logit.to_bits()).map_err(drop)?;
        }
        writeln!(console).map_err(drop)?;
    }
    Ok(())
}

fn report(console: &mut uart::Uart, error: &dyn core::fmt::Display) {
    // Nobody is left to be told if the console takes no text.
    let _ = writeln!(console, "error: {error}");
}
