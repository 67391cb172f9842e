//! libFuzzer calls [`ptree_fuzz::btf`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::btf(bytes));
