//! What is in a board's flash after a user has written a file with a tool or to the board's drive.

mod flash;

use charcell_flash::{BOARDS, Board, board};
use charcell_flash::{Format, Image};
use flash::{Block, Flash, PAGE_BYTES, Parts, SECTOR_BYTES, blocks, pattern};

/// Pages of a firmware, the last one half full and not a whole number of sectors, and pages of a
/// model with 256 units.
const FIRMWARE_PAGES: usize = 298;
const MODEL_PAGES: usize = 1266;

/// The boards that aren't emulated.
fn real_boards() -> impl Iterator<Item = &'static Board> {
    BOARDS.iter().filter(|board| !board.is_emulated())
}

/// Bytes that start like a firmware of `board`: with the stack pointer and three handlers.
fn firmware(board: &Board) -> (u32, Vec<u8>) {
    let mut bytes = pattern(1, FIRMWARE_PAGES * PAGE_BYTES as usize - 128);
    let handler = board.flash_address + 0x101;
    for (word, value) in
        [board.ram_address + board.ram_bytes, handler, handler, handler].into_iter().enumerate()
    {
        bytes[4 * word..][..4].copy_from_slice(&value.to_le_bytes());
    }
    // It ends below the models of the smallest board.
    bytes.truncate((board.model_address - board.flash_address - 100) as usize);
    (board.flash_address, bytes)
}

/// A stand-in for a model of `bytes`, or as many as fit, at the board's address for models.
fn model(board: &Board, seed: u32, bytes: usize) -> (u32, Vec<u8>) {
    (board.model_address, pattern(seed, bytes.min(board.model_bytes())))
}

fn file(board: &'static Board, parts: &Parts, format: Format) -> Vec<u8> {
    let mut image = Image::new(board);
    parts.iter().for_each(|(address, bytes)| image.add(*address, bytes).unwrap());
    image.to_file(format)
}

/// Whatever was in flash before and in every format: after a complete image, flash holds that;
/// after a smaller model alone, it holds that and the same firmware.
#[test]
fn images_are_written_and_the_firmware_stays() {
    for board in real_boards() {
        let name = board.name;
        let complete = vec![firmware(board), model(board, 2, MODEL_PAGES * PAGE_BYTES as usize)];
        let alone = vec![model(board, 3, 99_000)];
        for mut flash in Flash::in_all_states(board) {
            // espflash makes its own image of the firmware.
            let formats = Format::all(board, false);
            let formats = if board.takes_two_files() { &[Format::Bin] } else { &formats[..] };
            for &format in formats {
                let taken = file(board, &complete, format);
                flash.take(format, &taken, board.flash_address).unwrap();
                assert!(flash.holds(&complete), "{name}: {format:?} of both");
            }
            for format in Format::all(board, true) {
                let mut flash = flash.clone();
                let taken = file(board, &alone, format);
                flash.take(format, &taken, board.model_address).unwrap();
                let both = vec![complete[0].clone(), alone[0].clone()];
                assert!(flash.holds(&both), "{name}: {format:?} of the model alone");
            }
        }
    }
}

/// Operating systems write the clusters of a file in any order.
#[test]
fn uf2_files_survive_both_boot_roms_in_any_order_of_their_blocks() {
    for (name, drop) in DRIVES {
        let board = board(name).unwrap();
        let format = Format::Uf2 { family: board.uf2_family.unwrap() };
        for (first, last) in [(0, MODEL_PAGES * 256 - 192), (0, 1), (1, 99_000)] {
            let parts = vec![firmware(board), model(board, 2, last)][first..].to_vec();
            let in_order = blocks(&file(board, &parts, format));
            for order in orders(&in_order) {
                for mut flash in Flash::in_all_states(board) {
                    drop(&mut flash, &order).unwrap();
                    assert!(flash.holds(&parts), "{name}, {} bytes from part {first}", last);
                }
            }
        }
    }
}

/// The boards whose drives accept UF2 files, and the rules of their boot ROMs.
type Drop = fn(&mut Flash, &[Block]) -> Result<(), &'static str>;
const DRIVES: [(&str, Drop); 2] =
    [("pico", Flash::drop_on_rp2040), ("pico2", Flash::drop_on_rp2350)];

/// The blocks in order, in reverse, and with clusters of eight and of a hundred shuffled.
fn orders(blocks: &[Block]) -> [Vec<Block>; 4] {
    let mixed = |size: usize| {
        let mut clusters: Vec<&[Block]> = blocks.chunks(size).collect();
        clusters.sort_by_key(|cluster| cluster[0].number.wrapping_mul(0x9E37_79B1));
        clusters.concat()
    };
    [blocks.to_vec(), blocks.iter().rev().cloned().collect(), mixed(8), mixed(100)]
}

/// Why files fill sectors: if a file has only the pages with bytes, the RP2040 erases a part of the
/// model again. The RP2350 doesn't.
#[test]
fn sectors_that_are_not_filled_lose_pages_on_an_rp2040() {
    for (name, drop) in DRIVES {
        let board = board(name).unwrap();
        let parts = vec![firmware(board), model(board, 2, MODEL_PAGES * 256)];
        let format = Format::Uf2 { family: board.uf2_family.unwrap() };
        let mut blocks = blocks(&file(board, &parts, format));
        blocks.retain(|block| block.page.iter().any(|&byte| byte != 0xFF));
        assert_eq!(blocks.len(), FIRMWARE_PAGES + MODEL_PAGES);
        let count = blocks.len() as u32;
        for (number, block) in (0..).zip(&mut blocks) {
            (block.number, block.count) = (number, count);
        }
        let [mut flash, ..] = Flash::in_all_states(board);
        drop(&mut flash, &blocks).unwrap();
        let written = |block: &&Block| flash.holds(&vec![(block.address, block.page.clone())]);
        let lost = blocks.len() - blocks.iter().filter(written).count();
        assert_eq!(lost, if name == "pico" { 474 } else { 0 }, "{name}");
    }
}

/// Why there are no files of a model alone for drives that erase all of the flash: these refuse a
/// binary file, and accept one in Intel HEX but erase the firmware.
#[test]
fn a_model_alone_is_not_for_a_drive_that_erases_all() {
    for name in ["microbit-v1", "microbit-v2"] {
        let board = board(name).unwrap();
        let (firmware, alone) = (vec![firmware(board)], vec![model(board, 3, 50_000)]);
        let [mut flash, ..] = Flash::in_all_states(board);
        flash.drop_hex_on_daplink(&file(board, &firmware, Format::Hex)).unwrap();
        flash.drop_bin_on_daplink(&file(board, &alone, Format::Bin)).unwrap_err();
        assert!(flash.holds(&firmware));
        flash.drop_hex_on_daplink(&file(board, &alone, Format::Hex)).unwrap();
        assert!(flash.holds(&alone) && !flash.holds(&firmware));
        assert_eq!(Format::all(board, true), [Format::Elf]);
    }
}

/// Firmware and models share no erase unit.
#[test]
fn models_start_and_end_at_erase_units() {
    for board in &BOARDS {
        let (start, end) = (board.model_address, board.flash().end);
        assert_eq!(board.erase_unit(start).start, start, "{}", board.name);
        assert_eq!(board.erase_unit(end - 1).end, end, "{}", board.name);
    }
    // The sectors of the STM32F4 in order, and a page of the nRF51.
    let f405 = board("netduinoplus2").unwrap();
    let mut sectors = vec![f405.erase_unit(f405.flash_address)];
    while let Some(last) = sectors.last().filter(|last| last.end < f405.flash().end) {
        sectors.push(f405.erase_unit(last.end));
    }
    let kilobytes: Vec<usize> = sectors.iter().map(|sector| sector.len() >> 10).collect();
    assert_eq!(kilobytes, [16, 16, 16, 16, 64, 128, 128, 128, 128, 128, 128, 128]);
    assert_eq!(sectors[8].start, f405.model_address);
    assert_eq!(sectors[5].start, board("nucleo-f411").unwrap().model_address);
    assert_eq!(board("microbit-v1").unwrap().erase_unit(0x17FFF), 0x17C00..0x18000);
    assert_eq!(board("pico").unwrap().erase_unit(0x1000_1001).len(), SECTOR_BYTES as usize);
}
