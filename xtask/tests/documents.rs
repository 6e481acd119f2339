//! The pages of the repository, one for each board among them: what they link to is there.

use std::fs;
use std::path::Path;

use charcell::Artifact;
use charcell_flash::{BOARDS, Board, Flashing};
use infer_core::{Dimensions, Sampling};

const PAGES: [&str; 10] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs/artifact-format.md",
    "docs/chapter.md",
    "docs/flash-a-board.md",
    "docs/flashing.md",
    "docs/import.md",
    "docs/results.md",
    "firmware-example/README.md",
    "infer-core-c/README.md",
];

/// What stands before the name of an item where it is defined, at the least.
const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "pub"];

/// A link whose text is code and whose target a source file names an item that the file defines.
#[test]
fn links_lead_to_files_and_items() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut files, mut items) = (0, 0);
    let boards = BOARDS.iter().map(|board| format!("firmware-example/{}/README.md", board.name));
    for page in PAGES.map(str::to_owned).into_iter().chain(boards) {
        let path = root.join(&page);
        let text = fs::read_to_string(&path).unwrap();
        for (name, target) in links(&text) {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let target = path.with_file_name("").join(target);
            assert!(target.exists(), "{page} links to {}", target.display());
            files += 1;
            let item = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
            if let Some(item) = item.filter(|_| target.extension().is_some_and(|e| e == "rs")) {
                let source = fs::read_to_string(&target).unwrap();
                assert!(defines(&source, item), "{page}: {item} isn't in {}", target.display());
                items += 1;
            }
        }
    }
    assert!(files > 20 && items > 20, "{files} links, {items} to items: too few were found");
}

/// The page of each board, and its line in the page for all of them, say what the table of boards
/// says.
#[test]
fn pages_of_boards_say_what_the_table_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let all = fs::read_to_string(root.join("docs/flash-a-board.md")).unwrap();
    for board in BOARDS.iter().filter(|board| board.flashing != Flashing::Emulator) {
        let page = root.join("firmware-example").join(board.name).join("README.md");
        let page = fs::read_to_string(page).unwrap();
        for fact in facts(board) {
            assert!(page.contains(&fact), "\"{fact}\" isn't in the page of {}", board.name);
        }
        let link = format!("firmware-example/{}/README.md", board.name);
        let mut lines = all.lines().filter(|line| line.starts_with('|') && line.contains(&link));
        let line = lines.next().unwrap();
        let address = format!("`{:#010x}`", board.model_address);
        assert!(line.contains(board.target) && line.contains(&address), "{line}");
    }
}

/// What flashing erases is said of each board, and each can be chosen in the form for reports, which
/// the page for all of them leads to.
#[test]
fn flashing_and_reports_know_every_board() {
    const FORM: &str = "board-report.yml";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let flashing = read("docs/flashing.md");
    let form = read(&format!(".github/ISSUE_TEMPLATE/{FORM}"));
    for board in BOARDS.iter().filter(|board| board.flashing != Flashing::Emulator) {
        let name = board.name;
        let link = format!("(../firmware-example/{name}/README.md)");
        let mut rows = flashing.lines().filter(|line| line.starts_with('|'));
        let row = rows.find(|line| line.contains(&link)).unwrap();
        let unit = format!("{} KB", board.erase_unit(board.model_address).len() >> 10);
        assert!(row.contains(&unit), "{unit} aren't what {name} erases: {row}");
        assert!(form.contains(&format!("- {} ({name})\n", board.title)), "{name}");
    }
    assert!(read("docs/flash-a-board.md").contains(&format!("issues/new?template={FORM}")));
}

/// The sessions that are shown are of the model that ships with the firmware now.
#[test]
fn sessions_are_what_the_shipped_model_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let artifact = Artifact::read(&root.join("firmware-example/model.postcard")).unwrap();
    let model = artifact.model().unwrap();
    let written = |length| model.text("the time traveller", length, Sampling::greedy()).unwrap();
    let page = fs::read_to_string(root.join("docs/flash-a-board.md")).unwrap();
    assert!(page.replace('\n', "").contains(&written(200)), "the page has another text");
    let drawing = fs::read_to_string(root.join("docs/console.svg")).unwrap();
    // What stands between the tags.
    let texts = drawing.split('>').filter_map(|part| part.split('<').next());
    let text = texts.collect::<String>().replace('\n', "").replace('\u{A0}', " ");
    assert!(text.contains(&written(90)), "the recording has another text: cargo xtask record");
}

/// What the page of `board` has to have.
fn facts(board: &Board) -> Vec<String> {
    let size = |bytes: u32| match bytes >> 20 {
        0 => format!("{} KB", bytes >> 10),
        megabytes => format!("{megabytes} MB"),
    };
    let mut facts = vec![
        format!("charcell firmware --board {} --model ", board.name),
        format!("{} of flash", size(board.flash_bytes)),
        format!("{} of RAM", size(board.ram_bytes)),
        format!("{} MHz", board.clock_hz.unwrap_or_default() / 1_000_000),
    ];
    // The larger of the models in the list of boards that fits.
    let of_units = |hidden| Dimensions { vocabulary: 43, hidden, layers: 1 };
    let hidden = if board.has_room(of_units(256)) { 256 } else { 128 };
    let dimensions = of_units(hidden);
    if let Some(speed) = board.speed(dimensions) {
        let computed = format!("(computed; {hidden} units, 43 characters)");
        facts.push(format!("{} characters/s {computed}", speed.characters_per_second));
        if speed.from_flash_alone < speed.characters_per_second {
            facts.push(format!("{computed}, {} if all weights", speed.from_flash_alone));
        }
    }
    let memory = format!("{} KB of it for the model (", board.memory_bytes >> 10);
    facts.push(memory);
    let chip = board.chip.unwrap_or_default();
    let end = board.flash().end - 1;
    if let Flashing::Espflash { model_mapped_at, .. } = board.flashing {
        facts.push("RISC-V".into());
        facts.push(format!("espflash flash --chip {chip} "));
        let address = board.model_address;
        facts.push(format!("write-bin --chip {chip} {address:#x} {}-model.bin", board.name));
        facts.push(format!("`0x{:06X} – 0x{end:06X}`", board.model_address));
        facts.push(format!("0x{model_mapped_at:08X}"));
    } else {
        facts.push(board.core.name().into());
        facts.push(format!("`0x{:08X} – 0x{:08X}`", board.flash_address, board.model_address - 1));
        facts.push(format!("`0x{:08X} – 0x{end:08X}`", board.model_address));
    }
    match board.flashing {
        Flashing::Drive { name, format, .. } => {
            facts.push(format!("`{name}`"));
            facts.push(format!("`{}.{format}`", board.name));
        }
        Flashing::Probe { .. } => facts.push(format!("probe-rs download --chip {chip} ")),
        Flashing::Espflash { .. } | Flashing::Emulator => {}
    }
    facts
}

/// Text and target of each link of a page, `[text](target)`.
fn links(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.match_indices("](").filter_map(|(middle, separator)| {
        let start = page[..middle].rfind('[')? + 1;
        let target = &page[middle + separator.len()..];
        Some((&page[start..middle], &target[..target.find(')')?]))
    })
}

/// Whether `source` defines `item`, a path: its first and its last name, if they aren't Cargo's.
fn defines(source: &str, item: &str) -> bool {
    let is_file = item.contains(['.', '/']);
    is_file || item.split("::").all(|name| source.lines().any(|line| introduces(line, name)))
}

/// Whether a line of code introduces `name`: by a keyword, as an `impl`, a variant or a field.
fn introduces(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let starts_with_name = |text: &str| text.strip_prefix(name).is_some_and(ends);
    let keyword = KEYWORDS.iter().any(|keyword| {
        let start = format!("{keyword} ");
        line.match_indices(&start).any(|(at, _)| starts_with_name(&line[at + start.len()..]))
    });
    let is_variant = starts_with_name(line)
        && line[name.len()..].starts_with([',', '(', ' '])
        && name.starts_with(char::is_uppercase);
    keyword
        || is_variant
        || (line.starts_with("impl") && line.split([' ', '<']).any(starts_with_name))
}

#[test]
fn definitions_are_told_from_uses() {
    let source = "impl Corpus {\n    pub fn tokens(&self) {}\n    pub(crate) num_steps: usize,\n}\n\
                  enum Sampling {\n    Random,\n}\n";
    for item in ["Corpus::tokens", "Sampling::Random", "docs/a.md"] {
        assert!(defines(source, item), "{item}");
    }
    for item in ["Corpus::token", "Sampling::Rando", "usize", "Text::tokens"] {
        assert!(!defines(source, item), "{item}");
    }
}
