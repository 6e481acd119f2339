//! What the boards' documents let one compute of their speed, for docs/results.md.

use std::fmt::Write;

use anyhow::Result;
use charcell_flash::{BOARDS, Flashing};
use infer_core::{Dimensions, Int8, Placement};

use crate::results::{grouped, write_section};

/// The chapter's model.
const MODEL: Dimensions = Dimensions { vocabulary: 43, hidden: 256, layers: 1 };

/// Writes the section.
pub(crate) fn write() -> Result<()> {
    write_section(SECTION, &section()?)
}

const SECTION: &str = "boards";

fn section() -> Result<String> {
    let read = Placement::new::<Int8>(MODEL, 0).flash_bytes_read;
    let read = grouped(read as u64);
    let mut text = format!(
        "## Boards, computed\n\n\
         Characters a second of the chapter's model (256 units, 43 characters, int8), which reads \
         {read} of its bytes for each: computed from the clocks of the core and the time that its \
         flash takes for these bytes, as `trainer/src/boards/` has them with their sources. No \
         board was measured. The firmware copies as many weights to RAM as fit.\n\n\
         | board | from flash alone | with weights in RAM | of {read} bytes, in RAM | limit |\n\
         |---|---|---|---|---|\n",
    );
    for board in BOARDS.iter().filter(|board| board.flashing != Flashing::Emulator) {
        let Some(speed) = board.speed(MODEL).filter(|_| board.has_room(MODEL)) else {
            continue;
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            board.title,
            speed.from_flash_alone,
            speed.characters_per_second,
            grouped(speed.placement.ram_bytes_read as u64),
            speed.limit
        )?;
    }
    Ok(text + "\n`cargo xtask measure` writes this table, and a test holds it.\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::process::root;

    #[test]
    fn the_results_have_the_computed_speeds() {
        let results = fs::read_to_string(root().join("docs/results.md")).unwrap();
        assert!(results.contains(section().unwrap().trim_end()), "cargo xtask measure writes it");
    }
}
