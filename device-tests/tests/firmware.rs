//! The firmware of the boards that no emulator runs links, within its part of the flash, and their
//! boot ROMs or drives would take it.

use anyhow::Result;
use device_tests::{firmware, machines};

/// A test for each board, by its name.
macro_rules! boards {
    ($($(#[$ignored:meta])? $test:ident: $name:literal,)*) => {
        $(
            #[test]
            $(#[$ignored])?
            fn $test() -> Result<()> {
                firmware::build_as_stated(machines::the_board($name)?).map(drop)
            }
        )*

        #[test]
        fn all_boards_are_here() -> Result<()> {
            let built = [$(($name, [$(stringify!($ignored),)? ""].len() == 2)),*];
            for board in machines::boards()? {
                // The console of the Pico is what `pico.rs` is about.
                let is_tested = board.emulator.is_some() || board.name == "pico";
                let entry = (&*board.name, board.built_in_full_round_only);
                assert!(is_tested || built.contains(&entry), "{entry:?}");
            }
            Ok(())
        }
    };
}

// The others of a family of chips are ignored, as their board.toml says.
boards! {
    microbit_v2: "microbit-v2",
    esp32_c3: "esp32-c3",
    pico2: "pico2",
    #[ignore = "for the full round"]
    nrf52840_dk: "nrf52840-dk",
    #[ignore = "for the full round"]
    nucleo_f411: "nucleo-f411",
}
