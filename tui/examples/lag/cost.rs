//! What the program costs while nothing happens: its share of a CPU, and the CPU time of one look at all processes.
//!
//! The latter is found by looking often and seldom: what comes on top, divided by how often.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::load::Load;
use crate::session::Session;

/// Processes beside those that the machine has anyhow.
const SLEEPERS: [u32; 2] = [0, 3000];
/// How long the program is watched.
const WATCHED: Duration = Duration::from_secs(8);
/// Looks a second when there are many.
const OFTEN: u32 = 4;
/// CPU time that one look at 3,000 may take, from the kernel's walk to the engine, and drawn.
const LOOK: Duration = Duration::from_millis(8);
/// Share of a CPU with 3,000 that sleep.
const IDLE: f64 = 0.02;

/// CPU time of the thread that captures, and of all others.
#[derive(Clone, Copy, Debug)]
struct Used {
    capture: Duration,
    others: Duration,
}

impl Used {
    /// What was used after `before`. The two clocks are not read at once, so that little may come out as less than nothing.
    fn since(self, before: Self) -> Self {
        Self { capture: self.capture.saturating_sub(before.capture), others: self.others.saturating_sub(before.others) }
    }
}

/// Measures and tells; returns what should not be.
pub(crate) fn measure() -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    println!("\nidle, 200x50       each second      one look, CPU ms           first frame");
    println!("  processes        % of a CPU   capture  the rest    all            ms");
    for sleepers in SLEEPERS {
        let _load = Load::sleepers(sleepers)?;
        let processes = fs::read_dir("/proc")?.flatten().filter(|entry| is_pid(&entry.file_name())).count();
        let (_, seldom) = watch("1m")?;
        let (first, usual) = watch("1s")?;
        let (_, often) = watch(&humantime::format_duration(Duration::from_secs(1) / OFTEN).to_string())?;
        let looks = WATCHED.as_secs_f64() * f64::from(OFTEN);
        let each = |often: Duration, seldom: Duration| often.saturating_sub(seldom).div_f64(looks);
        let look = Used { capture: each(often.capture, seldom.capture), others: each(often.others, seldom.others) };
        let share = (usual.capture + usual.others).as_secs_f64() / WATCHED.as_secs_f64();
        let all = look.capture + look.others;
        let [capture, others, all_ms, first] =
            [look.capture, look.others, all, first].map(|time| time.as_secs_f64() * 1e3);
        println!("  {processes:<9} {:>17.2}% {capture:>9.2} {others:>9.2} {all_ms:>6.2} {first:>13.0}", share * 100.0);
        if all > LOOK {
            faults.push(format!("one look at {processes} processes takes {all:.1?}, which should be {LOOK:?}"));
        }
        if share > IDLE {
            faults.push(format!("idle with {processes} processes takes {:.1} % of a CPU", share * 100.0));
        }
    }
    Ok(faults)
}

/// Shows the screen with such an interval, touches nothing, and says how long the first frame took and what was used
/// once it was there for a while.
fn watch(interval: &str) -> anyhow::Result<(Duration, Used)> {
    let mut session = Session::start((200, 50), &["--theme", "16-colour", "--interval", interval])?;
    let first = session.first_frame()?;
    // Command lines are read in the first moments.
    session.until(Duration::from_secs(2), |_| false)?;
    let before = used(session.pid())?;
    session.until(WATCHED, |_| false)?;
    let after = used(session.pid())?;
    session.finish()?;
    Ok((first, after.since(before)))
}

/// What the program has used so far: all of it by the clock of the process, which knows threads that have ended as well.
fn used(pid: u32) -> anyhow::Result<Used> {
    let mut capture = None;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let read = |name| fs::read_to_string(thread.path().join(name));
        // It may have ended.
        let (Ok(name), Ok(times)) = (read("comm"), read("schedstat")) else { continue };
        if name.trim() == "capture" {
            let ns = times.split(' ').next().and_then(|ns| ns.parse().ok()).context("'schedstat' has another form")?;
            capture = Some(Duration::from_nanos(ns));
        }
    }
    let capture = capture.context("the program has no thread 'capture': is this run as root?")?;
    let all = clock_getcpuclockid(Pid::from_raw(pid.try_into()?))?.now()?;
    Ok(Used { capture, others: Duration::from(all).saturating_sub(capture) })
}

fn is_pid(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}
