//! UF2: blocks of 512 bytes, each with 256 bytes for one address, for boards that are drives.
//!
//! Source: <https://github.com/microsoft/uf2>.

use super::{ERASED, Image, Segment};

/// Bytes of flash in a block: a page, which boot loaders write as a whole.
const PAGE_BYTES: usize = 256;

const BLOCK_BYTES: usize = 512;

/// What a block starts and ends with.
const MAGIC: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const END_MAGIC: u32 = 0x0AB1_6F30;

/// Flag: the block names its family.
const HAS_FAMILY: u32 = 0x2000;

/// The blocks for `image` and a `family` of chips.
pub(super) fn write(image: &Image, family: u32) -> Vec<u8> {
    let pages = pages(image);
    let mut file = Vec::with_capacity(pages.len() * BLOCK_BYTES);
    for (number, (address, page)) in pages.iter().enumerate() {
        let [magic, second_magic] = MAGIC;
        let (number, count, bytes) = (number as u32, pages.len() as u32, PAGE_BYTES as u32);
        let header = [magic, second_magic, HAS_FAMILY, *address, bytes, number, count, family];
        let end = file.len() + BLOCK_BYTES;
        file.extend(header.iter().flat_map(|word| word.to_le_bytes()));
        file.extend_from_slice(page);
        file.resize(end - size_of::<u32>(), 0);
        file.extend(END_MAGIC.to_le_bytes());
    }
    file
}

/// The pages that `image` has bytes in, with their addresses.
fn pages(image: &Image) -> Vec<(u32, [u8; PAGE_BYTES])> {
    let mut pages: Vec<(u32, [u8; PAGE_BYTES])> = Vec::new();
    for Segment { address, bytes } in &image.segments {
        for (offset, &byte) in bytes.iter().enumerate() {
            let place = address + offset as u32;
            let start = place - place % PAGE_BYTES as u32;
            if pages.last().is_none_or(|&(last, _)| last != start) {
                pages.push((start, [ERASED; PAGE_BYTES]));
            }
            if let Some((_, page)) = pages.last_mut() {
                page[(place - start) as usize] = byte;
            }
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::super::tests::image;
    use super::*;

    #[test]
    fn blocks_are_those_of_the_specification() {
        let file = write(&image(), 0xE48B_FF56);
        // One page, and two that a segment of 40 bytes has a part of.
        assert_eq!(file.len(), 3 * BLOCK_BYTES);
        let word = |block: usize, index: usize| {
            let start = block * BLOCK_BYTES + 4 * index;
            u32::from_le_bytes(*file[start..].first_chunk().unwrap())
        };
        for (block, address) in [0x1000_0000, 0x1001_FF00, 0x1002_0000].into_iter().enumerate() {
            let header: [u32; 8] = std::array::from_fn(|index| word(block, index));
            let expected =
                [0x0A32_4655, 0x9E5D_5157, 0x2000, address, 256, block as u32, 3, 0xE48B_FF56];
            assert_eq!(header, expected);
            assert_eq!(word(block, 127), 0x0AB1_6F30);
        }
        let second = &file[BLOCK_BYTES + 32..][..PAGE_BYTES];
        assert_eq!((second[239], second[240], second[255]), (ERASED, 7, 7));
    }
}
