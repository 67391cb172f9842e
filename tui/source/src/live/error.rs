//! What can keep the kernel from being captured, each with what to do about it.

use std::io;
use std::time::Duration;

use aya::maps::MapError;
use aya::programs::ProgramError;

use crate::btf::BtfError;
use crate::layout::VitalMissing;
use crate::limits::{Explained, Lack, LimitError};
use crate::privilege::{self, Capability};

/// Oldest kernel: ring buffers, task iterators and CAP_BPF came with it.
pub(super) const FLOOR: (u32, u32) = (5, 8);

/// Why the kernel cannot be captured.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Not root, and not the capabilities.
    #[error(
        "no permission to load eBPF programs: {} missing\n  run it as root:            sudo {program}\n  or \
         give it what it needs:  sudo setcap cap_bpf,cap_perfmon+ep {program}",
        list(.missing)
    )]
    Privilege {
        /// What is not there.
        missing: Vec<Capability>,
        /// Path of this program.
        program: String,
    },
    /// It has the capabilities, yet the kernel says no.
    #[error(
        "the kernel refused the eBPF programs with 'Operation not permitted' although the capabilities are there: they \
         may be of a user namespace only, or a container's seccomp filter or kernel lockdown may forbid it. Run it as \
         root on the host; on kernels before 5.11 raise the locked memory as well ('ulimit -l unlimited')"
    )]
    Forbidden,
    /// The kernel has no type information, or does not show it.
    #[error(
        "'{path}': {source}; ptree-tui needs the BTF of a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' \
         are since 2021. If this one is, and only does not show it here, give a copy with --btf FILE"
    )]
    NoBtf {
        /// Where it was looked for.
        path: String,
        /// What came of it.
        source: io::Error,
    },
    /// The file that was given cannot be read.
    #[error(
        "'{path}' cannot be read: {source}; give a copy of this kernel's '/sys/kernel/btf/vmlinux' with --btf FILE"
    )]
    BtfFile {
        /// Its path.
        path: String,
        /// What came of it.
        source: io::Error,
    },
    /// The file that was given may be made up by somebody with less privilege than we have.
    #[error(
        "the BTF in '{path}' is not taken from {caller}: {doubt}. It steers what is read of the kernel's memory, so it has \
         to be root's, in folders of root, and not to be written by anybody else"
    )]
    UntrustedBtf {
        /// Its path.
        path: String,
        /// Who gave it.
        caller: String,
        /// Why it is not to be trusted.
        doubt: String,
    },
    /// The file that was given is not what the kernel shows of itself.
    #[error(
        "the BTF in '{0}' is not of the kernel that runs here: its '/sys/kernel/btf/vmlinux' is another. Leave --btf out"
    )]
    OtherBtf(String),
    /// The file that was given does not suit the kernel, which does not show its own.
    #[error(
        "the BTF in '{path}' seems to be of another kernel than runs here: {why}. Give a copy of this very kernel's \
         '/sys/kernel/btf/vmlinux'"
    )]
    DoubtfulBtf {
        /// Its path.
        path: String,
        /// What makes it look so.
        why: String,
    },
    /// Locked down so far that kernel memory may not be read.
    #[error(
        "the kernel is locked down in mode 'confidentiality', which forbids reading kernel memory; boot with \
         'lockdown=integrity'"
    )]
    Lockdown,
    /// Its type information cannot be read.
    #[error("the BTF in '{path}' cannot be used: {source}")]
    Btf {
        /// Its file.
        path: String,
        /// What is wrong with it.
        source: BtfError,
    },
    /// It is of another kind of machine.
    #[error("the BTF in '{0}' is of a machine with another byte order or size of pointers; give that of this kernel")]
    ForeignBtf(String),
    /// aya cannot read its type information.
    #[error("the BTF in '{path}' cannot be used: {source}")]
    AyaBtf {
        /// Its file.
        path: String,
        /// What aya said.
        source: Box<aya::BtfError>,
    },
    /// A member that cannot be done without.
    #[error("{0}; please report it with the output of 'ptree-tui doctor --layout'")]
    Layout(#[from] VitalMissing),
    /// Older than what is needed.
    #[error(
        "kernel '{release}' is too old: ptree-tui needs Linux {}.{} or newer, built with CONFIG_DEBUG_INFO_BTF=y",
        FLOOR.0,
        FLOOR.1
    )]
    TooOld {
        /// Its release.
        release: String,
    },
    /// Not a size that the kernel takes.
    #[error(transparent)]
    RingSize(#[from] RingSizeError),
    /// The kernel would not give so much memory.
    #[error("the kernel has no memory for a ring buffer of {bytes} bytes ({source}); give a smaller --ring-buffer")]
    RingTooLarge {
        /// What was asked for.
        bytes: u32,
        /// What the kernel said.
        source: io::Error,
    },
    /// The verifier did not like a program.
    #[error(
        "the kernel refused the eBPF program '{program}' ({source}). Please report it with your kernel's release; the \
         end of the verifier's log:\n{log_end}"
    )]
    Refused {
        /// Name of the program.
        program: &'static str,
        /// What the kernel said.
        source: io::Error,
        /// Last lines of the log, indented.
        log_end: String,
    },
    /// A test wants to see what comes of it.
    #[error("eBPF program '{0}': taken for refused, since --pretend-missing says so")]
    Pretended(&'static str),
    /// Something else went wrong with the programs.
    #[error("eBPF program '{program}': {}", Explained(.source))]
    Program {
        /// Name of the program.
        program: &'static str,
        /// What aya said.
        source: Box<ProgramError>,
    },
    /// The object does not hold what it should.
    #[error("the eBPF object lacks '{0}': this is a broken build")]
    Object(&'static str),
    /// Something went wrong with the object.
    #[error("the eBPF object cannot be loaded: {}", Explained(.0))]
    Load(#[source] Box<aya::EbpfError>),
    /// A map could not be used.
    #[error("eBPF map: {}", Explained(.0))]
    Map(#[from] MapError),
    /// The iterator's file or the ring buffer could not be read.
    #[error("reading {what}: {}", Explained(.source))]
    Read {
        /// From where.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// A limit on this process is too low.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Its capabilities are those of a user namespace.
    #[error(
        "this is a user namespace, and the capabilities that it gives do not count with the kernel for eBPF: run \
         ptree-tui outside of it, or in a container that shares the host's (not a rootless one)"
    )]
    UserNamespace,
    /// What is in /sys cannot be read: how many CPUs there are, or the BTF.
    #[error("'{path}': {source}; /sys is needed: mount it with 'mount -t sysfs sysfs /sys'")]
    NoSys {
        /// What was to be read.
        path: &'static str,
        /// What came of it.
        source: io::Error,
    },
    /// No pass was possible for long.
    #[error("for {} s, all processes could not be looked at, in {tries} tries: {source}", .lasted.as_secs())]
    Passes {
        /// For how long.
        lasted: Duration,
        /// How often it was tried.
        tries: u32,
        /// What the last one said.
        source: Box<Self>,
    },
}

/// Not a size for a ring buffer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ring buffer size {bytes} is not a power of two from {min} to {max} bytes; try '{nearest}'")]
pub struct RingSizeError {
    pub(super) bytes: u64,
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) nearest: String,
}

impl LiveError {
    pub(super) fn privilege(missing: Vec<Capability>) -> Self {
        Self::Privilege { missing, program: privilege::program() }
    }

    /// Whether more privilege is what it takes.
    #[must_use]
    pub const fn is_privilege(&self) -> bool {
        matches!(self, Self::Privilege { .. } | Self::Forbidden | Self::Lockdown | Self::UserNamespace)
    }

    /// Whether it comes of what there is too little of at the moment: later, the same may succeed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        Lack::of(self).is_some()
    }

    pub(super) fn program(program: &'static str, error: ProgramError) -> Self {
        match error {
            ProgramError::LoadError { io_error, .. }
                if io_error.kind() == io::ErrorKind::PermissionDenied
                    && io_error.raw_os_error() == Some(nix::errno::Errno::EPERM as i32) =>
            {
                Self::Forbidden
            }
            ProgramError::LoadError { io_error, verifier_log } => {
                let log = verifier_log.to_string();
                let lines: Vec<&str> = log.lines().collect();
                let end = &lines[lines.len().saturating_sub(15)..];
                let log_end =
                    end.iter().map(|line| format!("  {}\n", ptree_core::text::escape(line.as_bytes()))).collect();
                Self::Refused { program, source: io_error, log_end }
            }
            source => Self::Program { program, source: Box::new(source) },
        }
    }

    /// The ring buffer is there, but could not be mapped.
    pub(super) fn ring(error: MapError, ring_bytes: u32) -> Self {
        match error {
            MapError::SyscallError(error)
                if error.io_error.raw_os_error() == Some(nix::errno::Errno::ENOMEM as i32) =>
            {
                Self::RingTooLarge { bytes: ring_bytes, source: error.io_error }
            }
            error => Self::Map(error),
        }
    }

    pub(super) fn object(error: aya::EbpfError, ring_bytes: u32) -> Self {
        match error {
            aya::EbpfError::MapError(MapError::CreateError { name, io_error }) => match io_error.raw_os_error() {
                Some(code) if code == nix::errno::Errno::EPERM as i32 => Self::Forbidden,
                _ if name == super::load::EVENTS => Self::RingTooLarge { bytes: ring_bytes, source: io_error },
                _ => Self::Load(Box::new(aya::EbpfError::MapError(MapError::CreateError { name, io_error }))),
            },
            error => Self::Load(Box::new(error)),
        }
    }
}

fn list(missing: &[Capability]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
