//! `docs/console.svg`: a recorded session on the console of an emulated board.

use std::fmt::Write;
use std::fs;
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use device_tests::console::Console;
use device_tests::emulator::{self, PIPE};
use device_tests::{firmware, machines, models};
use xtask::root;

/// The emulated board.
const BOARD: &str = "mps2-an386";

/// The lines to type.
const LINES: [&str; 6] =
    [":length 90", "the time traveller", ":temperature 0.4", ":seed 3", "the moon", ":info"];

/// Pauses between two keys, and before a new line.
const KEY: Duration = Duration::from_millis(70);
const LINE: Duration = Duration::from_millis(900);

/// Output that appears within this time is drawn together.
const FRAME: Duration = Duration::from_millis(50);

/// Columns of the screen, the size of its letters, and the margin.
const COLUMNS: usize = 88;
const LETTER_WIDTH: f64 = 7.8;
const LETTER_HEIGHT: f64 = 18.0;
const MARGIN: f64 = 14.0;

/// Colours of the board's output, and of typed text.
const SHOWN_COLOUR: &str = "#d7dae0";
const TYPED_COLOUR: &str = "#8fd18a";

/// An instruction takes 64 ns in QEMU, 16 million per second: no faster than a real board.
const PACE: [&str; 2] = ["-icount", "shift=6,align=on"];

/// The start of the warning lines that QEMU mixes into the output when it can't keep the pace.
const LATE: &str = "Warning: The guest is now late by ";

/// A text that appeared together, and when.
struct Shown {
    after: Duration,
    is_typed: bool,
    text: String,
}

/// Talks to the board, and draws the output of its console, animated with the recorded times.
pub(crate) fn write() -> Result<()> {
    let board = machines::the_board(BOARD)?;
    let program = firmware::build(board)?;
    let model = models::shipped();
    let mut emulator = emulator::of_board(board, &program, Some(&model), PIPE)?;
    let mut warnings = Warnings::default();
    let emulator = emulator.args(PACE);
    let mut console = Console::start_filtered(emulator, move |bytes| {
        let mut shown = warnings.drop_from(bytes);
        // The bytes of a line end may arrive separately.
        shown.retain(|&byte| byte != b'\r');
        shown
    })?;
    let session = record(&mut console)?;
    let path = root().join("docs/console.svg");
    fs::write(&path, draw(&session)).with_context(|| format!("can't write {}", path.display()))
}

fn record(console: &mut Console) -> Result<Vec<Shown>> {
    let start = Instant::now();
    let greeting = console.greeting()?.trim_start().to_owned() + "\n> ";
    let mut session = vec![Shown { after: Duration::ZERO, is_typed: false, text: greeting }];
    // The Ctrl-C of the greeting isn't part of the session, nor is the time that it took.
    let skipped = start.elapsed();
    for line in LINES {
        for (index, key) in line.chars().chain(['\r']).enumerate() {
            thread::sleep(if index == 0 { LINE } else { KEY });
            console.press(key)?;
            let is_typed = key != '\r';
            let mut whole = String::new();
            while whole.is_empty() || !(is_typed || whole.ends_with("\n> ")) {
                let text = console.until(|shown| !shown.is_empty())?;
                whole += &text;
                let after = start.elapsed() - skipped;
                match session.last_mut() {
                    Some(last) if !is_typed && !last.is_typed && after < last.after + FRAME => {
                        last.text += &text;
                    }
                    _ => session.push(Shown { after, is_typed, text }),
                }
            }
        }
    }
    Ok(session)
}

/// Drops QEMU's warnings about its pace, which may arrive in several parts.
#[derive(Default)]
struct Warnings {
    /// The start of a warning, or of a possible one.
    pending: Vec<u8>,
}

impl Warnings {
    /// The output of the emulated board in the pending bytes and `bytes`.
    fn drop_from(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut rest = mem::take(&mut self.pending);
        rest.extend(bytes);
        let mut kept = Vec::new();
        while let Some(start) = (0..rest.len()).find(|&start| is_warning(&rest[start..])) {
            kept.extend(rest.drain(..start));
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                self.pending = rest;
                return kept;
            };
            rest.drain(..=end);
        }
        kept.extend(rest);
        kept
    }
}

/// Whether `bytes` start with a warning, or are too short to rule it out.
fn is_warning(bytes: &[u8]) -> bool {
    let common = bytes.len().min(LATE.len());
    bytes[..common] == LATE.as_bytes()[..common]
}

/// A part of a row, and its position on the screen.
struct Part {
    after: Duration,
    is_typed: bool,
    row: usize,
    column: usize,
    text: String,
}

/// Breaks the session into rows, and counts them.
fn lay_out(session: &[Shown]) -> (Vec<Part>, usize) {
    let (mut parts, mut row, mut column) = (Vec::<Part>::new(), 0, 0);
    for Shown { after, is_typed, text } in session {
        let mut is_new = true;
        for character in text.chars() {
            let is_line_end = character == '\n';
            if is_line_end || column == COLUMNS {
                (row, column, is_new) = (row + 1, 0, true);
            }
            if is_line_end {
                continue;
            }
            if is_new {
                let (after, is_typed, text) = (*after, *is_typed, String::new());
                parts.push(Part { after, is_typed, row, column, text });
                is_new = false;
            }
            if let Some(part) = parts.last_mut() {
                part.text.push(character);
            }
            column += 1;
        }
    }
    (parts, row + 1)
}

fn draw(session: &[Shown]) -> String {
    let (parts, rows) = lay_out(session);
    let width = COLUMNS as f64 * LETTER_WIDTH + 2.0 * MARGIN;
    let height = rows as f64 * LETTER_HEIGHT + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\">\n\
         <title>The console of an emulated {BOARD}, recorded</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n\
         <g font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\" \
         fill=\"{SHOWN_COLOUR}\">\n"
    );
    for Part { after, is_typed, row, column, text } in &parts {
        let x = MARGIN + *column as f64 * LETTER_WIDTH;
        let y = MARGIN + (*row as f64 + 0.75) * LETTER_HEIGHT;
        let length = text.chars().count() as f64 * LETTER_WIDTH;
        // Browsers collapse ordinary spaces in a row.
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace(' ', "\u{A0}");
        // Hidden until its time, so that a viewer without animations shows all of it.
        let seconds = after.as_secs_f64();
        let hidden = if seconds > 0.0 {
            format!("<set attributeName=\"opacity\" to=\"0\" begin=\"0s\" end=\"{seconds:.2}s\"/>")
        } else {
            String::new()
        };
        let fill = if *is_typed { format!(" fill=\"{TYPED_COLOUR}\"") } else { String::new() };
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\"{fill}>{text}{hidden}</text>"
        )
        .expect("writing to a string doesn't fail");
    }
    svg + "</g>\n</svg>\n"
}

#[cfg(test)]
mod tests {
    use charcell::Artifact;
    use infer_core::Sampling;

    use super::*;

    /// The sessions in the documentation come from the model that now ships with the firmware.
    #[test]
    fn sessions_are_what_the_shipped_model_writes() {
        let artifact = Artifact::read(&models::shipped()).unwrap();
        let model = artifact.model().unwrap();
        let written = |length| model.text(LINES[1], length, Sampling::greedy()).unwrap();
        let read = |page| fs::read_to_string(root().join(page)).unwrap();
        let page = read("docs/flash-a-board.md").replace('\n', "");
        assert!(page.contains(&written(200)), "the page has another text");
        let drawing = read("docs/console.svg");
        // The text between the tags.
        let texts = drawing.split('>').filter_map(|part| part.split('<').next());
        let text = texts.collect::<String>().replace('\n', "").replace('\u{A0}', " ");
        let is_current = text.contains(&written(90));
        assert!(is_current, "the recording has another text: cargo xtask bench console");
    }

    #[test]
    fn a_warning_is_dropped_however_it_is_split() {
        let all = format!("> We{LATE}0.1 to 0.2 seconds\n{LATE}1 to 2 seconds\nWarn me");
        for (first, second) in (0..all.len()).flat_map(|a| (a..all.len()).map(move |b| (a, b))) {
            let mut warnings = Warnings::default();
            let parts = [&all[..first], &all[first..second], &all[second..]];
            let kept = parts.map(|part| warnings.drop_from(part.as_bytes())).concat();
            assert_eq!(kept, b"> WeWarn me", "{parts:?}");
        }
    }
}
