//! Does exact things with processes and logs what it did: the independent truth that the live tests compare a capture
//! with.
//!
//! `workload SITUATION` logs NDJSON on standard output, which must be a file opened for appending: several processes
//! write to it, a whole line at a time. The account is complete: one line for every process that the situation made
//! (`fork`), every program started in one (`exec`) and every end (`exit`), as the kernel told it to the one who asked
//! (return value of the call, wait status, /proc). Situations that go on until told otherwise say `settled` when there
//! is nothing left to do but wait, and end when standard input does, so that no test needs to guess a time and nothing
//! survives a test that failed.
//!
//! Knows nothing of ptree-tui.

mod argv;
mod belonging;
mod births;
mod churn;
mod contained;
mod facts;
mod killed;
mod lives;
mod log;
mod paths;
mod program;
mod storm;
mod sys;

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use crate::program::CHILD;

fn main() -> ExitCode {
    // Programs started with peculiar arguments are this one as well; the environment says how they shall end.
    if let Ok(end) = std::env::var(CHILD) {
        let (done, code) = match end.parse::<u8>() {
            Ok(code) => (Ok(()), code),
            Err(_) if end == lives::TITLES => (lives::set_titles(), 0),
            Err(_) if end == facts::EXACT => (facts::exact(), 41),
            Err(_) => (until_told(), 0),
        };
        if let Err(error) = done {
            eprintln!("workload, program '{end}': {error}");
            return ExitCode::from(sys::FAILED);
        }
        return ExitCode::from(code);
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("workload {}: {error}", args.join(" "));
            ExitCode::from(sys::FAILED)
        }
    }
}

fn run(args: &[&str]) -> io::Result<u8> {
    match *args {
        // Inside of other situations.
        ["link", left] => return births::link(number(left)?),
        ["code", code] => return number(code),
        ["deleted", file] => match paths::deleted(file)? {},
        ["descriptor", file] => match paths::descriptor(file)? {},
        ["memory", file] => match paths::memory(file)? {},
        ["mounted", folder] => match paths::mounted(folder)? {},
        ["chroot", folder] => match paths::in_chroot(folder)? {},
        ["time-namespace", ahead_s, program, ref args @ ..] => {
            sys::enter_time_namespace(number(ahead_s)?)?;
            return Err(std::process::Command::new(program).args(args).exec());
        }
        ["default-signals", program, ref args @ ..] => {
            sys::default_reserved_signals()?;
            return Err(std::process::Command::new(program).args(args).exec());
        }
        _ => log::this()?,
    }
    match *args {
        ["exit-codes"] => births::exit_codes(),
        ["signals"] => births::signals(),
        ["killed-by-processes"] => killed::by_processes(),
        ["killed-by-the-kernel"] => killed::by_the_kernel(),
        ["contained"] => contained::short(),
        ["ways-to-spawn"] => births::ways_to_spawn(),
        ["clone-parent"] => births::clone_parent(),
        ["exec-chain"] => births::exec_chain(),
        ["pid-namespace"] => births::pid_namespace(),
        ["pid-reuse"] => births::pid_reuse(),
        ["daemon"] => lives::daemon(),
        ["subreaper"] => lives::subreaper(),
        ["leader-gone"] => lives::leader_gone(),
        ["thread-exec"] => lives::thread_exec(),
        ["threads"] => lives::threads(),
        ["credentials"] => lives::credentials(),
        ["rename"] => lives::rename(),
        ["heavy"] => lives::heavy(),
        ["own-io"] => lives::own_io(),
        ["ended-in-full-swing"] => lives::ended_in_full_swing(),
        ["slow-end"] => lives::slow_end(),
        ["belonging"] => belonging::changed(),
        ["busy"] => belonging::busy(),
        ["facts"] => facts::facts(),
        ["writer"] => facts::writer(),
        ["tree"] => lives::tree(),
        ["title"] => lives::title(),
        ["argv"] => argv::all(),
        ["churn"] => churn::run(),
        ["spawns", rate] => storm::spawns(number(rate)?),
        ["sleepers", count] => lives::sleepers(number(count)?),
        ["storm", cycles, stay_every] => storm::run(number(cycles)?, number(stay_every)?),
        _ => Err(io::Error::other("no such situation; see main.rs")),
    }?;
    Ok(0)
}

fn number<T: std::str::FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>>(text: &str) -> io::Result<T> {
    text.parse().map_err(io::Error::other)
}

/// Waits until standard input ends: every process of a situation can wait so at the same time.
fn until_told() -> io::Result<()> {
    io::copy(&mut io::stdin().lock(), &mut io::sink()).map(drop)
}

/// Whether standard input has ended, or something stands in it.
fn is_told() -> io::Result<bool> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let stdin = io::stdin();
    Ok(poll(&mut [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO)? > 0)
}
