//! The CMSDK watchdog.

use core::ptr;

use charcell_app::WATCHDOG_SECONDS;
use cortex_m_rt::exception;

/// Its registers, in the order of their addresses.
#[repr(C)]
struct Registers {
    load: u32,
    value: u32,
    control: u32,
    clear: u32,
}

/// In `control`: count down from `load`, raise an interrupt at zero, and count down again; restart
/// the board at the second zero.
const ENABLE: u32 = (1 << 0) | (1 << 1);

/// The watchdog of a board with one of the MPS2's images.
#[derive(Debug)]
pub(crate) struct Watchdog {
    registers: *mut Registers,
}

impl Watchdog {
    /// Starts the watchdog at `address`, which counts at `hertz`.
    ///
    /// # Safety
    /// A CMSDK watchdog is at `address`, and nothing else uses it.
    pub(crate) unsafe fn start(address: usize, hertz: u32) -> Self {
        let registers = ptr::with_exposed_provenance_mut::<Registers>(address);
        // SAFETY: these are the watchdog's own registers.
        unsafe {
            ptr::write_volatile(&raw mut (*registers).load, hertz * (WATCHDOG_SECONDS / 2));
            ptr::write_volatile(&raw mut (*registers).control, ENABLE);
        }
        Self { registers }
    }

    /// Restarts its timeout.
    pub(crate) fn feed(&mut self) {
        // SAFETY: as in `start`; writing any value clears the interrupt and restarts from `load`.
        unsafe { ptr::write_volatile(&raw mut (*self.registers).clear, 1) };
    }
}

/// Half of the time is over. Nothing to do: either the program continues, or it hangs.
#[exception]
unsafe fn NonMaskableInt() {}
