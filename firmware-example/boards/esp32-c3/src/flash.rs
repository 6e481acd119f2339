//! The flash for models: a part that lies outside of the program's own image, and is seen
//! at an address only after the chip's memory management unit was told so.

#![expect(
    unsafe_code,
    reason = "the functions in the chip's ROM are known by their addresses alone"
)]

use core::slice;

use charcell_support::{model_bytes, models};
use esp_hal::ram;

/// Kilobytes of a page, the only size that the chip has.
const PAGE_KILOBYTES: u32 = 64;

/// The kind of memory at an address: flash, the only one that this chip has.
const FLASH: u32 = 0;

unsafe extern "C" {
    /// Where the program sees the flash for models, by the linker script.
    static _model_mapped: u8;

    // esp-rom-sys has their addresses.
    fn Cache_Suspend_ICache() -> u32;
    fn Cache_Invalidate_ICache_All();
    fn Cache_Dbus_MMU_Set(
        memory: u32,
        address: u32,
        offset: u32,
        page_kilobytes: u32,
        pages: u32,
        is_one_page: u32,
    ) -> i32;
    fn Cache_Resume_ICache(autoload: u32);
}

/// The flash that models lie in, mapped to where the board's `board.toml` says. Nothing may have
/// interrupts yet.
pub(crate) fn map_model_flash() -> &'static [u8] {
    let (start, bytes) = (&raw const _model_mapped, model_bytes());
    // On this chip, the address of the models counts from the start of flash.
    let offset = models().as_ptr().addr() as u32;
    let pages = bytes as u32 / (PAGE_KILOBYTES << 10);
    critical_section::with(|_| map(start.addr() as u32, offset, pages));
    // SAFETY: flash is mapped there now: it can be read, holds nothing of the program's own, and
    // nothing writes to it while the program runs.
    unsafe { slice::from_raw_parts(start, bytes) }
}

/// Maps `pages` of flash from `offset` on to `address`. It lies in RAM, because nothing in flash
/// can be read in between.
#[ram]
fn map(address: u32, offset: u32, pages: u32) {
    // SAFETY: these are the functions of the ROM, in the order of the chip's own boot loader. The
    // addresses are multiples of a page, and no program is linked to them.
    unsafe {
        let autoload = Cache_Suspend_ICache();
        Cache_Invalidate_ICache_All();
        Cache_Dbus_MMU_Set(FLASH, address, offset, PAGE_KILOBYTES, pages, 0);
        Cache_Resume_ICache(autoload);
    }
}
