//! Processes that change what they belong to, and processes that use the CPU in one way or another. Each says what /proc, which
//! is not what is tested, shows of it.

use std::fs::File;
use std::io::{self, Read as _};
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::{Pid, setpgid, setsid};
use serde_json::json;

use crate::{log, sys, until_told};

/// So much CPU time is spent by those who are busy: many ticks.
const BUSY: Duration = Duration::from_millis(400);
/// Whoever has to wait for a CPU does so for as long as this at least, nanoseconds.
const WAITED_NS: u64 = 100_000_000;

/// A session with a terminal, in it a process group of its own with another nice value and another login, and in that one a
/// process that changes nothing. All stay until told.
pub(crate) fn changed() -> io::Result<()> {
    log::wait(sys::child(|| {
        setsid()?;
        let terminal = nix::pty::openpty(None, None)?;
        sys::take_terminal(&terminal.slave)?;
        let job = sys::child(|| {
            setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
            sys::set_nice(7)?;
            // Not everywhere may it be set, and never twice in some places: what it is in the end is what counts.
            let _ = std::fs::write("/proc/self/loginuid", "4242");
            let member = sys::child(|| belongs().and_then(|()| until_told()).map(|()| 3))?;
            belongs()?;
            log::wait(member).map(|()| 2)
        })?;
        belongs()?;
        log::settled()?;
        until_told()?;
        log::wait(job)?;
        // Closed, it would hang up, and be nobody's terminal at the end.
        std::mem::forget(terminal);
        Ok(1)
    })?)
}

/// Logs what this process belongs to.
fn belongs() -> io::Result<()> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').collect();
    // Of proc(5), where the first behind the name is the third.
    let field = |number: usize| fields.get(number - 3).and_then(|field| field.parse::<i64>().ok());
    let number = |file: &str| Ok::<_, io::Error>(std::fs::read_to_string(file)?.trim().parse::<u64>().ok());
    log::line(&json!({
        "type": "belongs",
        "pid": std::process::id(),
        "pgid": field(5),
        "sid": field(6),
        // What `ps` makes of the number of a pseudo-terminal.
        "tty": field(7).map(|tty| if tty == 0 { "?".to_owned() } else { format!("pts/{}", tty & 0xff | tty >> 12 & 0xf_ff00) }),
        "nice": field(19),
        "login_uid": number("/proc/self/loginuid").ok(),
        "audit_session": number("/proc/self/sessionid").ok(),
    }))
}

/// One that is busy in user mode, one in the kernel, one with a thread for each of these that has ended, and one that waits for
/// its CPU beside another. All stay until told, with nothing more to do.
pub(crate) fn busy() -> io::Result<()> {
    let stay = |busy: fn() -> io::Result<u64>| {
        sys::child(move || {
            let ended_ns = busy()?;
            spent(ended_ns)?;
            until_told().map(|()| 5)
        })
    };
    let children = [
        stay(|| in_user_mode().map(|()| 0))?,
        stay(|| in_the_kernel().map(|()| 0))?,
        stay(|| {
            let threads = [in_user_mode, in_the_kernel].map(|busy| {
                std::thread::spawn(move || {
                    busy()?;
                    run_delay_ns("/proc/thread-self/schedstat")
                })
            });
            let waited = threads.map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("panicked"))));
            let waited = waited.into_iter().sum();
            alone()?;
            waited
        })?,
        stay(|| beside_another().map(|()| 0))?,
    ];
    log::settled()?;
    until_told()?;
    children.into_iter().try_for_each(log::wait)
}

fn cpu_time() -> io::Result<Duration> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(Duration::new(time.tv_sec().unsigned_abs(), u32::try_from(time.tv_nsec()).unwrap_or(0)))
}

pub(crate) fn in_user_mode() -> io::Result<()> {
    let until = cpu_time()? + BUSY;
    while cpu_time()? < until {
        for _ in 0..1_000_000 {
            std::hint::spin_loop();
        }
    }
    Ok(())
}

pub(crate) fn in_the_kernel() -> io::Result<()> {
    let (mut zeros, mut buffer) = (File::open("/dev/zero")?, vec![0; 1 << 20]);
    let until = cpu_time()? + BUSY;
    while cpu_time()? < until {
        zeros.read_exact(&mut buffer)?;
    }
    Ok(())
}

fn beside_another() -> io::Result<()> {
    let all = sched_getaffinity(Pid::from_raw(0))?;
    let mut one = CpuSet::new();
    let first = (0..CpuSet::count()).find(|&cpu| all.is_set(cpu).unwrap_or(false)).unwrap_or(0);
    one.set(first)?;
    sched_setaffinity(Pid::from_raw(0), &one)?;
    let other = sys::child(|| {
        // Until its parent has it stop.
        loop {
            std::hint::spin_loop();
        }
    })?;
    while run_delay_ns("/proc/self/schedstat")? < WAITED_NS {
        for _ in 0..1_000_000 {
            std::hint::spin_loop();
        }
    }
    sys::kill(other, libc::SIGKILL)?;
    log::wait(other)
}

/// Waits until no thread but this is to be seen: a thread that has been joined may be for a moment, and would count twice.
pub(crate) fn alone() -> io::Result<()> {
    while std::fs::read_dir("/proc/self/task")?.count() > 1 {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Logs what this process has spent, with what ended threads had waited.
fn spent(ended_ns: u64) -> io::Result<()> {
    let mut waited_ns = ended_ns;
    for thread in std::fs::read_dir("/proc/self/task")? {
        waited_ns += run_delay_ns(&format!("{}/schedstat", thread?.path().to_string_lossy()))?;
    }
    log::line(&json!({"type": "spent", "pid": std::process::id(), "run_delay_ns": waited_ns, "ended_ns": ended_ns}))
}

/// Time that a thread has waited for a CPU, by the second number of such a file.
fn run_delay_ns(file: &str) -> io::Result<u64> {
    let text = std::fs::read_to_string(file)?;
    let number = text.split_ascii_whitespace().nth(1).and_then(|number| number.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("{file} reads '{text}'")))
}
