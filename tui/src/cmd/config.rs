//! `ptree-tui config`: the commented default, or the schema, on standard output. Reads no file.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::config::print;

/// Prints it.
///
/// # Errors
/// When the output cannot be written.
pub fn run(schema: bool) -> Result<ExitCode> {
    let text = if schema { print::schema() } else { print::default_file() };
    let mut out = stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("writing to standard output")?;
    Ok(ExitCode::SUCCESS)
}
