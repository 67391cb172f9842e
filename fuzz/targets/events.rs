//! libFuzzer calls [`ptree_fuzz::events`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::events(bytes));
