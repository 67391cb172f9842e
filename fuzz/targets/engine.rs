//! libFuzzer calls [`ptree_fuzz::engine`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::engine(bytes));
