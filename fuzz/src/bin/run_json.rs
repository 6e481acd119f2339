//! libFuzzer calls [`charcell_fuzz::run_json`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    charcell_fuzz::run_json(bytes);
});
