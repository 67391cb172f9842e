//! The subcommands, one file each.

pub mod config;
pub mod doctor;
pub mod live;
pub mod replay;
pub mod snapshot;
pub mod stream;
pub mod synth;
