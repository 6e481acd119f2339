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
    };
}

include!(concat!(env!("OUT_DIR"), "/built.rs"));
