//! libFuzzer calls [`ptree_fuzz::decode`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::decode(bytes));
