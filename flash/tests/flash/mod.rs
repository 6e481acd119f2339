//! A simulation of flash and of the tools and boot ROMs that write to it, by the rules in
//! `docs/flashing.md`, which has their sources.

use std::collections::BTreeSet;
use std::ops::Range;

use charcell_flash::Format;
use charcell_flash::{Board, Flashing};

/// Addresses and bytes.
pub(crate) type Parts = Vec<(u32, Vec<u8>)>;

/// The flash of a board: erasing sets all bits of a unit, and programming only clears bits.
#[derive(Clone)]
pub(crate) struct Flash {
    board: &'static Board,
    bytes: Vec<u8>,
}

impl Flash {
    /// Flash that is erased, full of an older image, and with all bits clear.
    pub(crate) fn in_all_states(board: &'static Board) -> [Self; 3] {
        let older = pattern(7, board.flash_bytes as usize);
        let filled = |byte| vec![byte; older.len()];
        [filled(0xFF), older.clone(), filled(0)].map(|bytes| Self { board, bytes })
    }

    /// Whether it contains all of `parts`.
    pub(crate) fn holds(&self, parts: &Parts) -> bool {
        parts.iter().all(|(address, bytes)| self.bytes[self.range(*address, bytes)] == **bytes)
    }

    fn range(&self, address: u32, bytes: &[u8]) -> Range<usize> {
        let offset = (address - self.board.flash_address) as usize;
        offset..offset + bytes.len()
    }

    fn erase(&mut self, address: u32) {
        let unit = self.board.erase_unit(address);
        let start = (unit.start - self.board.flash_address) as usize;
        self.bytes[start..start + unit.len()].fill(0xFF);
    }

    fn program(&mut self, address: u32, bytes: &[u8]) {
        let range = self.range(address, bytes);
        self.bytes[range].iter_mut().zip(bytes).for_each(|(bit, byte)| *bit &= byte);
    }

    /// What a user does with a file whose first address is `start`: writes it with the tool for its
    /// format, or copies it to the board's drive.
    pub(crate) fn take(
        &mut self,
        format: Format,
        file: &[u8],
        start: u32,
    ) -> Result<(), &'static str> {
        let is_daplink = matches!(self.board.flashing, Flashing::Drive { erases_all: true, .. });
        let parts = match format {
            Format::Uf2 { .. } if self.board.name == "pico" => {
                return self.drop_on_rp2040(&blocks(file));
            }
            Format::Uf2 { .. } => return self.drop_on_rp2350(&blocks(file)),
            Format::Elf => segments(file),
            Format::Hex => hex_parts(file),
            Format::Bin => vec![(start, file.to_vec())],
        };
        match format {
            Format::Hex if is_daplink => self.drop_hex_on_daplink(file),
            Format::Bin if is_daplink => self.drop_bin_on_daplink(file),
            _ => {
                self.write_parts(&parts);
                Ok(())
            }
        }
    }

    /// probe-rs erases the units that a file has bytes in; so does espflash, starting at the
    /// address that it is given.
    fn write_parts(&mut self, parts: &Parts) {
        let end = |address: u32, bytes: &[u8]| address + bytes.len() as u32;
        let units: BTreeSet<u32> = parts
            .iter()
            .flat_map(|(address, bytes)| *address..end(*address, bytes))
            .map(|address| self.board.erase_unit(address).start)
            .collect();
        units.into_iter().for_each(|unit| self.erase(unit));
        parts.iter().for_each(|(address, bytes)| self.program(*address, bytes));
    }

    /// The boot ROM of the RP2040 erases by the numbers of blocks: for each 16 of them, one sector,
    /// that of the first to arrive.
    pub(crate) fn drop_on_rp2040(&mut self, blocks: &[Block]) -> Result<(), &'static str> {
        let key = |block: &Block| block.number * PAGE_BYTES / SECTOR_BYTES;
        self.drop_blocks(blocks, &[0xE48B_FF56], key)
    }

    /// The boot ROM of the RP2350 erases by the addresses of blocks, one sector at a time. Without
    /// a partition table it accepts the families for absolute addresses, for data, and for programs
    /// of its cores.
    pub(crate) fn drop_on_rp2350(&mut self, blocks: &[Block]) -> Result<(), &'static str> {
        let families = [0xE48B_FF57, 0xE48B_FF58, 0xE48B_FF59, 0xE48B_FF5A];
        self.drop_blocks(blocks, &families, |block| block.address / SECTOR_BYTES)
    }

    fn drop_blocks(
        &mut self,
        blocks: &[Block],
        families: &[u32],
        key: impl Fn(&Block) -> u32,
    ) -> Result<(), &'static str> {
        let mut erased = BTreeSet::new();
        for block in blocks {
            if block.flags != 0x2000 || !families.contains(&block.family) {
                return Err("the chip doesn't accept its family");
            }
            if block.count as usize != blocks.len() || block.address % PAGE_BYTES != 0 {
                return Err("its blocks don't belong together, or aren't pages");
            }
            if erased.insert(key(block)) {
                self.erase(block.address);
            }
            self.program(block.address, &block.page);
        }
        Ok(())
    }

    /// DAPLink recognises a binary file by its vector table, erases the chip, and writes the file
    /// to the start of flash.
    pub(crate) fn drop_bin_on_daplink(&mut self, file: &[u8]) -> Result<(), &'static str> {
        if !self.starts_like_a_program(file) {
            return Err("no vector table");
        }
        self.bytes.fill(0xFF);
        self.program(self.board.flash_address, file);
        Ok(())
    }

    /// DAPLink recognises an Intel HEX file by its first record, and always erases the chip.
    pub(crate) fn drop_hex_on_daplink(&mut self, file: &[u8]) -> Result<(), &'static str> {
        if file[0] != b':' || !b"02345".contains(&file[8]) {
            return Err("no known record");
        }
        self.bytes.fill(0xFF);
        hex_parts(file).iter().for_each(|(address, bytes)| self.program(*address, bytes));
        Ok(())
    }

    /// Whether the first words are a stack pointer into RAM and three handlers in flash.
    fn starts_like_a_program(&self, file: &[u8]) -> bool {
        let Board { ram_address, ram_bytes, .. } = *self.board;
        let flash = self.board.flash();
        let words: Vec<u32> = file[..16].chunks(4).map(|word| number(word, 0)).collect();
        (ram_address..=ram_address + ram_bytes).contains(&words[0])
            && words[1..].iter().all(|handler| (flash.start..=flash.end).contains(handler))
    }
}

/// Pseudorandom bytes that depend only on `seed`.
pub(crate) fn pattern(seed: u32, length: usize) -> Vec<u8> {
    let byte = |index: u32| {
        let mixed = (index ^ seed << 24).wrapping_mul(0x9E37_79B1);
        (mixed ^ mixed >> 15).wrapping_mul(0x85EB_CA77).to_be_bytes()[0]
    };
    (0..length as u32).map(byte).collect()
}

pub(crate) const PAGE_BYTES: u32 = 256;
pub(crate) const SECTOR_BYTES: u32 = 4096;

/// A block of a UF2 file.
#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) flags: u32,
    pub(crate) address: u32,
    pub(crate) number: u32,
    pub(crate) count: u32,
    pub(crate) family: u32,
    pub(crate) page: Vec<u8>,
}

/// The blocks of a UF2 file.
pub(crate) fn blocks(file: &[u8]) -> Vec<Block> {
    let block = |block: &[u8]| {
        let [flags, address, bytes, number, count, family] =
            [8, 12, 16, 20, 24, 28].map(|offset| number(block, offset));
        let page = block[32..32 + bytes as usize].to_vec();
        Block { flags, address, number, count, family, page }
    };
    file.chunks(512).map(block).collect()
}

/// The parts of an Intel HEX file, one for each record.
pub(crate) fn hex_parts(file: &[u8]) -> Parts {
    let (mut parts, mut upper) = (Parts::new(), 0);
    for line in std::str::from_utf8(file).unwrap().lines() {
        let digits = line.strip_prefix(':').unwrap();
        let pairs = (0..digits.len()).step_by(2);
        let record: Vec<u8> =
            pairs.map(|start| u8::from_str_radix(&digits[start..start + 2], 16).unwrap()).collect();
        assert_eq!(record.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)), 0, "{line}");
        let [length, high, low, kind] = *record.first_chunk().unwrap();
        let data = &record[4..4 + usize::from(length)];
        match kind {
            0 => parts.push((upper + u32::from_be_bytes([0, 0, high, low]), data.to_vec())),
            4 => upper = u32::from_be_bytes([data[0], data[1], 0, 0]),
            _ => {}
        }
    }
    parts
}

/// The parts that an ELF file loads, one for each segment.
pub(crate) fn segments(file: &[u8]) -> Parts {
    const LOADED: u32 = 1;
    // The count doesn't fit its field: it is in the first section's header (`PN_XNUM`).
    const COUNT_IN_SECTION: u32 = 0xffff;
    let count = match number(file, 44) & 0xffff {
        COUNT_IN_SECTION => number(&file[number(file, 32) as usize..], 28),
        count => count,
    };
    let headers = file[number(file, 28) as usize..].chunks_exact(32).take(count as usize);
    let segment = |header: &[u8]| {
        let [kind, offset, address, length] = [0, 4, 12, 16].map(|field| number(header, field));
        let is_loaded = kind == LOADED && length > 0;
        is_loaded.then(|| (address, file[offset as usize..][..length as usize].to_vec()))
    };
    headers.filter_map(segment).collect()
}

/// The word at `offset`, little-endian.
fn number(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(*bytes[offset..].first_chunk().unwrap())
}
