//! libFuzzer calls [`charcell_fuzz::import`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    charcell_fuzz::import(bytes);
});
