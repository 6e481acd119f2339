//! Which files are accepted as the firmware of a board, and which are refused.

mod common;

use charcell_flash::ImageError::{NotAFirmware, OtherBoard, OtherMemory, OutOfRange, Overlap};
use charcell_flash::{FirmwareError, Format, Image, board};
use common::firmware::{ARM, RISCV, elf, identity};

#[test]
fn hostile_firmware_is_refused() {
    let pico = board("pico").unwrap();
    let own = identity("pico", 1, 0);
    let (start, bytes) = (pico.flash_address, own.as_slice());
    let refused = |file: &[u8]| Image::of_firmware(pico, file).unwrap_err();
    let is = |file: &[u8], expected: FirmwareError| {
        assert!(matches!(refused(file), NotAFirmware(found) if found == expected), "{expected}");
    };
    Image::of_firmware(pico, &elf(ARM, &[(start, bytes), (start + 0x1000, &[1])])).unwrap();
    let other_core = FirmwareError::OtherCore { found: RISCV, wanted: ARM, core: pico.core.name() };
    is(&elf(RISCV, &[(start, bytes)]), other_core);
    let whole = elf(ARM, &[(start, bytes)]);
    for length in 0..whole.len() {
        assert!(matches!(refused(&whole[..length]), NotAFirmware(_)), "{length} bytes");
    }
    // Outside flash, half outside, 3 GB away, at the end of all addresses, in the models' slot.
    for outside in [0, start - 1, 0x2000_0000, 0xF000_0000, u32::MAX, pico.model_address - 1] {
        let error = refused(&elf(ARM, &[(start, bytes), (outside, &[1, 2])]));
        let OutOfRange { address, ranges, .. } = error else { panic!("{error}") };
        assert_eq!((address, ranges[..].last()), (outside, Some(&(start..pico.model_address))));
    }
    for twice in [start, start + 1, start + bytes.len() as u32 - 1] {
        let error = refused(&elf(ARM, &[(start, bytes), (twice, &[1])]));
        assert!(matches!(error, Overlap { address } if address == twice));
    }
    // From before the table of boards was changed: the memory for models, and their address.
    for (offset, changed) in [(49, 0x3_F100), (54, 0x1011_0000)] {
        let mut stale = own.clone();
        stale[offset] ^= 1;
        let error = refused(&elf(ARM, &[(start, &stale)]));
        assert!(matches!(error, OtherMemory { found, .. } if found == changed), "{error}");
    }
    // Without an identity, and with a part of one.
    is(&elf(ARM, &[(start, &[0; 100])]), FirmwareError::NoIdentity);
    is(&elf(ARM, &[(start, &bytes[..40])]), FirmwareError::NoIdentity);
    is(&elf(ARM, &[(start, bytes); 257]), FirmwareError::TooManyHeaders { count: 257 });
    let error = refused(&elf(ARM, &[(start, &identity("\x1B[2J", 1, 0))]));
    assert!(matches!(&error, OtherBoard { found, wanted: "pico" } if found == r"\x1b[2J"));
}

/// If there are two identities, the first in flash counts, whatever the order of the file: an image
/// made from it is for the same board.
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
