//! libFuzzer calls [`ptree_fuzz::terminal`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::terminal(bytes));
