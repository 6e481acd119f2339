//! The firmware for QEMU's RISC-V machine `virt`.

#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "only this file knows the machine's registers")]

use core::convert::Infallible;
use core::panic::PanicInfo;
use core::ptr;

use charcell_app::Ram;
use charcell_support::{model_flash, paint_stack, statics};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use riscv::register::mie;
use riscv_rt::entry;

statics!();

/// Data register of the 16550 UART, for received and sent bytes.
const UART_DATA: *mut u8 = 0x1000_0000 as *mut u8;
/// Its line status register.
const UART_STATUS: *const u8 = 0x1000_0005 as *const u8;
const RECEIVED: u8 = 1 << 0;
const CAN_SEND: u8 = 1 << 5;

/// The lower and upper half of a 10 MHz clock, and of the time at which it interrupts.
const CLOCK: [*const u32; 2] = [0x0200_BFF8 as *const u32, 0x0200_BFFC as *const u32];
const ALARM: [*mut u32; 2] = [0x0200_4000 as *mut u32, 0x0200_4004 as *mut u32];
const TICKS_PER_MILLISECOND: u64 = 10_000;

/// The register that ends the emulator.
const TEST: *mut u32 = 0x0010_0000 as *mut u32;

/// Runs the application.
#[entry]
fn main() -> ! {
    paint_stack();
    charcell_support::run(Board(Uart), &IDENTITY, model_flash(), &MEMORY);
    exit(0)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Uart, "\r\n{info}");
    exit(1)
}

/// Ends the emulator with an exit code.
fn exit(code: u32) -> ! {
    // SAFETY: this is the machine's own register for it.
    unsafe { ptr::write_volatile(TEST, (code << 16) | 0x3333) };
    loop {
        riscv::asm::wfi();
    }
}

struct Board(Uart);

impl charcell_app::Board for Board {
    type Console = Uart;

    fn console(&mut self) -> &mut Uart {
        &mut self.0
    }

    fn microseconds(&mut self) -> u64 {
        ticks() / 10
    }

    /// Sleeps for a millisecond. Interrupts stay disabled; a pending one ends the sleep anyway.
    fn wait(&mut self) {
        let alarm = ticks() + TICKS_PER_MILLISECOND;
        // SAFETY: nothing else uses the time, and the interrupt is never handled.
        unsafe {
            // Written in this order, no intermediate time is in the past.
            ptr::write_volatile(ALARM[1], u32::MAX);
            ptr::write_volatile(ALARM[0], alarm as u32);
            ptr::write_volatile(ALARM[1], (alarm >> 32) as u32);
            mie::set_mtimer();
        }
        riscv::asm::wfi();
    }

    fn ram(&self) -> Option<Ram> {
        Some(charcell_support::ram())
    }
}

/// Ticks of the clock since its start.
fn ticks() -> u64 {
    // SAFETY: reading the clock changes nothing.
    let half = |index: usize| unsafe { ptr::read_volatile(CLOCK[index]) };
    loop {
        let high = half(1);
        let ticks = (u64::from(high) << 32) | u64::from(half(0));
        if half(1) == high {
            return ticks;
        }
    }
}

/// The machine's UART, polled.
struct Uart;

impl Uart {
    fn has(&self, status: u8) -> bool {
        // SAFETY: reading the status changes nothing.
        unsafe { ptr::read_volatile(UART_STATUS) & status != 0 }
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.has(RECEIVED))
    }
}

impl Read for Uart {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first_mut() else { return Ok(0) };
        while !self.has(RECEIVED) {}
        // SAFETY: the UART is there, and has a byte.
        *first = unsafe { ptr::read_volatile(UART_DATA) };
        Ok(1)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while !self.has(CAN_SEND) {}
            // SAFETY: the UART is there, and has room.
            unsafe { ptr::write_volatile(UART_DATA, byte) };
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
