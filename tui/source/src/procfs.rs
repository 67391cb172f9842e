//! What only /proc knows of a process that was running before us: arguments, program, cgroup.
//!
//! Checks identity, not the bare pid: between the pass that found the process and this look its pid may have passed on.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use ptree_core::{Argv, ProcKey};

/// Nanoseconds of one clock tick in /proc: `USER_HZ` is 100 on every architecture that Rust knows.
const TICK_NS: u64 = 10_000_000;

/// What could be read; the rest is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Arguments.
    pub argv: Option<Argv>,
    /// Path of the program file.
    pub exe: Option<Arc<[u8]>>,
    /// Path of the cgroup in the unified hierarchy, or of the first hierarchy where there is none.
    pub cgroup: Option<Arc<[u8]>>,
}

/// Reads the details of a process; nothing when it has gone or its pid names another one by now.
#[must_use]
pub fn details(key: ProcKey) -> Details {
    let path = |file| format!("/proc/{}/{file}", key.pid);
    let details = Details {
        argv: fs::read(path("cmdline")).ok().filter(|bytes| !bytes.is_empty()).map(|b| Argv::from_nul_terminated(&b)),
        exe: fs::read_link(path("exe")).ok().map(|exe| exe.into_os_string().into_vec().into()),
        cgroup: fs::read(path("cgroup")).ok().and_then(|bytes| cgroup(&bytes)),
    };
    // Checked last: if the pid still names the process now, it did all along.
    if fs::read(path("stat")).is_ok_and(|stat| start_ticks(&stat) == Some(key.start_ns / TICK_NS)) {
        details
    } else {
        Details::default()
    }
}

/// Start time, in ticks, from the content of a `stat` file; the name in it may hold spaces and parentheses.
fn start_ticks(stat: &[u8]) -> Option<u64> {
    let after_name = &stat[stat.iter().rposition(|&byte| byte == b')')? + 1..];
    let field = after_name.split(|&byte| byte == b' ').filter(|field| !field.is_empty()).nth(19)?;
    str::from_utf8(field).ok()?.trim_end().parse().ok()
}

/// The path in a `cgroup` file: of hierarchy 0, which is the unified one, if it is there.
fn cgroup(bytes: &[u8]) -> Option<Arc<[u8]>> {
    let lines = || bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let line = lines().find(|line| line.starts_with(b"0::")).or_else(|| lines().next())?;
    line.splitn(3, |&byte| byte == b':').nth(2).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_stat_may_hold_anything() {
        let stat = b"42 (a) S (b) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20\n";
        assert_eq!(start_ticks(stat), Some(777));
        assert_eq!(start_ticks(b"42 (cut"), None);
    }

    #[test]
    fn the_unified_hierarchy_is_preferred() {
        assert_eq!(cgroup(b"4:cpu:/a\n0::/b:c\n").as_deref(), Some(&b"/b:c"[..]));
        assert_eq!(cgroup(b"4:cpu:/a\n").as_deref(), Some(&b"/a"[..]));
        assert_eq!(cgroup(b""), None);
    }

    #[test]
    fn another_process_under_the_same_pid_is_not_described() {
        let stat = fs::read("/proc/self/stat").unwrap();
        let start_ns = start_ticks(&stat).unwrap() * TICK_NS;
        let me = ProcKey::new(std::process::id(), start_ns);
        assert!(details(me).argv.is_some());
        assert_eq!(details(ProcKey::new(me.pid, start_ns + TICK_NS)), Details::default());
    }
}
