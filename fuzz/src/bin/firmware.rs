//! libFuzzer calls [`charcell_fuzz::firmware`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    charcell_fuzz::firmware(bytes);
});
