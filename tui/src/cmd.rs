//! The subcommands, one file each.

pub mod completions;
pub mod config;
pub mod doctor;
pub mod live;
pub mod man;
pub mod replay;
pub mod snapshot;
pub mod stream;
pub mod synth;

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result};

/// Writes all that a command has to say to standard output.
fn print(text: &[u8]) -> Result<ExitCode> {
    let mut out = stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).context("writing to standard output")?;
    Ok(ExitCode::SUCCESS)
}
