//! The bytes of ELF files that look like firmware.

use charcell_flash::{Core, board};
use charcell_identity::Identity;

/// Machine types in ELF files.
pub(crate) const ARM: u16 = 40;
pub(crate) const RISCV: u16 = 243;

/// The identity of a firmware, after `padding` bytes, with the memory of the board called `name` in
/// the table.
pub(crate) fn identity(name: &str, version: u16, padding: usize) -> Vec<u8> {
    let (model_address, memory_bytes) =
        board(name).map_or((0, 0), |board| (board.model_address, board.memory_bytes));
    let identity = Identity::of_address(version, name, model_address, memory_bytes);
    [&vec![0x5A; padding][..], &identity.to_bytes()].concat()
}

/// An ELF file with the identity of a firmware at the first address that a firmware may have.
pub(crate) fn firmware(name: &str, version: u16, padding: usize) -> Vec<u8> {
    let board = board(name).unwrap();
    let machine = if board.core == Core::RiscV32 { RISCV } else { ARM };
    elf(machine, &[(board.program_ranges()[0].start, &identity(name, version, padding))])
}

/// An ELF file for a `machine`, with flags 5, entry 0x1234 and `segments`: addresses and bytes.
pub(crate) fn elf(machine: u16, segments: &[(u32, &[u8])]) -> Vec<u8> {
    let mut file = b"\x7FELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    let count = segments.len() as u16;
    file.extend([2, machine].map(u16::to_le_bytes).concat());
    file.extend([1, 0x1234, 52, 0, 5].map(u32::to_le_bytes).concat());
    file.extend([52, 32, count, 40, 0, 0].map(u16::to_le_bytes).concat());
    let mut offset = 52 + 32 * u32::from(count);
    for (address, bytes) in segments {
        let length = bytes.len() as u32;
        let header = [1, offset, *address, *address, length, length, 5, 1];
        file.extend(header.map(u32::to_le_bytes).concat());
        offset += length;
    }
    segments.iter().for_each(|(_, bytes)| file.extend_from_slice(bytes));
    file
}
