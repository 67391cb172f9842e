//! From the command line to the command, and from how that went to the exit status.
//!
//! Does not know how a command does its work.

use std::process::ExitCode;

use nix::sys::signal::{SigSet, Signal};
use ptree_source::caller::leave_no_core;
use ptree_source::fatal;
use ptree_source::limits::{self, Explained};
use ptree_source::live::LiveError;

use crate::cli::{Cli, Command, EXIT_PRIVILEGE, EXIT_USAGE, Unsettled, parse};
use crate::cmd;
use crate::cmd::stream::More;
use crate::tell::{self, tell};

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(tell::panicked));
    fatal::watch();
    leave_no_core();
    limits::raise();
    // Whatever signals who started us has blocked: those that end us do. A file that would grow beyond a limit ('ulimit -f')
    // is an error of whoever writes it, and not the end of all. It holds for every thread, since this is the only one yet.
    let _ = SigSet::from(Signal::SIGXFSZ).thread_set_mask();
    // A panic has had its say.
    let status = std::panic::catch_unwind(run).map_or(ExitCode::FAILURE, finish);
    unless_panicked(status, tell::has_panicked())
}

/// Where another thread than the first one has panicked, what it was there for has ended early, and who waited for it may
/// not have noticed: that is no success, however it went on.
fn unless_panicked(status: ExitCode, panicked: bool) -> ExitCode {
    if panicked && status == ExitCode::SUCCESS { ExitCode::FAILURE } else { status }
}

fn run() -> anyhow::Result<ExitCode> {
    let Cli { command, flags } = match parse(std::env::args_os()) {
        // What was asked for: help, or the version.
        Err(answer) if !answer.use_stderr() => return cmd::print(answer.render().to_string().as_bytes()),
        parsed => parsed.map_err(Unsettled::from)?,
    };
    // Only where it is wanted: a mistake in the configuration does not keep documents from being printed.
    let name = command.as_ref().map(Command::name);
    let settle = || flags.settle(name);
    match command {
        Some(Command::Config { schema }) => cmd::config::run(schema),
        Some(Command::Man) => cmd::man::run(),
        Some(Command::Completions { shell }) => cmd::completions::run(shell),
        None => cmd::live::run(&settle()?),
        Some(Command::Stream { from: Some(file), usage, wall, .. }) => {
            cmd::stream::run_from(&settle()?, &file, More { usage, wall })
        }
        Some(Command::Stream { duration, usage, wall, from: None }) => {
            cmd::stream::run(&settle()?, duration, More { usage, wall })
        }
        Some(Command::Replay { file, speed }) => cmd::replay::run(&settle()?, &file, speed),
        Some(Command::Snapshot { format, from: Some(file), at }) => {
            cmd::snapshot::run_from(&settle()?, &file, at, format)
        }
        Some(Command::Snapshot { format, from: None, .. }) => cmd::snapshot::run(&settle()?, format),
        Some(Command::Doctor { json, layout: false }) => cmd::doctor::run(&settle()?, json),
        Some(Command::Doctor { json, layout: true }) => cmd::doctor::layout::run(&settle()?, json),
        Some(Command::Synth(play)) => cmd::synth::run(&settle()?, &play),
    }
}

/// The exit status of a command; what failed is told.
fn finish(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        match error.downcast_ref::<Unsettled>() {
            Some(Unsettled::Usage(told)) => tell::plain(told),
            Some(mistakes @ Unsettled::Config(_)) => tell(mistakes),
            None => tell(Explained(error.as_ref())),
        }
        if error.is::<Unsettled>() {
            return ExitCode::from(EXIT_USAGE);
        }
        let privilege = error.downcast_ref().is_some_and(LiveError::is_privilege);
        if privilege { ExitCode::from(EXIT_PRIVILEGE) } else { ExitCode::FAILURE }
    })
}

/// Whether the reader of our output has gone: it has what it wanted.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_panic_in_whatever_thread_nothing_is_a_success() {
        let privilege = ExitCode::from(EXIT_PRIVILEGE);
        for (status, panicked, expected) in [
            (ExitCode::SUCCESS, false, ExitCode::SUCCESS),
            (ExitCode::SUCCESS, true, ExitCode::FAILURE),
            (privilege, true, privilege),
        ] {
            assert_eq!(unless_panicked(status, panicked), expected);
        }
    }
}
