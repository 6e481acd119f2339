//! Ends a program with an exit code that the emulator or the debugger passes on.
//!
//! Panics and faults also end it, with a nonzero code, so that no test run hangs. On a board
//! without a debugger, the processor stops instead.

#![no_std]
#![expect(unsafe_code, reason = "a fault handler is unsafe: it may run at any point")]

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::heprintln;

/// Ends the program with exit code 0 if `outcome` is `Ok`, and 1 otherwise.
pub fn exit<E>(outcome: Result<(), E>) -> ! {
    debug::exit(if outcome.is_ok() { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    heprintln!("{info}");
    exit(Err(()))
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    heprintln!("fault at {:#010x}", frame.pc());
    exit(Err(()))
}
