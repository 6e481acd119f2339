//! The table of boards, `src/table.rs`.

use std::fmt::Write;
use std::ops::Range;

use charcell_board_file::{BoardFile, Flashing};

use crate::{Made, grouped};

const START: &str = "\
//! The table of boards, generated from `firmware-example/boards/*/board.toml` by
//! `tests/boards/table.rs`: changes here are overwritten.

use crate::board::{Board, Core, EraseUnits, FlashWait, Flashing};

/// All boards, emulated ones last.
#[rustfmt::skip]
pub static BOARDS: [Board; ";

const END: &str = "\
];

/// The board called `name`.
#[must_use]
pub fn board(name: &str) -> Option<&'static Board> {
    BOARDS.iter().find(|board| board.name == name)
}
";

/// The table of these boards.
pub(crate) fn of(boards: &[BoardFile]) -> Made {
    let mut text = format!("{START}{}] = [\n", boards.len());
    for board in boards {
        write_board(&mut text, board).expect("writing to a string succeeds");
    }
    text += END;
    ("flash/src/table.rs".into(), text)
}

fn write_board(text: &mut String, board: &BoardFile) -> std::fmt::Result {
    writeln!(text, "    Board {{")?;
    let mut field = |name: &str, value: String| writeln!(text, "        {name}: {value},");
    field("name", format!("{:?}", board.name))?;
    field("title", format!("{:?}", board.title))?;
    field("chip", format!("{:?}", board.chip))?;
    field("core", format!("Core::{}", core(board)))?;
    field("target", format!("{:?}", board.target))?;
    field("flash_address", hexadecimal(board.flash.address))?;
    field("flash_bytes", format!("{} << 10", board.flash.kilobytes))?;
    let units = board.flash.erase_units.iter();
    let units = units.map(|it| format!("EraseUnits {{ from: {}, bytes: {} }}", it.from, it.bytes));
    field("erase_units", list(units, 12))?;
    field("ram_address", hexadecimal(board.ram.address))?;
    field("ram_bytes", format!("{} << 10", board.ram.kilobytes))?;
    field("clock_hz", option(board.clock_hz.map(|hertz| grouped(hertz, "_"))))?;
    field("model_address", hexadecimal(board.model_address))?;
    field("memory_bytes", format!("{} << 10", board.memory_kilobytes))?;
    let wait = &board.flash.wait;
    field("flash_wait", format!("FlashWait {{ bytes: {}, clocks: {} }}", wait.bytes, wait.clocks))?;
    let family = match board.flashing {
        Flashing::Drive { uf2_family, .. } => uf2_family,
        _ => None,
    };
    field("uf2_family", option(family.map(hexadecimal)))?;
    field("flashing", flashing(&board.flashing))?;
    writeln!(text, "    }},")
}

/// The variant of `Core` for the core that the file names.
fn core(board: &BoardFile) -> &'static str {
    match board.core.as_str() {
        "Cortex-M0" => "CortexM0",
        "Cortex-M0+" => "CortexM0Plus",
        "Cortex-M4" => "CortexM4",
        "Cortex-M33" => "CortexM33",
        "RV32" => "RiscV32",
        other => panic!("{}: {other} isn't a core of charcell_flash::Core", board.name),
    }
}

fn flashing(flashing: &Flashing) -> String {
    match flashing {
        Flashing::Drive { how, name, format, erases_all, .. } => format!(
            "Flashing::Drive {{\n            how: {how:?},\n            name: {name:?},\n\
             {:12}format: {format:?},\n            erases_all: {erases_all},\n        }}",
            ""
        ),
        Flashing::Probe { is_drive, .. } => format!("Flashing::Probe {{ is_drive: {is_drive} }}"),
        Flashing::Espflash { model_mapped_at, program, .. } => {
            let range =
                |it: &Range<u32>| format!("{}..{}", hexadecimal(it.start), hexadecimal(it.end));
            format!(
                "Flashing::Espflash {{\n            model_mapped_at: {},\n\
                 {:12}program: {},\n\
                 {:8}}}",
                hexadecimal(*model_mapped_at),
                "",
                list(program.iter().map(range), 16),
                ""
            )
        }
        Flashing::Emulator => "Flashing::Emulator".into(),
    }
}

/// A slice with a line for each item, indented by `indent` spaces.
fn list(items: impl Iterator<Item = String>, indent: usize) -> String {
    let lines: String = items.map(|item| format!("{:indent$}{item},\n", "")).collect();
    format!("&[\n{lines}{:width$}]", "", width = indent - 4)
}

/// A number that may be missing.
fn option(number: Option<String>) -> String {
    number.map_or("None".into(), |number| format!("Some({number})"))
}

/// `address` as `0x1234_5678`.
fn hexadecimal(address: u32) -> String {
    format!("0x{:04X}_{:04X}", address >> 16, address & 0xFFFF)
}
