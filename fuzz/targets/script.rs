//! libFuzzer calls [`ptree_fuzz::script`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptree_fuzz::script(bytes));
