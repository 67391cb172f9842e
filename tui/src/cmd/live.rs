//! `ptree-tui` without a subcommand: the full screen on the live kernel.

use std::process::ExitCode;

use anyhow::Result;
use tokio::sync::mpsc;

use crate::capture::{self, Capture, Until};
use crate::cli::Common;
use crate::clock::Clock;
use crate::{runtime, term};

/// Shows the screen until the user quits.
///
/// # Errors
/// When the kernel cannot be captured or there is no terminal.
pub fn run(common: &Common) -> Result<ExitCode> {
    term::ensure_terminal()?;
    show(common, Capture::start(common.live(), Until::default())?, Clock::live(), true)
}

/// Shows what is captured, at the times of `clock`, until the user quits, who may act on what is shown if that really
/// `is_here`.
///
/// # Errors
/// When the capture fails or there is no terminal.
pub fn show(common: &Common, mut capture: Capture, clock: Clock, is_here: bool) -> Result<ExitCode> {
    let (_, nothing) = mpsc::channel(1);
    let batches = std::mem::replace(&mut capture.batches, nothing);
    let header = capture.header.clone();
    let (options, display, ended) = (common.options(is_here), common.display(), capture.ended());
    capture::runtime()?.block_on(runtime::run(options, display, clock, header, batches, ended))?;
    Ok(ExitCode::SUCCESS)
}
