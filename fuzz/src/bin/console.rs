//! libFuzzer calls [`charcell_fuzz::console`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    charcell_fuzz::console(bytes);
});
