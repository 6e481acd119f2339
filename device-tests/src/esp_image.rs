//! Computes the size of the image that espflash makes from a firmware, with the rules of version
//! 4.7, `image_format/idf.rs`. Installing espflash would take longer than building all firmware.

use std::collections::VecDeque;
use std::ops::Range;

use anyhow::{Context, Result};
use object::{Object, ObjectSection, SectionFlags, elf};

/// The app's partition in the table that espflash writes. The image is at its start.
pub const PARTITION: Range<u32> = 0x1_0000..0x40_0000;

/// Bytes of the image's header, of each segment's header, and of the hash at the end.
const HEADER: u32 = 24;
const SEGMENT_HEADER: u32 = 8;
const HASH: u32 = 32;

/// Bytes of a page, the unit in which the chip maps flash.
const PAGE: u32 = 0x1_0000;

/// The least bytes of a segment's last page: the boot loader wouldn't map a page with fewer.
const LEAST_IN_PAGE: u32 = 0x24;

/// The addresses at which the chip maps flash, as data and as code.
const MAPPED: [Range<u32>; 2] = [0x3C00_0000..0x3C80_0000, 0x4200_0000..0x4280_0000];

/// The size of the image of the program in `elf`, in bytes.
pub fn size(elf: &[u8]) -> Result<usize> {
    let file = object::File::parse(elf)?;
    let (mut flash, ram): (Vec<_>, Vec<_>) = segments(&file)
        .into_iter()
        .partition(|(address, _)| MAPPED.iter().any(|mapped| mapped.contains(address)));
    let description =
        file.section_by_name(".flash.appdesc").context("no description of the app")?;
    let address = description.address() as u32;
    let holds = |&(start, bytes): &(u32, u32)| (start..start + bytes).contains(&address);
    let first = flash.iter().position(holds).context("the description isn't in flash")?;
    flash[..=first].rotate_right(1);
    Ok(size_of(&flash, ram.into()) as usize)
}

/// The size of an image of these segments, each with its address and size. A segment for flash has
/// the same offset in a page of the image as in a page of the chip, and segments for RAM fill the
/// gaps that this leaves.
fn size_of(flash: &[(u32, u32)], mut ram: VecDeque<(u32, u32)>) -> u32 {
    let mut size = HEADER;
    for &(address, mut bytes) in flash {
        loop {
            let mut padding = padding(size, address);
            if padding == 0 {
                break;
            }
            if let Some((_, bytes)) = ram.front_mut().filter(|_| padding > SEGMENT_HEADER) {
                padding = padding.min(*bytes);
                *bytes -= padding;
                ram.retain(|&(_, bytes)| bytes > 0);
            }
            size += SEGMENT_HEADER + padding;
        }
        let in_last_page = (size + SEGMENT_HEADER + bytes) % PAGE;
        bytes += LEAST_IN_PAGE.saturating_sub(in_last_page);
        size += SEGMENT_HEADER + bytes;
    }
    size += ram.iter().map(|(_, bytes)| SEGMENT_HEADER + bytes).sum::<u32>();
    // A byte of checksum, at the end of a line of 16.
    (size + 1).next_multiple_of(16) + HASH
}

/// Bytes of a segment that fills the image from `size` to an offset at which a segment for
/// `address` may start.
fn padding(size: u32, address: u32) -> u32 {
    let start = (address - SEGMENT_HEADER) % PAGE;
    match (PAGE - size % PAGE + start) % PAGE {
        0 => 0,
        gap if gap > SEGMENT_HEADER => gap - SEGMENT_HEADER,
        gap => gap + PAGE - SEGMENT_HEADER,
    }
}

/// Addresses and sizes of the loaded segments, sorted. Sections that are adjacent once the first is
/// padded to whole words are one segment.
fn segments(file: &object::File<'_>) -> Vec<(u32, u32)> {
    let is_loaded = |section: &object::Section<'_, '_>| {
        let SectionFlags::Elf { sh_type, sh_flags } = section.flags() else { return false };
        matches!(sh_type, elf::SHT_PROGBITS | elf::SHT_INIT_ARRAY)
            && sh_flags != elf::SectionFlags(0)
            && section.size() > 0
            && section.address() > 0
    };
    let loaded = file.sections().filter(is_loaded);
    let mut sections: Vec<(u32, u32)> =
        loaded.map(|section| (section.address() as u32, section.size() as u32)).collect();
    sections.sort_unstable();
    let mut segments: Vec<(u32, u32)> = Vec::new();
    for (address, bytes) in sections {
        match segments.last_mut() {
            Some((start, length)) if (*start + *length).next_multiple_of(4) >= address => {
                *length = address + bytes - *start;
            }
            _ => segments.push((address, bytes)),
        }
    }
    segments.iter().map(|&(address, bytes)| (address, bytes.next_multiple_of(4))).collect()
}

#[cfg(test)]
mod tests {
    use charcell_flash::board;

    use super::*;

    /// No other partition may be written there.
    #[test]
    fn models_are_in_the_app_partition() {
        let esp = board("esp32-c3").unwrap();
        let models = esp.model_address..esp.flash().end;
        assert!(PARTITION.start < models.start && models.end <= PARTITION.end);
    }

    /// The sizes of images from `espflash save-image` 4.7 for programs with these segments: the
    /// firmware, one that ends just inside another page, and one with more data for RAM than fits
    /// in the gap.
    #[test]
    fn sizes_match_espflash() {
        for (code, code_at, data, ram, expected) in [
            (67_396, 0x4201_0020, 27_988, [1968, 3656], 133_008),
            (131_048, 0x4202_0020, 65_520, [4, 12], 262_224),
            (65_536, 0x4202_0020, 70_256, [70_000, 40_000], 245_904),
        ] {
            let flash = [(0x3C00_0020, data), (code_at, code)];
            let ram = [(0x3FC8_0000, ram[0]), (0x4038_0000, ram[1])];
            assert_eq!(size_of(&flash, ram.into()), expected);
        }
    }
}
