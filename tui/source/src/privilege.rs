//! What the kernel asks of those who load tracing programs, and whether we have it.

use std::fmt;

/// A capability that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Loading tracing programs (5.8 and later).
    Perfmon = 38,
    /// Loading any program (5.8 and later).
    Bpf = 39,
    /// Stands for both of the above.
    SysAdmin = 21,
    /// Reading the program paths of other users' processes.
    SysPtrace = 19,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Perfmon => "CAP_PERFMON",
            Self::Bpf => "CAP_BPF",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::SysPtrace => "CAP_SYS_PTRACE",
        })
    }
}

/// The effective capabilities of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(u64);

impl Capabilities {
    /// Those of this thread; none where the kernel does not tell.
    #[must_use]
    pub fn effective() -> Self {
        Self(rustix::thread::capabilities(None).map_or(0, |sets| sets.effective.bits()))
    }

    /// Whether this one is held.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u32) != 0
    }

    /// What is missing to load and attach; empty when it can be done.
    #[must_use]
    pub fn missing(self) -> Vec<Capability> {
        if self.has(Capability::SysAdmin) {
            return Vec::new();
        }
        [Capability::Bpf, Capability::Perfmon].into_iter().filter(|&capability| !self.has(capability)).collect()
    }
}

/// Path of this program, for whoever wants to give it capabilities.
#[must_use]
pub fn program() -> String {
    std::env::current_exe().map_or_else(|_| "ptree-tui".to_owned(), |path| ptree_core::text::path(&path))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Whether a test may load programs into the kernel. Where it may not, it is skipped, and says so.
    pub(crate) fn may_capture() -> bool {
        let may = Capabilities::effective().missing().is_empty();
        if !may {
            eprintln!("SKIPPED: a test that needs CAP_BPF and CAP_PERFMON");
            assert!(std::env::var_os("CI").is_none(), "CI must have the privilege");
        }
        may
    }

    #[test]
    fn sys_admin_stands_for_both() {
        let of = |mask: u64| Capabilities(mask).missing();
        assert_eq!(of(1 << 21), []);
        assert_eq!(of(1 << 38 | 1 << 39), []);
        assert_eq!(of(1 << 38), [Capability::Bpf]);
        assert_eq!(of(0), [Capability::Bpf, Capability::Perfmon]);
    }

    #[test]
    fn what_the_kernel_says_is_what_stands_in_proc() {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
        assert_eq!(Capabilities::effective(), Capabilities(u64::from_str_radix(mask.trim(), 16).unwrap()));
    }
}
