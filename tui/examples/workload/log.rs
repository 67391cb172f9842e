//! The account: one JSON object per line, each written with one call.
//!
//! Does not know situations. Numbers come from the kernel: /proc, wait status, resource usage.

use std::ffi::CString;
use std::io;
use std::os::linux::fs::MetadataExt as _;

use serde_json::{Value, json};

use crate::program::Program;
use crate::sys;

/// What /proc says of a process, in the pid namespace that /proc is mounted for: the outer one, also from within
/// another.
pub(crate) struct Stat {
    pub(crate) pid: i32,
    pub(crate) ppid: i32,
    /// Start on the boot clock, hundredths of a second.
    pub(crate) start_ticks: u64,
}

/// Reads `/proc/PID/stat`; `self` is a PID here.
pub(crate) fn stat(pid: &str) -> io::Result<Stat> {
    let text = stat_text(pid)?;
    let fields = || {
        let pid = text.split(' ').next()?.parse().ok()?;
        // The name is in parentheses and may hold anything, parentheses included.
        let rest: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
        Some(Stat { pid, ppid: rest.get(1)?.parse().ok()?, start_ticks: rest.get(19)?.parse().ok()? })
    };
    fields().ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat reads '{text}'")))
}

fn stat_text(pid: &str) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/stat"))?).into_owned())
}

/// Logs this process, which is in a pid namespace of its own: while /proc is still that of the outer one.
pub(crate) fn own_birth(forker: i32) -> io::Result<()> {
    let pid_ns = std::fs::metadata("/proc/self/ns/pid")?.st_ino();
    birth(&stat("self")?, forker, json!({"ns_pid": std::process::id(), "pid_ns": pid_ns}))
}

/// Writes one line.
pub(crate) fn line(value: &Value) -> io::Result<()> {
    let text = format!("{value}\n");
    #[expect(clippy::disallowed_methods, reason = "no part of the program")]
    let stdout = io::stdout();
    match nix::unistd::write(stdout, text.as_bytes())? {
        written if written == text.len() => Ok(()),
        written => Err(io::Error::other(format!("{written} bytes written of {}", text.len()))),
    }
}

/// Logs this process, which the account is about.
pub(crate) fn this() -> io::Result<()> {
    let stat = stat("self")?;
    line(&json!({"type": "self", "pid": stat.pid, "start_ticks": stat.start_ticks}))
}

/// Logs that there is nothing left to do until told.
pub(crate) fn settled() -> io::Result<()> {
    line(&json!({"type": "settled"}))
}

/// Logs a process that this one has made and not yet waited for.
pub(crate) fn fork(pid: i32) -> io::Result<()> {
    birth(&stat(&pid.to_string())?, stat("self")?.pid, json!({}))
}

/// Logs a process by what /proc says of it, its forker, and what else is known of it.
pub(crate) fn birth(child: &Stat, forker: i32, more: Value) -> io::Result<()> {
    let mut fork = json!({"type": "fork", "pid": child.pid, "start_ticks": child.start_ticks, "ppid": forker});
    if child.ppid != forker {
        fork["kernel_ppid"] = child.ppid.into();
    }
    if let (Value::Object(fork), Value::Object(more)) = (&mut fork, more) {
        fork.extend(more);
    }
    line(&fork)
}

/// Logs a program about to be started, or just started, in a process.
pub(crate) fn exec(pid: i32, program: &Program) -> io::Result<()> {
    // The kernel makes one empty argument of none at all (since 5.18, when the latter had led to an exploit).
    let none = [CString::default()];
    let argv = if program.argv.is_empty() { &none[..] } else { &program.argv };
    let argv: Vec<String> = argv.iter().map(|arg| hex(arg.as_bytes())).collect();
    line(&json!({"type": "exec", "pid": pid, "filename": program.path.to_string_lossy(), "argv": argv}))
}

/// Waits for a child to end and logs how.
pub(crate) fn wait(pid: i32) -> io::Result<()> {
    sys::wait_ended(pid)?;
    let stat = stat(&pid.to_string())?;
    let zombie = stat_text(&pid.to_string())?;
    let (status, usage) = sys::wait4(pid)?;
    let micros = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
    let mut exit = json!({
        "type": "exit",
        "pid": stat.pid,
        "start_ticks": stat.start_ticks,
        "ppid": stat.ppid,
        // Of the process and of those it has waited for.
        "cpu_us": micros(usage.ru_utime) + micros(usage.ru_stime),
        "user_us": micros(usage.ru_utime),
        "system_us": micros(usage.ru_stime),
        "max_rss_kib": usage.ru_maxrss,
        "minor_faults": usage.ru_minflt,
        // Of the process alone, when it had ended.
        "stat": zombie,
    });
    if libc::WIFSIGNALED(status) {
        exit["signal"] = libc::WTERMSIG(status).into();
        exit["core"] = libc::WCOREDUMP(status).into();
    } else {
        exit["code"] = libc::WEXITSTATUS(status).into();
    }
    line(&exit)
}

/// Logs the end of this process, which is about to come, for want of anybody here who could ask.
pub(crate) fn own_exit(code: u8) -> io::Result<()> {
    let stat = stat("self")?;
    line(&json!({
        "type": "exit", "pid": stat.pid, "start_ticks": stat.start_ticks, "ppid": stat.ppid, "code": code,
    }))
}

/// Bytes as the log writes them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
