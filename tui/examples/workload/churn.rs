//! Processes that come and go without pause, until a byte comes on standard input; then those that live stay until it
//! ends.

use std::collections::VecDeque;
use std::io::{self, Read};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::{log, sys, until_told};

/// Processes that live at the same time, about.
const LIVING: usize = 16;

/// Of every four children one ends at once, one has a child that ends at once, one has a child that stays (and is ours
/// when its parent has been killed), and one just stays.
pub(crate) fn run() -> io::Result<()> {
    set_child_subreaper(true)?;
    let mut living = VecDeque::new();
    for kind in (0_u8..4).cycle() {
        if stdin_has(PollFlags::POLLIN, PollTimeout::ZERO)? {
            break;
        }
        let before_ns = boottime_ns()?;
        let (read, write) = nix::unistd::pipe()?;
        let pid = sys::child(|| live(kind, |grandchild| Ok(nix::unistd::write(&write, &grandchild.to_ne_bytes())?)))?;
        drop(write);
        log::line(&json!({"type": "churned", "pid": pid, "before_ns": before_ns}))?;
        let mut grandchild = [0; 4];
        let has_one = kind == 2 && nix::unistd::read(&read, &mut grandchild)? == grandchild.len();
        living.push_back((pid, has_one.then_some(i32::from_ne_bytes(grandchild))));
        if living.len() > LIVING {
            end_oldest(&mut living)?;
        }
    }
    io::stdin().read_exact(&mut [0])?;
    log::settled()?;
    until_told()?;
    while !living.is_empty() {
        end_oldest(&mut living)?;
    }
    Ok(())
}

fn live(kind: u8, report: impl FnOnce(i32) -> io::Result<usize>) -> io::Result<u8> {
    match kind {
        0 => return Ok(1),
        1 => sys::wait4(sys::child(|| Ok(2))?).map(drop)?,
        2 => report(sys::child(stay)?).map(drop)?,
        _ => {}
    }
    stay()
}

/// Until killed, or the test is gone; without reading, since the byte is not meant for this process.
fn stay() -> io::Result<u8> {
    stdin_has(PollFlags::empty(), PollTimeout::NONE)?;
    Ok(3)
}

fn end_oldest(living: &mut VecDeque<(i32, Option<i32>)>) -> io::Result<()> {
    let Some((pid, grandchild)) = living.pop_front() else { return Ok(()) };
    sys::kill(pid, libc::SIGKILL)?;
    sys::wait4(pid)?;
    living.extend(grandchild.map(|orphan| (orphan, None)));
    Ok(())
}

fn stdin_has(what: PollFlags, timeout: PollTimeout) -> io::Result<bool> {
    let stdin = io::stdin();
    Ok(poll(&mut [PollFd::new(std::os::fd::AsFd::as_fd(&stdin), what)], timeout)? > 0)
}

fn boottime_ns() -> Result<i64, Errno> {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(|t| t.tv_sec() * 1_000_000_000 + t.tv_nsec())
}
