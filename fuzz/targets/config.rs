//! libFuzzer calls [`ptree_fuzz::config`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::config(bytes));
