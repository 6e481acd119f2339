//! 32-bit ELF files, as far as flash is concerned: the segments to load.
//!
//! Source: *Tool Interface Standard, Executable and Linking Format*, version 1.2.

use object::elf::{self, ET_EXEC, FileHeader32, PF_R, PF_X, PT_LOAD, SHF_ALLOC, SHT_PROGBITS};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::write::elf::{FileHeader, ProgramHeader, SectionHeader, Writer};
use object::{Endianness, LittleEndian};

use crate::board::Core;
use crate::error::FirmwareError;
use crate::image::{Image, Program, Segment, machine};

/// The most program headers of a file that is accepted: a firmware has a few.
const MAX_PARTS: usize = 256;

/// The loadable parts of the program in a file.
#[derive(Debug)]
pub(crate) struct Loaded<'a> {
    pub(crate) program: Program,
    /// Address and bytes of each part, in the order of their physical addresses, which are those
    /// in flash.
    pub(crate) parts: Vec<(u32, &'a [u8])>,
}

impl<'a> Loaded<'a> {
    pub(crate) fn read(file: &'a [u8]) -> Result<Self, FirmwareError> {
        let header = FileHeader32::<LittleEndian>::parse(file);
        let header = header.map_err(|_| FirmwareError::NotElf)?;
        let endian = header.endian().map_err(|_| FirmwareError::BigEndian)?;
        let segments = header.program_headers(endian, file).map_err(|_| {
            let (count, bytes) = (header.e_phnum(endian), header.e_phentsize(endian));
            FirmwareError::MissingHeaders { count, bytes }
        })?;
        if segments.len() > MAX_PARTS {
            return Err(FirmwareError::TooManyHeaders { count: segments.len() });
        }
        let mut parts = Vec::new();
        for segment in segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD) {
            let bytes = segment.data(endian, file).map_err(|()| FirmwareError::CutShort)?;
            if !bytes.is_empty() {
                parts.push((segment.p_paddr(endian), bytes));
            }
        }
        if parts.is_empty() {
            return Err(FirmwareError::NoSegments);
        }
        // This bounds the work of reading all parts, however many headers there are.
        if parts.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>() > file.len() as u64 {
            return Err(FirmwareError::SharedBytes);
        }
        parts.sort_by_key(|(address, _)| *address);
        let program = Program {
            machine: header.e_machine(endian).0,
            flags: header.e_flags(endian).0,
            entry: header.e_entry(endian),
        };
        Ok(Self { program, parts })
    }

    /// Fails unless the program is for this kind of `core`.
    pub(crate) fn check_machine(&self, core: Core) -> Result<(), FirmwareError> {
        let (found, wanted, core) = (self.program.machine, machine(core), core.name());
        if found == wanted {
            return Ok(());
        }
        Err(FirmwareError::OtherCore { found, wanted, core })
    }
}

/// The ELF file that loads `image`, with a section for each segment: probe-rs requires one.
///
/// # Panics
/// Never: no image of a board's flash is too large for the format.
pub(crate) fn write(image: &Image) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(Endianness::Little, false, &mut file);
    writer.reserve_file_header();
    writer.reserve_program_headers(image.segments.len() as u32);
    let offsets: Vec<u64> =
        image.segments.iter().map(|it| writer.reserve(it.bytes.len() as u64, 1)).collect();
    writer.reserve_null_section_index();
    let name = writer.add_section_name(b".flash");
    for _ in &image.segments {
        writer.reserve_section_index();
    }
    writer.reserve_shstrtab_section_index();
    writer.reserve_shstrtab().expect("there are only two names");
    writer.reserve_section_headers();

    let Program { machine, flags, entry } = image.program;
    let header = FileHeader {
        e_type: ET_EXEC,
        e_machine: elf::Machine(machine),
        e_entry: entry.into(),
        e_flags: elf::FileFlags(flags),
        ..FileHeader::default()
    };
    writer.write_file_header(&header).expect("as many headers as were reserved");
    writer.write_align_program_headers();
    for (Segment { address, bytes }, &offset) in image.segments.iter().zip(&offsets) {
        let (address, length) = (u64::from(*address), bytes.len() as u64);
        writer.write_program_header(&ProgramHeader {
            p_type: PT_LOAD,
            p_flags: PF_R | PF_X,
            p_offset: offset,
            p_vaddr: address,
            p_paddr: address,
            p_filesz: length,
            p_memsz: length,
            p_align: 1,
        });
    }
    image.segments.iter().for_each(|segment| writer.write(&segment.bytes));
    writer.write_shstrtab();
    writer.write_null_section_header();
    let name = writer.section_name_offset(Some(name));
    for (Segment { address, bytes }, &offset) in image.segments.iter().zip(&offsets) {
        writer.write_section_header(&SectionHeader {
            sh_name: name,
            sh_type: SHT_PROGBITS,
            sh_flags: SHF_ALLOC,
            sh_addr: u64::from(*address),
            sh_offset: offset,
            sh_size: bytes.len() as u64,
            sh_addralign: 1,
            ..SectionHeader::default()
        });
    }
    writer.write_shstrtab_section_header();
    file
}

#[cfg(test)]
mod tests {
    use object::read::elf::SectionHeader as _;

    use super::*;
    use crate::image;

    const FILE_HEADER_BYTES: usize = 52;
    const PROGRAM_HEADER_BYTES: usize = 32;

    /// An image with a header that no board has by default.
    fn image() -> Image {
        let program = Program { machine: elf::EM_RISCV.0, flags: 5, entry: 0x1000_0101 };
        Image { program, ..image::tests::image() }
    }

    /// As debuggers and probe-rs read it.
    #[test]
    fn each_segment_has_its_address_and_a_section() {
        let (image, file) = (image(), write(&image()));
        let header = FileHeader32::<LittleEndian>::parse(&*file).unwrap();
        let endian = header.endian().unwrap();
        let expected: Vec<(u32, &[u8])> =
            image.segments.iter().map(|it| (it.address, &*it.bytes)).collect();
        let segments = header.program_headers(endian, &*file).unwrap().iter();
        let segments = segments.map(|it| (it.p_vaddr(endian), it.data(endian, &*file).unwrap()));
        assert_eq!(segments.collect::<Vec<_>>(), expected);
        let sections = header.sections(endian, &*file).unwrap();
        let loaded = sections.iter().filter(|it| it.sh_flags(endian) == SHF_ALLOC);
        let loaded = loaded.map(|it| (it.sh_addr(endian), it.data(endian, &*file).unwrap()));
        assert_eq!(loaded.collect::<Vec<_>>(), expected);
    }

    /// As in files with 65,535 segments or more: the count is in the first section's header
    /// (System V ABI, `PN_XNUM`).
    #[test]
    fn the_count_of_segments_may_be_in_a_section() {
        const COUNT: usize = 44;
        const SECTIONS: usize = 32;
        const INFO: usize = 28;
        let (image, mut file) = (image(), write(&image()));
        let [count, sections] = [COUNT, SECTIONS].map(|field| file[field..][..4].to_owned());
        let first = u32::from_le_bytes(*sections.first_chunk().unwrap()) as usize;
        file[first + INFO..][..2].copy_from_slice(&count[..2]);
        file[COUNT..][..2].fill(0xff);
        let parts = Loaded::read(&file).unwrap().parts;
        let segments = image.segments.iter().map(|segment| (segment.address, &*segment.bytes));
        assert_eq!(parts, segments.collect::<Vec<_>>());
    }

    #[test]
    fn a_written_file_reads_back_the_same() {
        let (image, file) = (image(), write(&image()));
        let loaded = Loaded::read(&file).unwrap();
        assert_eq!(loaded.program, image.program);
        let segments = image.segments.iter().map(|segment| (segment.address, &*segment.bytes));
        assert_eq!(loaded.parts, segments.collect::<Vec<_>>());
    }

    #[test]
    fn files_are_for_the_core_of_their_board() {
        let file = write(&image());
        let loaded = Loaded::read(&file).unwrap();
        loaded.check_machine(Core::RiscV32).unwrap();
        for core in [Core::CortexM0, Core::CortexM0Plus, Core::CortexM4, Core::CortexM33] {
            let (found, wanted) = (elf::EM_RISCV.0, elf::EM_ARM.0);
            let error = FirmwareError::OtherCore { found, wanted, core: core.name() };
            assert_eq!(loaded.check_machine(core), Err(error));
        }
    }

    #[test]
    fn every_file_that_is_cut_short_is_refused() {
        let file = write(&image());
        let whole = FILE_HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES + 256 + 40;
        Loaded::read(&file[..whole]).unwrap();
        for length in 0..whole {
            assert!(Loaded::read(&file[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn hostile_headers_are_refused() {
        use FirmwareError::{BigEndian, CutShort, MissingHeaders, NoSegments, NotElf, SharedBytes};
        let refused = |offset: usize, bytes: &[u8], expected: FirmwareError| {
            let mut file = write(&image());
            file[offset..offset + bytes.len()].copy_from_slice(bytes);
            assert_eq!(Loaded::read(&file).unwrap_err(), expected);
        };
        refused(4, &[2], NotElf);
        refused(5, &[2], BigEndian);
        refused(28, &[0xFF; 4], MissingHeaders { count: 2, bytes: 32 });
        refused(42, &[0, 0], MissingHeaders { count: 2, bytes: 0 });
        refused(44, &[0xFE, 0xFF], MissingHeaders { count: 65_534, bytes: 32 });
        refused(44, &[0, 0], NoSegments);
        // The first segment's offset in the file, and its length.
        refused(FILE_HEADER_BYTES + 4, &[0xFF; 4], CutShort);
        refused(FILE_HEADER_BYTES + 16, &[0xFF; 4], CutShort);
        // The second segment is the whole file, so the first is inside it.
        let length = write(&image()).len() as u32;
        let all = [0, 0, 0, length].map(u32::to_le_bytes).concat();
        refused(FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES + 4, &all, SharedBytes);
    }
}
