//! Prints the logits of an f32 model after each character of its first prefix, for comparison with
//! a host.
//!
//! One line per character, with the bits of the logits in hexadecimal.

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "only this file knows which image the board has")]

use charcell_app::model_in;
use charcell_mps2::{AN386, Uart};
use charcell_support::model_flash;
use cortex_m_rt::entry;
use embedded_io::Write;
use infer_core::{F32, State};

#[entry]
fn main() -> ! {
    // SAFETY: UART0 is there, and nothing else uses it.
    let mut console = unsafe { Uart::new(AN386.uart, AN386.hertz) };
    charcell_exit::exit(show(&mut console))
}

/// Writes all lines, or an error, to `console`.
fn show(console: &mut Uart) -> Result<(), ()> {
    let flash = model_flash();
    let (model, _) = model_in::<F32>(flash).map_err(|error| report(console, &error))?;
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

fn report(console: &mut Uart, error: &dyn core::fmt::Display) {
    // If the console fails, there is nobody left to tell.
    let _ = writeln!(console, "error: {error}");
}
