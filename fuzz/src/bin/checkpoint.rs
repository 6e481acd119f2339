//! libFuzzer calls [`charcell_fuzz::checkpoint`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    charcell_fuzz::checkpoint(bytes);
});
