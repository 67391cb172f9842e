//! Whether somebody would continue us after a stop.
//!
//! The kernel discards SIGTSTP where nobody would, but not the SIGSTOP that has to take its place here.

use std::path::Path;

/// What `/proc/PID/stat` says of how a process hangs together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Job {
    state: char,
    parent: u32,
    group: u32,
    session: u32,
}

/// Whether our process group is not orphaned, as POSIX has it: one of its members has a parent in another group of the
/// same session, usually the shell. Where that cannot be found out, it is taken for orphaned.
pub(super) fn has_job_control() -> bool {
    let Some(own) = job("self") else { return false };
    let Ok(entries) = Path::new("/proc").read_dir() else { return false };
    entries
        .filter_map(|entry| job(entry.ok()?.file_name().to_str().filter(|name| name.parse::<u32>().is_ok())?))
        .filter(|member| member.group == own.group && !matches!(member.state, 'Z' | 'X'))
        .filter_map(|member| job(&member.parent.to_string()))
        .any(|parent| parent.group != own.group && parent.session == own.session)
}

fn job(pid: &str) -> Option<Job> {
    parse(&std::fs::read(Path::new("/proc").join(pid).join("stat")).ok()?)
}

/// The name, in parentheses, may hold anything; what follows the last of them does not.
fn parse(stat: &[u8]) -> Option<Job> {
    let end = stat.iter().rposition(|&b| b == b')')?;
    let mut fields = std::str::from_utf8(&stat[end + 1..]).ok()?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let mut number = || fields.next()?.parse().ok();
    Some(Job { state, parent: number()?, group: number()?, session: number()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_forge_fields() {
        let stat = b"42 (a) Z 1 1 1 (\xff) S 7 41 40 34816 41 4194304 1 2";
        assert_eq!(parse(stat), Some(Job { state: 'S', parent: 7, group: 41, session: 40 }));
        assert_eq!(parse(b"42 (cut short) S 7 41"), None);
        assert_eq!(parse(b""), None);
    }
}
