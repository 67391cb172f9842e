//! libFuzzer calls [`ptree_fuzz::header`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::header(bytes));
