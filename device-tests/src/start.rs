//! Checks the start of a firmware as a boot ROM does before it starts it, or a drive before it
//! accepts its file. Emulators don't check it.

use anyhow::{Context, Result, ensure};
use charcell_flash::{Board, Core, Flashing};

/// Bytes of the second stage of the RP2040's boot loader, including the checksum at its end.
const SECOND_STAGE_BYTES: usize = 256;

/// The RP2350 looks for the description of an image in this many bytes.
const DESCRIPTION_WITHIN: usize = 4096;

/// The smallest description: the image is a program for the secure mode of an Arm core of the
/// RP2350, and the item and the block are the last ones.
///
/// Source: the RP2350's datasheet, 5.9.5.1.
const DESCRIPTION: [u32; 5] = [0xFFFF_DED3, 0x1021_0142, 0x0000_01FF, 0, 0xAB12_3579];

/// Fails unless `board` would start the firmware in `flash`, which begins with the firmware's first
/// byte.
pub fn check(board: &Board, flash: &[u8]) -> Result<()> {
    match board.chip {
        Some("RP2040") => {
            check_second_stage(flash)?;
            return check_vectors(board, &flash[SECOND_STAGE_BYTES..]);
        }
        Some("RP235x") => check_description(flash)?,
        _ => {}
    }
    if board.core == Core::RiscV32 {
        return Ok(());
    }
    check_vectors(board, flash)
}

/// The boot ROM of the RP2040 doesn't start a second stage with a wrong checksum.
///
/// Source: pico-bootrom-rp2040, `bootrom_main.c`.
fn check_second_stage(flash: &[u8]) -> Result<()> {
    let stage = flash.get(..SECOND_STAGE_BYTES).context("the firmware is too short")?;
    let (code, sum) = stage.split_at(SECOND_STAGE_BYTES - 4);
    ensure!(sum == checksum(code).to_le_bytes(), "the second stage's checksum is wrong");
    Ok(())
}

/// CRC-32 with the polynomial of Ethernet, starting at the highest bit.
fn checksum(bytes: &[u8]) -> u32 {
    let shift = |sum: u32, _| (sum << 1) ^ if sum >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
    bytes.iter().fold(u32::MAX, |sum, &byte| (0..8).fold(sum ^ u32::from(byte) << 24, shift))
}

/// The boot ROM of the RP2350 doesn't start an image without a description.
///
/// Source: pico-bootrom-rp2350, `varm_flash_boot.c`.
fn check_description(flash: &[u8]) -> Result<()> {
    let description = DESCRIPTION.map(u32::to_le_bytes).concat();
    let start = &flash[..flash.len().min(DESCRIPTION_WITHIN)];
    let is_there = start.windows(description.len()).step_by(4).any(|part| part == description);
    ensure!(is_there, "no description of the image in the first {DESCRIPTION_WITHIN} bytes");
    Ok(())
}

/// A Cortex-M starts with the stack and the handler in its vector table. DAPLink recognises a
/// program by its first four words. The micro:bit v2 may refuse one without handlers for memory,
/// bus and usage faults, which a Cortex-M0 doesn't have.
///
/// Source: DAPLink, `validation.c` and `board/microbitv2/microbitv2.c`.
fn check_vectors(board: &Board, table: &[u8]) -> Result<()> {
    let word = |index: usize| table[4 * index..].first_chunk().map(|&it| u32::from_le_bytes(it));
    let words: Option<Vec<u32>> = (0..8).map(word).collect();
    let words = words.context("the firmware is too short")?;
    let name = board.name;
    let (stack, ram_end) = (words[0], board.ram_address + board.ram_bytes);
    ensure!(
        (board.ram_address..=ram_end).contains(&stack) && stack.is_multiple_of(8),
        "the stack of {name} starts at {stack:#x}"
    );
    for handler in &words[1..4] {
        let is_thumb_code = board.flash().contains(handler) && handler & 1 == 1;
        ensure!(is_thumb_code, "a handler of {name} is at {handler:#x}");
    }
    let is_cortex_m4_on_drive =
        board.core == Core::CortexM4 && matches!(board.flashing, Flashing::Drive { .. });
    ensure!(
        !is_cortex_m4_on_drive || words[4..7] != [0; 3],
        "the drive of {name} would mistake its firmware for that of a Cortex-M0"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use charcell_flash::board;

    use super::*;

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn firmware_that_would_not_start_is_refused() {
        let vectors = [0x2000_4000, 0x101, 0x103, 0x105, 0x107, 0, 0, 0];
        let check_microbit = |index: usize, word: u32| {
            let mut table = vectors;
            table[index] = word;
            check(board("microbit-v2").unwrap(), &bytes(&table))
        };
        check_microbit(0, 0x2002_0000).unwrap();
        for (index, word) in [(0, 0x2002_0008), (0, 0x2000_0004), (1, 0x100), (3, 0x8_0001), (4, 0)]
        {
            check_microbit(index, word).unwrap_err();
        }
        let pico2 = board("pico2").unwrap();
        let table = [0x2000_4000, 0x1000_0101, 0x1000_0103, 0x1000_0105, 0, 0, 0, 0];
        check(pico2, &bytes(&table)).unwrap_err();
        check(pico2, &bytes(&[&table[..], &DESCRIPTION].concat())).unwrap();
    }

    /// Source: the catalogue of CRCs, CRC-32/MPEG-2 of "123456789".
    #[test]
    fn the_checksum_matches_the_boot_rom() {
        assert_eq!(checksum(b"123456789"), 0x0376_E6E7);
        let mut stage = vec![0x5A; SECOND_STAGE_BYTES - 4];
        stage.extend(checksum(&stage).to_le_bytes());
        check_second_stage(&stage).unwrap();
        stage[0] ^= 1;
        check_second_stage(&stage).unwrap_err();
    }
}
