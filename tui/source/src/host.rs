//! This machine: its name, kernel, boot and clocks.

mod timens;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use nix::sys::utsname::uname;
use nix::time::{ClockId, clock_gettime};

pub use self::timens::TimeNamespace;
use crate::{Header, TimeAnchor};

/// Inode number of the initial pid namespace (`PROC_PID_INIT_INO`, a kernel ABI).
const INIT_PID_NS: u32 = 0xefff_fffc;

/// Inode number of the initial user namespace (`PROC_USER_INIT_INO`).
const INIT_USER_NS: u64 = 0xefff_fffd;

/// Describes this machine, now.
#[must_use]
pub fn header(version: &str) -> Header {
    let read = |path| fs::read_to_string(path).map(|text| text.trim_end().to_owned()).unwrap_or_default();
    Header {
        version: version.to_owned(),
        host: nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        kernel: release(),
        boot_id: read("/proc/sys/kernel/random/boot_id"),
        anchor: anchor(),
        degraded: Vec::new(),
    }
}

/// What both clocks show now: as nearly at one moment as can be had in a few tries.
#[must_use]
pub fn anchor() -> TimeAnchor {
    let read = || {
        let before_ns = boottime_ns();
        let unix_ns = now_ns(ClockId::CLOCK_REALTIME);
        let took_ns = boottime_ns().saturating_sub(before_ns);
        (took_ns, TimeAnchor { boottime_ns: before_ns + took_ns / 2, unix_ns })
    };
    let mut best = read();
    for _ in 0..4 {
        // Undisturbed, it is much less.
        if best.0 < 10_000 {
            break;
        }
        let other = read();
        if other.0 < best.0 {
            best = other;
        }
    }
    best.1
}

/// The kernel's release. /proc is asked first, since a process may have `uname` tell it another.
#[must_use]
pub fn release() -> String {
    match fs::read_to_string("/proc/sys/kernel/osrelease") {
        Ok(release) => release.trim_end().to_owned(),
        Err(_) => uname().map(|name| name.release().to_string_lossy().into_owned()).unwrap_or_default(),
    }
}

/// The first two numbers of a kernel's release.
pub(crate) fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// How far the starts of processes in /proc are ahead of the kernel's own boot time, nanoseconds. Before 5.11 it told
/// them so in every time namespace.
pub(crate) fn starts_ahead_ns() -> i64 {
    const ADJUSTED: (u32, u32) = (5, 11);
    // Asked for each process: neither changes.
    static AHEAD: OnceLock<i64> = OnceLock::new();
    *AHEAD.get_or_init(|| if version(&release()) < ADJUSTED { 0 } else { TimeNamespace::own().ahead_ns() })
}

/// Time since boot, nanoseconds: the kernel's own `CLOCK_BOOTTIME`, which all records and events go by, whatever the clock
/// shows in our time namespace.
#[must_use]
pub fn boottime_ns() -> u64 {
    kernels_ns(now_ns(ClockId::CLOCK_BOOTTIME), TimeNamespace::own().ahead_ns())
}

/// Boot time as our time namespace shows it, in clocks and in /proc, from the kernel's, nanoseconds. What was before that
/// clock began wraps around, as it does in /proc.
#[must_use]
pub(crate) const fn shown_ns(kernels_ns: u64, ahead_ns: i64) -> u64 {
    kernels_ns.wrapping_add_signed(ahead_ns)
}

/// The other way round.
#[must_use]
pub(crate) const fn kernels_ns(shown_ns: u64, ahead_ns: i64) -> u64 {
    shown_ns.wrapping_sub(ahead_ns.cast_unsigned())
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

/// Our own pid namespace, once it is known: a process never changes it.
static NAMESPACE: OnceLock<u32> = OnceLock::new();

/// Inode number of our own pid namespace, where it can be told.
#[must_use]
pub fn pid_namespace() -> Option<u32> {
    if NAMESPACE.get().is_none()
        && let Some(inode) = namespace("pid", "pid")
    {
        return Some(*NAMESPACE.get_or_init(|| inode));
    }
    NAMESPACE.get().copied()
}

/// Inode number of the namespace of this kind that the link of this name in our `ns` leads to.
fn namespace(link: &str, kind: &str) -> Option<u32> {
    let target = fs::read_link(format!("/proc/self/ns/{link}")).ok()?;
    target.to_str()?.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

/// Tells the pid namespaces of the processes that the task iterator has shown: those of ours and of those below. So one of
/// the initial namespace among them is of ours. Of use only where /proc does not tell.
pub(crate) fn learn_pid_namespace(mut shown: impl Iterator<Item = Option<u32>>) {
    if pid_namespace().is_none() && shown.any(|namespace| namespace == Some(INIT_PID_NS)) {
        NAMESPACE.get_or_init(|| INIT_PID_NS);
    }
}

/// Whether this process sees all pids: the task iterator shows the processes of the reader's pid namespace only.
#[must_use]
pub fn in_initial_pid_namespace() -> bool {
    pid_namespace() == Some(INIT_PID_NS)
}

/// Whether /sys is mounted.
#[must_use]
pub fn shows_sys() -> bool {
    Path::new("/sys/kernel").exists()
}

/// Whether capabilities count with the kernel for what is not of a namespace: those of another user namespace than the
/// initial one do not. Without /proc that cannot be told, and it is taken for the initial one.
#[must_use]
pub fn in_initial_user_namespace() -> bool {
    fs::metadata("/proc/self/ns/user").map_or(true, |namespace| namespace.ino() == INIT_USER_NS)
}
