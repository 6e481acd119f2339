//! libFuzzer calls [`charcell_fuzz::load`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    charcell_fuzz::load(bytes);
});
