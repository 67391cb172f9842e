//! Our time namespace: how far the boot-time clock that we are shown is ahead of the kernel's own, which all records go by.
//!
//! The kernel tells the offsets of the namespace that a process's children will be in. It becomes the process's own with
//! an exec, so the two differ only between an `unshare` and that.

use std::fs;
use std::sync::OnceLock;

/// Inode number of the initial time namespace (`PROC_TIME_INIT_INO`, a kernel ABI).
const INIT_TIME_NS: u32 = 0xefff_fffa;

/// What is known of our time namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeNamespace {
    /// The initial one, or this kernel has none: clocks are the kernel's.
    Initial,
    /// Another one, whose boot-time clock is so far ahead of the kernel's, nanoseconds; below zero when it is behind.
    Ahead(i64),
    /// Another one, of which the kernel does not tell.
    Unknown,
}

impl TimeNamespace {
    /// Ours. A process never changes its own by anything but an exec.
    #[must_use]
    pub fn own() -> Self {
        static OWN: OnceLock<TimeNamespace> = OnceLock::new();
        *OWN.get_or_init(|| {
            let inode = |name: &str| super::namespace(name, "time");
            let offsets = fs::read_to_string("/proc/self/timens_offsets").ok();
            Self::of(inode("time"), inode("time_for_children"), offsets.as_deref())
        })
    }

    /// From the inodes of our own namespace and that of our children, and from the offsets of the latter.
    fn of(own: Option<u32>, of_children: Option<u32>, offsets: Option<&str>) -> Self {
        match (own, offsets) {
            (Some(INIT_TIME_NS), _) | (None, None) => Self::Initial,
            (_, Some(offsets)) if own == of_children => boottime_offset(offsets).map_or(Self::Unknown, Self::Ahead),
            _ => Self::Unknown,
        }
    }

    /// How far the boot-time clock is ahead, as far as that is known, nanoseconds.
    #[must_use]
    pub const fn ahead_ns(self) -> i64 {
        match self {
            Self::Ahead(ns) => ns,
            Self::Initial | Self::Unknown => 0,
        }
    }
}

/// From lines of name, seconds and nanoseconds, these never below zero: `boottime  -1  500000000` is half a second behind.
fn boottime_offset(offsets: &str) -> Option<i64> {
    let mut words = offsets.lines().find_map(|line| line.strip_prefix("boottime"))?.split_ascii_whitespace();
    let (seconds, nanos): (i64, i64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_may_be_below_zero() {
        let offset = |line: &str| boottime_offset(&format!("monotonic           7         8\n{line}\n"));
        assert_eq!(offset("boottime      1000000         0"), Some(1_000_000_000_000_000));
        assert_eq!(offset("boottime         -101 500000000"), Some(-100_500_000_000));
        assert_eq!(offset("boottime            0         0"), Some(0));
        assert_eq!(offset("boottime 9223372036854775807 0"), None);
        assert_eq!(offset("boottime 1"), None);
        assert_eq!(boottime_offset(""), None);
    }

    #[test]
    fn offsets_are_believed_where_they_are_of_our_own_namespace() {
        let offsets = Some("boottime 5 0\n");
        let of = TimeNamespace::of;
        assert_eq!(of(Some(INIT_TIME_NS), Some(INIT_TIME_NS), Some("boottime 0 0\n")), TimeNamespace::Initial);
        assert_eq!(of(Some(INIT_TIME_NS), Some(77), offsets), TimeNamespace::Initial, "they are our children's");
        assert_eq!(of(Some(77), Some(77), offsets), TimeNamespace::Ahead(5_000_000_000));
        assert_eq!(of(None, None, None), TimeNamespace::Initial, "before 5.6, or without /proc");
        for (own, of_children, offsets) in
            [(Some(77), Some(78), offsets), (Some(77), Some(77), None), (Some(77), Some(77), Some("junk"))]
        {
            assert_eq!(of(own, of_children, offsets), TimeNamespace::Unknown);
        }
        assert_eq!(TimeNamespace::Unknown.ahead_ns(), 0);
    }
}
