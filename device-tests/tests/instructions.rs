//! The instructions per character on each core must match the record.

use anyhow::Result;
use device_tests::instructions::{check, counted, counted_of_boards, counted_of_compact};
use device_tests::machines;

/// A test for each core.
macro_rules! cores {
    ($($core:ident: $machine:ident,)*) => {
        $(
            #[test]
            fn $core() -> Result<()> {
                check(&machines::$machine)
            }
        )*

        #[test]
        fn all_counted_cores_are_here() {
            let checked = [$(machines::$machine),*];
            let mut all = counted().chain(counted_of_boards()).chain(counted_of_compact());
            assert!(all.all(|(core, _)| checked.contains(&core)));
        }
    };
}

cores! {
    cortex_m0_plus: CORTEX_M0_PLUS,
    cortex_m3: CORTEX_M3,
    cortex_m4: CORTEX_M4,
    cortex_m7: CORTEX_M7,
    cortex_m33: CORTEX_M33,
    cortex_m55: CORTEX_M55,
    rv32imac: RV32IMAC,
}
