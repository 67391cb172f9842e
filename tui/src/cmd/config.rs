//! `ptree-tui config`: the commented default, or the schema, on standard output. Reads no file.

use std::process::ExitCode;

use anyhow::Result;

use crate::config::print;

/// Prints it.
///
/// # Errors
/// When the output cannot be written.
pub fn run(schema: bool) -> Result<ExitCode> {
    let text = if schema { print::schema() } else { print::default_file() };
    super::print(text.as_bytes())
}
