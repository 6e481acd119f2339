//! libFuzzer calls [`charcell_fuzz::generate`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    charcell_fuzz::generate(bytes);
});
