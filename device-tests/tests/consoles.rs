//! The firmware on every board that QEMU emulates: its console must answer as the host would.

use anyhow::{Result, ensure};
use device_tests::talk::{SETTINGS, compare_texts, host_text, talk};
use device_tests::{firmware, folder, machines, models};

/// Talks to the firmware of a board with the shipped model and a smaller one, which fits all
/// boards, and to the complete image that `charcell firmware` makes with the smaller model.
fn check(name: &str) -> Result<()> {
    let (board, small) = (machines::the_board(name)?, models::small()?);
    let firmware = firmware::build_as_stated(board)?;
    let models = [models::shipped(), small.clone()];
    talk(board, &models, |model| firmware::console(board, &firmware, model))?;
    let image = firmware::make_image(board, &firmware, &small, "elf", &folder("images")?)?;
    let mut console = firmware::console(board, &image, None)?;
    console.greeting()?;
    compare_texts(&mut console, &small, &SETTINGS)?;
    Ok(())
}

/// A test for each board, with its name.
macro_rules! boards {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[test]
            fn $test() -> Result<()> {
                check($name)
            }
        )*
    };
}

include!(concat!(env!("OUT_DIR"), "/emulated.rs"));

/// A model with a replacement reads unknown characters as on the host.
#[test]
fn unknown_characters_are_replaced() -> Result<()> {
    let board = machines::the_board("mps2-an386")?;
    let options = "--hidden 64 --epochs 40 --min-count 50 --replacement � --prefix";
    let options: Vec<&str> = options.split(' ').chain(["the “moon”", "zЖ"]).collect();
    let model = models::trained(&options)?;
    let mut console = firmware::console(board, &firmware::build(board)?, Some(&model))?;
    console.greeting()?;
    compare_texts(&mut console, &model, &SETTINGS)?;
    let (_, options) = SETTINGS[1];
    for line in ["the “moon”", "№ 7: 中 → 🙂", "ZéÉЖ"] {
        let (shown, expected) = (console.ask(line)?, host_text(&model, line, options)?);
        ensure!(shown == expected, "the board and the host differ:\n{shown}\n{expected}");
    }
    Ok(())
}
