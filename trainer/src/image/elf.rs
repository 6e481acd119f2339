//! ELF files with 32 bits, as far as flash is concerned: the segments that are to be loaded.
//!
//! What is written has a section for each segment, because probe-rs takes no segment without.
//!
//! Source: *Tool Interface Standard, Executable and Linking Format*, version 1.2.

use super::{Image, ImageError, Segment};
use crate::boards::Core;

const FILE_HEADER_BYTES: usize = 52;
const PROGRAM_HEADER_BYTES: usize = 32;
const SECTION_HEADER_BYTES: usize = 40;

/// Start of the file of a 32-bit little-endian program, in version 1 of the format.
const IDENTITY: [u8; 7] = [0x7F, b'E', b'L', b'F', 1, 1, 1];

/// Kinds of segments and sections, and their flags.
const EXECUTABLE_FILE: u16 = 2;
const LOADED_SEGMENT: u32 = 1;
const READ_EXECUTE: u32 = 5;
const PROGRAM_SECTION: u32 = 1;
const STRINGS_SECTION: u32 = 3;
const ALLOCATED: u32 = 2;

/// Names of the sections, each ended by a zero: none, that of all segments, that of the names.
const NAMES: &[u8] = b"\0.flash\0.shstrtab\0";
const FLASH_NAME: u32 = 1;
const NAMES_NAME: u32 = 8;

/// The processors Arm and RISC-V.
const ARM: u16 = 40;
const RISCV: u16 = 243;

/// Parts of a program that are read, at most: a firmware has a few.
const MAX_PARTS: u16 = 256;

/// What the header of a file says of its program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Header {
    /// The kind of processor.
    machine: u16,
    /// The processor's extensions and calling convention that it was compiled for.
    flags: u32,
    /// Where it starts.
    entry: u32,
}

impl Header {
    /// That of a file without a program, for a `core`.
    pub(super) const fn without_program(core: Core) -> Self {
        Self { machine: machine(core), flags: 0, entry: 0 }
    }
}

/// The program in a file: the parts that are to be loaded, in the order of their physical addresses,
/// those in flash.
#[derive(Debug)]
pub(super) struct Program<'a> {
    pub(super) header: Header,
    pub(super) parts: Vec<(u32, &'a [u8])>,
}

impl<'a> Program<'a> {
    pub(super) fn read(file: &'a [u8]) -> Result<Self, ImageError> {
        if !file.starts_with(&IDENTITY) {
            return Err(refusal("it isn't an ELF file with 32 bits, little-endian"));
        }
        let cut = || refusal("it is cut short");
        let machine = half(file, 18).ok_or_else(cut)?;
        let (entry, flags) = word(file, 24).zip(word(file, 36)).ok_or_else(cut)?;
        let table = word(file, 28).ok_or_else(cut)? as usize;
        let (size, count) = half(file, 42).zip(half(file, 44)).ok_or_else(cut)?;
        if count > MAX_PARTS || usize::from(size) != PROGRAM_HEADER_BYTES {
            let reason = format!("it has {count} program headers of {size} bytes each");
            return Err(ImageError::NotAFirmware { reason });
        }
        let bytes = PROGRAM_HEADER_BYTES * usize::from(count);
        let mut parts = Vec::new();
        for header in part(file, table, bytes).ok_or_else(cut)?.chunks(PROGRAM_HEADER_BYTES) {
            let field = |number: usize| word(header, 4 * number).ok_or_else(cut);
            let (kind, offset, address, bytes) = (field(0)?, field(1)?, field(3)?, field(4)?);
            if kind == LOADED_SEGMENT && bytes > 0 {
                let loaded = part(file, offset as usize, bytes as usize).ok_or_else(cut)?;
                parts.push((address, loaded));
            }
        }
        if parts.is_empty() {
            return Err(refusal("it has nothing to be loaded"));
        }
        // Whatever reads all parts reads the file once, then, and not once for each header.
        if parts.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>() > file.len() as u64 {
            return Err(refusal("its parts lie on top of each other in the file"));
        }
        parts.sort_by_key(|(address, _)| *address);
        Ok(Self { header: Header { machine, flags, entry }, parts })
    }

    /// Fails unless the program is for a `core`.
    pub(super) fn check_machine(&self, core: Core) -> Result<(), ImageError> {
        let (found, wanted) = (self.header.machine, machine(core));
        if found == wanted {
            return Ok(());
        }
        let name = core.name();
        let reason = format!("it is for processors of kind {found}, and a {name} is of {wanted}");
        Err(ImageError::NotAFirmware { reason })
    }
}

const fn machine(core: Core) -> u16 {
    match core {
        Core::CortexM0 | Core::CortexM0Plus | Core::CortexM4 | Core::CortexM33 => ARM,
        Core::RiscV32 => RISCV,
    }
}

fn refusal(reason: &str) -> ImageError {
    ImageError::NotAFirmware { reason: reason.into() }
}

/// The ELF file that loads `image`.
pub(super) fn write(image: &Image) -> Vec<u8> {
    let count = image.segments.len();
    let data = FILE_HEADER_BYTES + count * PROGRAM_HEADER_BYTES;
    let names = data + image.segments().map(<[u8]>::len).sum::<usize>();
    let sections = (names + NAMES.len()).next_multiple_of(4);

    let mut file = IDENTITY.to_vec();
    file.resize(16, 0);
    let Header { machine, flags, entry } = image.header;
    push_halves(&mut file, &[EXECUTABLE_FILE, machine]);
    push_words(&mut file, &[1, entry, FILE_HEADER_BYTES as u32, sections as u32, flags]);
    push_halves(&mut file, &[FILE_HEADER_BYTES as u16, PROGRAM_HEADER_BYTES as u16, count as u16]);
    push_halves(&mut file, &[SECTION_HEADER_BYTES as u16, count as u16 + 2, count as u16 + 1]);

    let mut section_headers = vec![0; SECTION_HEADER_BYTES];
    let mut offset = data as u32;
    for Segment { address, bytes } in &image.segments {
        let length = bytes.len() as u32;
        push_words(&mut file, &[LOADED_SEGMENT, offset, *address, *address]);
        push_words(&mut file, &[length, length, READ_EXECUTE, 1]);
        push_words(&mut section_headers, &[FLASH_NAME, PROGRAM_SECTION, ALLOCATED, *address]);
        push_words(&mut section_headers, &[offset, length, 0, 0, 1, 0]);
        offset += length;
    }
    image.segments().for_each(|bytes| file.extend_from_slice(bytes));
    file.extend_from_slice(NAMES);
    file.resize(sections, 0);
    file.extend(section_headers);
    push_words(&mut file, &[NAMES_NAME, STRINGS_SECTION, 0, 0]);
    push_words(&mut file, &[names as u32, NAMES.len() as u32, 0, 0, 1, 0]);
    file
}

fn part(file: &[u8], offset: usize, bytes: usize) -> Option<&[u8]> {
    file.get(offset..)?.get(..bytes)
}

fn half(file: &[u8], offset: usize) -> Option<u16> {
    file.get(offset..)?.first_chunk().map(|&bytes| u16::from_le_bytes(bytes))
}

fn word(file: &[u8], offset: usize) -> Option<u32> {
    file.get(offset..)?.first_chunk().map(|&bytes| u32::from_le_bytes(bytes))
}

fn push_halves(file: &mut Vec<u8>, halves: &[u16]) {
    file.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
}

fn push_words(file: &mut Vec<u8>, words: &[u32]) {
    file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image with a header that no board has by itself.
    fn image() -> Image {
        let header = Header { machine: RISCV, flags: 5, entry: 0x1000_0101 };
        Image { header, ..super::super::tests::image() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (image, file) = (image(), write(&image()));
        let program = Program::read(&file).unwrap();
        assert_eq!(program.header, image.header);
        let segments = image.segments.iter().map(|segment| (segment.address, &*segment.bytes));
        assert_eq!(program.parts, segments.collect::<Vec<_>>());
    }

    #[test]
    fn files_are_for_the_core_of_their_board() {
        let program = write(&image());
        let program = Program::read(&program).unwrap();
        program.check_machine(Core::RiscV32).unwrap();
        for core in [Core::CortexM0, Core::CortexM0Plus, Core::CortexM4, Core::CortexM33] {
            let error = program.check_machine(core).unwrap_err().to_string();
            assert!(error.contains("of kind 243") && error.contains(core.name()), "{error}");
            assert_eq!(Header::without_program(core).machine, ARM);
        }
    }

    #[test]
    fn every_file_that_is_cut_short_is_refused() {
        let file = write(&image());
        let whole = FILE_HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES + 256 + 40;
        Program::read(&file[..whole]).unwrap();
        for length in 0..whole {
            let read = Program::read(&file[..length]);
            assert!(matches!(read, Err(ImageError::NotAFirmware { .. })), "{length}");
        }
    }

    #[test]
    fn hostile_headers_are_refused() {
        let refused = |offset: usize, bytes: &[u8], part: &str| {
            let mut file = write(&image());
            file[offset..offset + bytes.len()].copy_from_slice(bytes);
            let error = Program::read(&file).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(4, &[2], "32 bits");
        refused(5, &[2], "little-endian");
        refused(28, &[0xFF; 4], "cut short");
        refused(42, &[0, 0], "2 program headers of 0 bytes");
        refused(44, &[0xFF; 2], "65535 program headers");
        refused(44, &[0, 0], "nothing to be loaded");
        // Where the first segment lies in the file, and how long it is.
        refused(FILE_HEADER_BYTES + 4, &[0xFF; 4], "cut short");
        refused(FILE_HEADER_BYTES + 16, &[0xFF; 4], "cut short");
        // The second one is all of the file, the first one in it.
        let length = write(&image()).len() as u32;
        let all = [0, 0, 0, length].map(u32::to_le_bytes).concat();
        refused(FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES + 4, &all, "on top of each other");
    }
}
