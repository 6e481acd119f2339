//! The generated sections of the pages about boards.

use std::path::PathBuf;

use charcell_flash::{Board, Flashing};
use infer_core::{Dimensions, Int8, Placement};

use crate::section::{between, with_section};
use crate::{Described, Made, grouped, read_text};

/// The chapter's model.
const CHAPTER: Dimensions = Dimensions { vocabulary: 43, hidden: 256, layers: 1 };

/// All pages with sections about `boards`.
pub(crate) fn of(boards: &[Described<'_>]) -> Vec<Made> {
    let real: Vec<&Described<'_>> = boards.iter().filter(|it| !it.board.is_emulated()).collect();
    let machines: Vec<&Described<'_>> = boards.iter().filter(|it| it.board.is_emulated()).collect();
    let mut pages: Vec<Made> = boards.iter().map(own_page).collect();
    pages.push(page("docs/flash-a-board.md", |text| {
        assert!(text.contains("issues/new?template=board-report.yml"), "no link to the form");
        let text = with_section(text, "boards", &list_of_boards(&real));
        with_section(&text, "machines", &list_of_machines(&machines))
    }));
    pages.push(page("docs/flashing.md", |text| with_section(text, "boards", &rules(&real))));
    pages.push(page("docs/results.md", |text| with_section(text, "boards", &speeds(&real))));
    pages.push(page(".github/ISSUE_TEMPLATE/board-report.yml", |text| {
        let option =
            |it: &&Described<'_>| format!("        - {} ({})\n", it.board.title, it.board.name);
        let options: String = real.iter().map(option).collect();
        between(text, "      label: Board\n      options:\n", &options, "    validations:\n")
    }));
    pages
}

fn page(path: &str, update: impl FnOnce(&str) -> String) -> Made {
    let path = PathBuf::from(path);
    let text = update(&read_text(&path));
    (path, text)
}

/// The page of a board, which must name the commands and files for it.
fn own_page(described: &Described<'_>) -> Made {
    let name = described.board.name;
    let path = format!("firmware-example/boards/{name}/README.md");
    let text = read_text(path.as_ref());
    for part in commands(described.board) {
        assert!(text.contains(&part), "\"{part}\" isn't in {path}");
    }
    let text = with_section(&text, "board", &facts(described));
    (path.into(), text)
}

/// What the page of `board` must contain in its hand-written part.
fn commands(board: &Board) -> Vec<String> {
    let (name, chip) = (board.name, board.chip.unwrap_or_default());
    let make = format!("charcell firmware --board {name} --model ");
    match board.flashing {
        Flashing::Drive { name: drive, format, .. } => {
            vec![make, format!("`{drive}`"), format!("`{name}.{format}`")]
        }
        Flashing::Probe { .. } => vec![make, format!("probe-rs download --chip {chip} ")],
        Flashing::Espflash { model_mapped_at, .. } => vec![
            make,
            format!("espflash flash --chip {chip} "),
            format!("write-bin --chip {chip} {:#x} {name}-model.bin", board.model_address),
            format!("`0x{model_mapped_at:08X}`"),
        ],
        Flashing::Emulator => {
            let target = board.target;
            let emulate = format!("cargo xtask emulate --board {name} --model ");
            vec![emulate, format!("rustup target add {target}\n")]
        }
    }
}

/// The table on a board's own page.
fn facts(described: &Described<'_>) -> String {
    let Described { file, board } = *described;
    let clock = board.clock_hz.map(|hertz| format!(" at {} MHz", hertz / 1_000_000));
    let stand_in = if board.is_emulated() { "memory as " } else { "" };
    let range = |start: u32, end: u32| format!("`0x{start:08X} – 0x{:08X}`", end - 1);
    let rows = [
        ("core", Some(format!("{}{}", board.core.name(), clock.unwrap_or_default()))),
        (
            "memory",
            Some(format!(
                "{} of {stand_in}flash, {} of RAM",
                size(board.flash_bytes),
                size(board.ram_bytes)
            )),
        ),
        ("firmware", Some(range(board.flash_address, board.model_address))),
        ("model", Some(range(board.model_address, board.flash().end))),
        ("console", Some(file.page.console.clone())),
        ("button", Some(file.page.button.clone())),
        ("watchdog", file.page.watchdog.clone()),
        ("firmware's size", Some(firmware_size(described))),
        ("speed", speed(board)),
    ];
    let row = |(name, value): (&str, Option<String>)| Some(format!("| {name} | {} |\n", value?));
    let rows: String = rows.into_iter().filter_map(row).collect();
    format!("| | |\n|---|---|\n{rows}")
}

fn firmware_size(described: &Described<'_>) -> String {
    let Described { file, board } = *described;
    let by_espflash =
        if board.takes_two_files() { ", in the image that espflash makes" } else { "" };
    format!(
        "about {} KB of flash{by_espflash}; {} KB of RAM, {} KB of it for the model (its state, \
         and as many weights as fit), and the stack",
        file.page.firmware_kilobytes,
        file.page.statics_kilobytes,
        board.memory_bytes >> 10
    )
}

/// The speed of a board that isn't emulated, with the larger of the two models in the list of
/// boards that fits.
fn speed(board: &Board) -> Option<String> {
    let is_real = !board.is_emulated();
    let hidden = if board.has_room(CHAPTER) { 256 } else { 128 };
    let speed = board.speed(Dimensions { hidden, ..CHAPTER }).filter(|_| is_real)?;
    let from_flash = if speed.from_flash_alone < speed.characters_per_second {
        format!(", {} if all weights were read from flash", speed.from_flash_alone)
    } else {
        String::new()
    };
    let number = speed.characters_per_second;
    Some(format!("{number} characters/s (computed; {hidden} units, 43 characters){from_flash}"))
}

fn size(bytes: u32) -> String {
    match bytes >> 20 {
        0 => format!("{} KB", bytes >> 10),
        megabytes => format!("{megabytes} MB"),
    }
}

/// A link to a board's page from one in `docs/`.
fn link(board: &Board) -> String {
    format!("[{}](../firmware-example/boards/{}/README.md)", board.title, board.name)
}

fn list_of_boards(boards: &[&Described<'_>]) -> String {
    let row = |described: &&Described<'_>| {
        let Described { file, board } = described;
        let comes_as = match board.flashing {
            Flashing::Drive { format, .. } => format!("{} drive", format.to_uppercase()),
            Flashing::Probe { .. } => "probe".into(),
            Flashing::Espflash { .. } => "espflash".into(),
            Flashing::Emulator => "emulator".into(),
        };
        format!(
            "| {} | `{}` | {comes_as} | {} | `{:#010x}` |\n",
            link(board),
            board.target,
            file.page.console,
            board.model_address
        )
    };
    let rows: String = boards.iter().map(row).collect();
    format!("| board | target | comes as | console | model at |\n|---|---|---|---|---|\n{rows}")
}

fn list_of_machines(machines: &[&Described<'_>]) -> String {
    let row = |Described { board, .. }: &&Described<'_>| {
        format!("| {} | `{}` | `{:#010x}` |\n", link(board), board.target, board.model_address)
    };
    let rows: String = machines.iter().map(row).collect();
    format!("| machine | target | model at |\n|---|---|---|\n{rows}")
}

/// What flashing each board erases, refuses and pads.
fn rules(boards: &[&Described<'_>]) -> String {
    let row = |Described { file, board }: &&Described<'_>| {
        let rules = file.flash_rules().expect("the board isn't emulated");
        let unit = format!("{} KB", board.erase_unit(board.model_address).len() >> 10);
        let is_named = rules.erases.contains(&unit) || rules.model_alone.contains(&unit);
        assert!(is_named, "{}: flashing.rules don't name the {unit} of erase_units", board.name);
        let (takes, erases, refuses) = (&rules.takes, &rules.erases, &rules.refuses);
        let (pads, alone) = (&rules.pads, &rules.model_alone);
        format!("| {} | {takes} | {erases} | {refuses} | {pads} | {alone} |\n", link(board))
    };
    let rows: String = boards.iter().map(row).collect();
    format!(
        "| board | takes | erases | refuses | pads | a model alone |\n|---|---|---|---|---|---|\n\
         {rows}"
    )
}

/// The speeds with the chapter's model, computed from the chips' documents.
fn speeds(boards: &[&Described<'_>]) -> String {
    let read = grouped(Placement::new::<Int8>(CHAPTER, 0).flash_bytes_read as u32, ",");
    let row = |Described { board, .. }: &&Described<'_>| {
        let speed = board.speed(CHAPTER).filter(|_| board.has_room(CHAPTER))?;
        Some(format!(
            "| {} | {} | {} | {} | {} |\n",
            board.title,
            speed.from_flash_alone,
            speed.characters_per_second,
            grouped(speed.placement.ram_bytes_read as u32, ","),
            speed.limit
        ))
    };
    let rows: String = boards.iter().filter_map(row).collect();
    format!(
        "## Boards, computed\n\n\
         Characters per second of the chapter's model (256 units, 43 characters, int8), which\n\
         reads {read} of its bytes for each character. The numbers are computed from the clock\n\
         cycles of the core and the time that flash takes for these bytes; `board.toml` in\n\
         `firmware-example/boards/*/` has the sources. No board was measured. The firmware\n\
         copies as many weights to RAM as fit.\n\n\
         | board | from flash alone | with weights in RAM | of {read} bytes, in RAM | limit |\n\
         |---|---|---|---|---|\n{rows}\n\
         `cargo test -p charcell-flash` checks this table, and rewrites it if it is out of date.\n"
    )
}
