//! Firmware of boards.

use std::collections::BTreeSet;

use charcell_flash::{BOARDS, Board, Flashing, Format, Image};
use charcell_identity::Identity;
use infer_core::artifact::VERSION;

use self::flash::{blocks, hex_parts, segments};

#[path = "../../../flash/tests/flash/mod.rs"]
#[allow(dead_code, reason = "only its file readers are used here, not its model of flash")]
mod flash;

/// A model for any board.
const MODEL: &[u8] = include_bytes!("../../seeds/int8-2-1-1.postcard");

/// The value of erased flash.
const ERASED: u8 = 0xFF;

/// Reads `bytes` as firmware for each board, and returns whether a board accepts it; at most one
/// may. In each format, the image with a model must consist of what the firmware loads and the
/// model, and nothing else.
///
/// # Panics
/// If a property doesn't hold.
pub fn firmware(bytes: &[u8]) -> bool {
    let takes = |board: &&'static Board| match Image::of_firmware(board, bytes) {
        Ok(image) => {
            check(board, bytes, image);
            true
        }
        Err(error) => {
            assert!(error.to_string().len() < 500);
            false
        }
    };
    let takers = BOARDS.iter().filter(takes).count();
    assert!(takers <= 1, "{takers} boards accept it");
    takers == 1
}

/// Checks the `image` of a firmware, read from `file`, with a model added.
fn check(board: &'static Board, file: &[u8], mut image: Image) {
    let mut parts = Vec::new();
    if !board.takes_two_files() {
        let again = Image::of_firmware(board, &image.to_file(Format::Elf));
        assert!(again.expect("an image that was just written") == image);
        parts = segments(file);
        parts.sort();
    }
    image.add(board.model_address, MODEL).expect("the slot for models is free");
    parts.push((board.model_address, MODEL.to_vec()));
    assert!(segments(&image.to_file(Format::Elf)) == parts);

    let start = parts[0].0;
    assert_eq!(image.start(), Some(start));
    let range = |address: u32, bytes: &[u8]| {
        let offset = (address - start) as usize;
        offset..offset + bytes.len()
    };
    let end = range(board.model_address, MODEL).end;
    let mut flat = vec![ERASED; end];
    parts.iter().for_each(|(address, bytes)| flat[range(*address, bytes)].copy_from_slice(bytes));
    assert!(image.to_file(Format::Bin) == flat);

    let records = hex_parts(&image.to_file(Format::Hex));
    assert!(records.iter().all(|(address, bytes)| flat[range(*address, bytes)] == **bytes));
    let count =
        |parts: &[(u32, Vec<u8>)]| parts.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    assert_eq!(count(&records), count(&parts));

    if let Some(family) = board.uf2_family {
        let blocks = blocks(&image.to_file(Format::Uf2 { family }));
        // The first sector may start before the first part, and the last may end after the last
        // part.
        let at = |address: u32| {
            let offset = address.checked_sub(start).map(|offset| offset as usize);
            offset.and_then(|offset| flat.get(offset)).copied().unwrap_or(ERASED)
        };
        let mut written = BTreeSet::new();
        for block in &blocks {
            assert!((block.address..).zip(&block.page).all(|(address, &byte)| at(address) == byte));
            assert!(written.insert(block.address), "a page is written twice");
        }
        for (address, bytes) in &parts {
            let is_written = |address: u32| written.contains(&(address / 256 * 256));
            assert!((*address..).zip(bytes).all(|(address, _)| is_written(address)));
        }
    }
}

/// A firmware for each board, in parts that are adjacent to each other or to the model slot; the
/// first one also with its count of segments elsewhere.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let seeds = BOARDS.iter().map(seed);
    seeds.chain(BOARDS.first().map(|board| with_count_in_section(seed(board)))).collect()
}

/// `file` with its count of segments in the first section's header, as in files that have 65,535 or
/// more (System V ABI, `PN_XNUM`).
fn with_count_in_section(mut file: Vec<u8>) -> Vec<u8> {
    const COUNT: usize = 44;
    let count = [file[COUNT], file[COUNT + 1]];
    let first = file[32..].first_chunk().map(|offset| u32::from_le_bytes(*offset) as usize);
    file[first.expect("a file header") + 28..][..2].copy_from_slice(&count);
    file[COUNT..][..2].fill(0xff);
    file
}

fn seed(board: &'static Board) -> Vec<u8> {
    let (identity, end) = (identity(board), *b"end");
    let mut image = Image::new(board);
    let mut add = |address, bytes: &[u8]| image.add(address, bytes).expect("an address in flash");
    add(board.flash_address, &identity);
    add(board.flash_address + identity.len() as u32, b"next");
    add(board.model_address - end.len() as u32, &end);
    let mut file = image.to_file(Format::Elf);
    if let Flashing::Espflash { program, .. } = board.flashing {
        // Its addresses aren't flash addresses; the header of each of the three segments has its
        // own.
        let headers = file[FILE_HEADER_BYTES..].chunks_mut(SEGMENT_HEADER_BYTES);
        for (header, range) in headers.zip(&program[..3]) {
            header[12..16].copy_from_slice(&range.start.to_le_bytes());
        }
    }
    file
}

const FILE_HEADER_BYTES: usize = 52;
const SEGMENT_HEADER_BYTES: usize = 32;

/// The identity of the firmware of `board`.
fn identity(board: &Board) -> Vec<u8> {
    let Board { name, model_address, memory_bytes, .. } = *board;
    Identity::of_address(VERSION, name, model_address, memory_bytes).to_bytes().into()
}
