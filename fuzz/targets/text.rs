//! libFuzzer calls [`ptree_fuzz::text`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::text(bytes));
