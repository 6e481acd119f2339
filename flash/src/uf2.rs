//! UF2: blocks of 512 bytes, each with 256 bytes for one address, for boards that appear as drives.
//!
//! Source: <https://github.com/microsoft/uf2>.

use std::collections::BTreeMap;

use crate::image::{ERASED, Image, Segment};

/// Bytes of flash in a block: one page, which boot loaders write as a whole.
const PAGE_BYTES: usize = 256;

const BLOCK_BYTES: usize = 512;

/// The words at the start and at the end of a block.
const MAGIC: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const END_MAGIC: u32 = 0x0AB1_6F30;

/// Flag: the block names its family.
const HAS_FAMILY: u32 = 0x2000;

/// The blocks for `image` and a `family` of chips.
pub(crate) fn write(image: &Image, family: u32) -> Vec<u8> {
    let units = units(image);
    let pages = units
        .iter()
        .flat_map(|(&start, bytes)| (start..).step_by(PAGE_BYTES).zip(bytes.chunks(PAGE_BYTES)));
    let pages: Vec<(u32, &[u8])> = pages.collect();
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

/// The erase units of flash that `image` has bytes in, by their addresses, each filled up.
///
/// The boot ROM of the RP2040 goes by the numbers of blocks: for each 16 of them it erases one
/// sector, that of the first to arrive (`bootrom/virtual_disk.c` in
/// raspberrypi/pico-bootrom-rp2040). So each 16 blocks must fill a sector; otherwise it erases
/// sectors that it has started to write.
fn units(image: &Image) -> BTreeMap<u32, Vec<u8>> {
    let mut units = BTreeMap::new();
    for Segment { address, bytes } in &image.segments {
        for (address, &byte) in (*address..).zip(bytes) {
            let unit = image.board.erase_unit(address);
            let bytes = units.entry(unit.start).or_insert_with(|| vec![ERASED; unit.len()]);
            bytes[(address - unit.start) as usize] = byte;
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::tests::image;

    #[test]
    fn blocks_are_those_of_the_specification() {
        let file = write(&image(), 0xE48B_FF56);
        // One sector for the first segment, and two that the 40 bytes of the other are in.
        assert_eq!(file.len(), 3 * 16 * BLOCK_BYTES);
        let word = |block: usize, index: usize| {
            let start = block * BLOCK_BYTES + 4 * index;
            u32::from_le_bytes(*file[start..].first_chunk().unwrap())
        };
        let addresses = [0x1000_0000, 0x1001_F000, 0x1002_0000]
            .into_iter()
            .flat_map(|sector| (0..16).map(move |page| sector + 256 * page));
        for (block, address) in addresses.enumerate() {
            let header: [u32; 8] = std::array::from_fn(|index| word(block, index));
            let expected =
                [0x0A32_4655, 0x9E5D_5157, 0x2000, address, 256, block as u32, 48, 0xE48B_FF56];
            assert_eq!(header, expected);
            assert_eq!(word(block, 127), 0x0AB1_6F30);
        }
        let page = &file[31 * BLOCK_BYTES + 32..][..PAGE_BYTES];
        assert_eq!((page[239], page[240], page[255]), (ERASED, 7, 7));
    }
}
