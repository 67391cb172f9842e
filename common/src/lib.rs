//! What the kernel side and the user side of ptree-tui agree on: the records on the ring buffer ([`wire`]), the struct
//! members whose offsets the loader looks up ([`layout`]) and, for the user side, the table of hooks (`hooks`) and the parts
//! of what is shown that depend on members and hooks (`part`).
//!
//! Knows nothing of aya, of BTF or of events; `no_std` and without `unsafe`.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "user")]
pub mod hooks;
pub mod layout;
#[cfg(feature = "user")]
mod part;
pub mod wire;
