//! ELF files with 32 bits, as far as flash is concerned: the segments that are to be loaded.
//!
//! What is written has a section for each segment, because probe-rs takes no segment without.
//!
//! Source: *Tool Interface Standard, Executable and Linking Format*, version 1.2.

use super::{Image, Segment};
use crate::Error;

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

/// The processor is Arm (40) or RISC-V (243); probes take it from the chip's name, not from here.
const MACHINE: u16 = 40;

/// The segments of `file` that are to be loaded, by their physical addresses: those in flash.
pub(super) fn read(file: &[u8]) -> Result<Image, Error> {
    let reason = |reason: &str| Error::NotAFirmware { reason: reason.into() };
    if !file.starts_with(&IDENTITY) || file.len() < FILE_HEADER_BYTES {
        return Err(reason("it isn't an ELF file with 32 bits, little-endian"));
    }
    let cut = || reason("it is cut short");
    let entry = word(file, 24).ok_or_else(cut)?;
    let headers = word(file, 28).ok_or_else(cut)? as usize;
    let (size, count) = (half(file, 42).ok_or_else(cut)?, half(file, 44).ok_or_else(cut)?);
    let mut image = Image { entry, segments: Vec::new() };
    for index in 0..usize::from(count) {
        let header = headers + index * usize::from(size);
        let field = |number: usize| word(file, header + 4 * number).ok_or_else(cut);
        let (kind, offset, address, bytes) = (field(0)?, field(1)?, field(3)?, field(4)?);
        if kind == LOADED_SEGMENT {
            let end = offset as usize + bytes as usize;
            image.add(address, file.get(offset as usize..end).ok_or_else(cut)?)?;
        }
    }
    if image.segments.is_empty() {
        return Err(reason("it has nothing to be loaded"));
    }
    Ok(image)
}

/// The ELF file that loads `image`.
pub(super) fn write(image: &Image) -> Vec<u8> {
    let count = image.segments.len();
    let data = FILE_HEADER_BYTES + count * PROGRAM_HEADER_BYTES;
    let names = data + image.segments().map(<[u8]>::len).sum::<usize>();
    let sections = (names + NAMES.len()).next_multiple_of(4);

    let mut file = IDENTITY.to_vec();
    file.resize(16, 0);
    push_halves(&mut file, &[EXECUTABLE_FILE, MACHINE]);
    push_words(&mut file, &[1, image.entry, FILE_HEADER_BYTES as u32, sections as u32, 0]);
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
    use super::super::tests::image;
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(read(&write(&image())).unwrap(), image());
    }

    #[test]
    fn other_files_are_refused() {
        let mut file = write(&image());
        for length in [0, 7, 51, 60, 100] {
            assert!(matches!(read(&file[..length]), Err(Error::NotAFirmware { .. })), "{length}");
        }
        file[4] = 2;
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains("32 bits"), "{error}");
        assert!(read(&write(&Image::default())).is_err());
    }
}
