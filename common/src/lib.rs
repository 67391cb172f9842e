//! What the kernel side and the user side of ptree-tui agree on, and nothing else: the records on the ring buffer
//! ([`wire`]) and the struct members whose offsets the loader looks up ([`layout`]).
//!
//! Knows nothing of aya, of BTF or of events; `no_std` and without `unsafe`.
#![no_std]
#![forbid(unsafe_code)]

pub mod layout;
#[cfg(feature = "user")]
mod part;
pub mod wire;
