//! This machine: its name, kernel, boot and clocks.

use std::fs;
use std::sync::OnceLock;

use nix::time::{ClockId, clock_gettime};

use crate::{Header, TimeAnchor};

/// Inode number of the initial pid namespace (`PROC_PID_INIT_INO`, a kernel ABI).
const INIT_PID_NS: u32 = 0xefff_fffc;

/// Describes this machine, now.
#[must_use]
pub fn header(version: &str) -> Header {
    let read = |path| fs::read_to_string(path).map(|text| text.trim_end().to_owned()).unwrap_or_default();
    Header {
        version: version.to_owned(),
        host: nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        kernel: read("/proc/sys/kernel/osrelease"),
        boot_id: read("/proc/sys/kernel/random/boot_id"),
        anchor: TimeAnchor { boottime_ns: boottime_ns(), unix_ns: now_ns(ClockId::CLOCK_REALTIME) },
        degraded: Vec::new(),
    }
}

/// `CLOCK_BOOTTIME`, nanoseconds.
#[must_use]
pub fn boottime_ns() -> u64 {
    now_ns(ClockId::CLOCK_BOOTTIME)
}

fn now_ns(clock: ClockId) -> u64 {
    // Neither clock can be missing on a kernel that runs eBPF.
    clock_gettime(clock).map_or(0, |time| {
        u64::try_from(time.tv_sec()).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec()).unwrap_or(0)
    })
}

/// Bytes of a memory page.
#[must_use]
pub fn page_size() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| u64::try_from(size).ok())
        .unwrap_or(4096)
}

/// The mode of kernel lockdown: `none`, `integrity` or `confidentiality`; `None` where it cannot be read.
#[must_use]
pub fn lockdown() -> Option<String> {
    let modes = fs::read_to_string("/sys/kernel/security/lockdown").ok()?;
    modes.split(['[', ']']).nth(1).map(str::to_owned)
}

/// Inode number of our own pid namespace, where it can be read.
#[must_use]
pub fn pid_namespace() -> Option<u32> {
    // A process never changes its own.
    static NAMESPACE: OnceLock<Option<u32>> = OnceLock::new();
    *NAMESPACE.get_or_init(|| {
        let link = fs::read_link("/proc/self/ns/pid").ok()?;
        link.to_str()?.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok()
    })
}

/// Whether this process sees all pids: the task iterator shows the processes of the reader's pid namespace only.
#[must_use]
pub fn in_initial_pid_namespace() -> bool {
    pid_namespace() == Some(INIT_PID_NS)
}
