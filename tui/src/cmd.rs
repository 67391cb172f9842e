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

use std::io::{StdoutLock, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ptree_source::start::stdout_was_writable;

/// Standard output, for a command that writes much.
///
/// # Errors
/// When it cannot be written to: Rust would take all that is written for arrived.
fn output() -> Result<StdoutLock<'static>> {
    anyhow::ensure!(
        stdout_was_writable(),
        "standard output is closed, or not for writing; send it to a file, or to '/dev/null' if nobody is to have it"
    );
    #[expect(clippy::disallowed_methods, reason = "here it is asked for first")]
    Ok(std::io::stdout().lock())
}

/// Writes all that a command has to say to standard output.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn print(text: &[u8]) -> Result<ExitCode> {
    let mut out = output()?;
    out.write_all(text).and_then(|()| out.flush()).context("writing to standard output")?;
    Ok(ExitCode::SUCCESS)
}
