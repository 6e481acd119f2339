//! What is taken for the firmware of a board, and what is refused.

mod common;

use charcell_flash::{Format, Image, ImageError, board};
use common::firmware::{ARM, RISCV, elf, identity};

#[test]
fn hostile_firmware_is_refused() {
    let pico = board("pico").unwrap();
    let own = identity("pico", 1, 0);
    let (start, bytes) = (pico.flash_address, own.as_slice());
    let refused = |file: &[u8], part: &str| {
        let error = Image::of_firmware(pico, file).unwrap_err().to_string();
        assert!(error.contains(part), "\"{part}\" isn't in: {error}");
    };
    Image::of_firmware(pico, &elf(ARM, &[(start, bytes), (start + 0x1000, &[1])])).unwrap();
    refused(&elf(RISCV, &[(start, bytes)]), "of kind 243, and a Cortex-M0+ is of 40");
    let whole = elf(ARM, &[(start, bytes)]);
    for length in 0..whole.len() {
        let error = Image::of_firmware(pico, &whole[..length]);
        assert!(matches!(error, Err(ImageError::NotAFirmware { .. })), "{length} bytes");
    }
    // Beside flash, half beside it, 3 GB apart, at the end of all addresses, in the models' slot.
    let ranges = "to 0x100fffff";
    for address in [0, start - 1, 0x2000_0000, 0xF000_0000, u32::MAX, pico.model_address - 1] {
        let named = format!("{address:#010x} to ");
        let file = elf(ARM, &[(start, bytes), (address, &[1, 2])]);
        refused(&file, &named);
        refused(&file, ranges);
    }
    for address in [start, start + 1, start + bytes.len() as u32 - 1] {
        let error = Image::of_firmware(pico, &elf(ARM, &[(start, bytes), (address, &[1])]));
        assert!(matches!(error, Err(ImageError::Overlap { address: found }) if found == address));
    }
    // From before the table of boards was changed: the memory for models, their slot.
    for (offset, part) in [(49, "for models: 0x3f100, and"), (54, "models at 0x10110000, and")] {
        let mut stale = own.clone();
        stale[offset] ^= 1;
        refused(&elf(ARM, &[(start, &stale)]), part);
    }
    // Without what says for which board it is, and with a part of it.
    refused(&elf(ARM, &[(start, &[0; 100])]), "for which board");
    refused(&elf(ARM, &[(start, &bytes[..40])]), "for which board");
    refused(&elf(ARM, &[(start, bytes); 257]), "257 program headers");
    refused(&elf(ARM, &[(start, &identity("\x1B[2J", 1, 0))]), r"is for \x1b[2J, and not for pico");
}

/// Of two identities, the first in flash counts, however the file is ordered: an image that is
/// made of it is the same board's.
#[test]
fn the_order_of_the_headers_makes_no_difference() {
    let start = board("pico").unwrap().flash_address;
    let (own, other) = (identity("pico", 1, 0), identity("pico2", 1, 0));
    let parts = [(start, &*own), (start + 0x1000, &*other)];
    let image =
        |parts: &[(u32, &[u8])]| Image::of_firmware(board("pico").unwrap(), &elf(ARM, parts));
    let [first, second] = parts;
    assert_eq!(image(&[first, second]).unwrap(), image(&[second, first]).unwrap());
    let written = image(&[second, first]).unwrap().to_file(Format::Elf);
    assert!(Image::of_firmware(board("pico").unwrap(), &written).is_ok());
}

#[test]
fn firmware_for_a_chip_that_maps_flash_has_its_addresses() {
    let esp = board("esp32-c3").unwrap();
    let own = identity("esp32-c3", 1, 0);
    for (address, is_right) in [
        (0x3C00_0020, true),
        (0x4200_0020, true),
        (0x4038_0000, true),
        (0, false),
        (0x3C3F_FFFF, false),
    ] {
        let image = Image::of_firmware(esp, &elf(RISCV, &[(address, &own)]));
        assert_eq!(image.is_ok(), is_right, "{address:#x}");
    }
}
