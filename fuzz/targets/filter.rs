//! libFuzzer calls [`ptree_fuzz::filter`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::filter(bytes));
