//! The firmware of the boards that no emulator runs: it links, fits its part of the flash, and
//! would be accepted by the boot ROM or drive.

use anyhow::Result;
use device_tests::{firmware, machines};

/// A test for each board, with its name.
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
