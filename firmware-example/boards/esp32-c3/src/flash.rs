//! The flash for models: outside the program's own image, and not readable until the chip's memory
//! management unit maps it to an address.

#![expect(
    unsafe_code,
    reason = "the functions in the chip's ROM are only known by their addresses"
)]

use core::slice;

use charcell_support::{model_bytes, models};
use esp_hal::ram;

/// Size of a page in kilobytes, the only size that the chip has.
const PAGE_KILOBYTES: u32 = 64;

/// The kind of memory to map: flash, the only one that this chip has.
const FLASH: u32 = 0;

unsafe extern "C" {
    /// Where the program sees the flash for models, from the linker script.
    static _model_mapped: u8;

    // Their addresses come from esp-rom-sys.
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

/// The flash for models, mapped to the address in the board's `board.toml`. Must be called before
/// any interrupts are enabled.
pub(crate) fn map_model_flash() -> &'static [u8] {
    let (start, bytes) = (&raw const _model_mapped, model_bytes());
    // On this chip, the address of the models is an offset from the start of flash.
    let offset = models().as_ptr().addr() as u32;
    let pages = bytes as u32 / (PAGE_KILOBYTES << 10);
    critical_section::with(|_| map(start.addr() as u32, offset, pages));
    // SAFETY: flash is mapped there now: it can be read, contains none of the program's data, and
    // nothing writes to it while the program runs.
    unsafe { slice::from_raw_parts(start, bytes) }
}

/// Maps `pages` of flash from `offset` on to `address`. The code is in RAM, because flash can't be
/// read meanwhile.
#[ram]
fn map(address: u32, offset: u32, pages: u32) {
    // SAFETY: these are functions in ROM, called in the order of the chip's own boot loader. The
    // addresses are multiples of a page, and no part of the program is linked to them.
    unsafe {
        let autoload = Cache_Suspend_ICache();
        Cache_Invalidate_ICache_All();
        Cache_Dbus_MMU_Set(FLASH, address, offset, PAGE_KILOBYTES, pages, 0);
        Cache_Resume_ICache(autoload);
    }
}
