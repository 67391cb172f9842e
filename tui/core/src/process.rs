//! A process as the tree keeps it: what is known of it now, and after its end.
//!
//! Does not know its place in the graph; see [`Tree`](crate::Tree) for parents and children.

use std::sync::Arc;

use crate::event::{Argv, Comm, Cost, Creds, ExitStatus, ProcKey, Task};

/// A program that ran in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// When it was started; `None` for one that was running before we were.
    pub since_ns: Option<u64>,
    /// Path as given to execve, or of the program file for one that was running before.
    pub filename: Option<Arc<[u8]>>,
    /// Arguments.
    pub argv: Option<Argv>,
    /// More arguments than were captured.
    pub argv_truncated: bool,
}

/// How a process came to be in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Running when capture began.
    Found,
    /// Its fork was seen.
    Forked,
    /// Known by its exec or exit, or found by repair: its fork was lost.
    Inferred,
}

/// Alive or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Alive.
    Running,
    /// Its last thread has ended.
    Exited {
        /// When; for an inferred end or a zombie found at start, when it was noticed.
        at_ns: u64,
        /// How.
        status: ExitStatus,
        /// Nobody saw it happen: the time is an upper bound.
        inferred: bool,
    },
}

/// Everything known of one process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Identity.
    pub key: ProcKey,
    /// Who forked it, for good; for one found running, its parent when found. `None` when not known.
    pub forker: Option<ProcKey>,
    /// How many dead ancestors between it and its parent in the tree were left out to bound memory, its forker the last
    /// of them; 0 where it hangs under its forker.
    pub generations_left_out: u32,
    /// Its parent as the kernel sees it, last we heard.
    pub kernel_parent: Option<ProcKey>,
    /// How it got here.
    pub origin: Origin,
    /// Name.
    pub comm: Comm,
    /// Credentials.
    pub creds: Creds,
    /// A kernel thread.
    pub kernel: bool,
    /// Id of its cgroup in the unified hierarchy.
    pub cgroup_id: Option<u64>,
    /// Path of its cgroup, where known.
    pub cgroup: Option<Arc<[u8]>>,
    /// Inode number of its pid namespace.
    pub pid_ns: Option<u32>,
    /// Its pid within that namespace.
    pub ns_pid: Option<u32>,
    /// Threads; for a dead process 0.
    pub threads: u32,
    /// Programs it ran, oldest first, at most [`Process::IMAGES_MAX`] (the first and the latest are kept; of those
    /// between at most [`Process::PAST_ARGV_MAX`] of the arguments). Empty for a fork that never execed: it runs its
    /// forker's program.
    pub images: Vec<Image>,
    /// The program it was forked with, until its first exec; `None` where the forker or its program was not known.
    pub inherited: Option<Box<Image>>,
    /// Execs seen, more than `images` holds for a long chain.
    pub execs: u32,
    /// Alive or how it ended.
    pub life: Lifecycle,
    /// Cost: at its end complete, before that CPU time alone as last measured.
    pub cost: Cost,
    /// Resident set as last measured while alive, bytes.
    pub rss_bytes: Option<u64>,
    /// Share of one CPU between the last two measurements: 1.0 is one CPU.
    pub cpu_share: f32,
    /// When `cost.cpu_ns` was last measured; 0 for never.
    pub measured_ns: u64,
    /// Run state as last measured; `?` before that.
    pub state: char,
    /// When name, credentials and kernel's parent were last heard of: what is older does not change them.
    pub as_of_ns: u64,
    /// Children forked, ever.
    pub spawned: u64,
}

impl Process {
    /// Programs kept of one process.
    pub const IMAGES_MAX: usize = 16;
    /// Bytes of arguments kept of a program that is neither its first nor its latest.
    pub const PAST_ARGV_MAX: usize = 1024;

    /// A living process as a kernel record of `ts_ns` shows it.
    pub(crate) fn new(task: &Task, forker: ProcKey, origin: Origin, ts_ns: u64) -> Self {
        Self {
            key: task.key,
            forker: Some(forker),
            generations_left_out: 0,
            kernel_parent: Some(task.parent),
            origin,
            comm: task.comm,
            creds: task.creds,
            kernel: task.kernel,
            cgroup_id: task.cgroup_id,
            cgroup: None,
            pid_ns: task.pid_ns,
            ns_pid: task.ns_pid,
            threads: task.threads,
            images: Vec::new(),
            inherited: None,
            execs: 0,
            life: Lifecycle::Running,
            cost: Cost::default(),
            rss_bytes: None,
            cpu_share: 0.0,
            measured_ns: 0,
            state: '?',
            as_of_ns: ts_ns,
            spawned: 0,
        }
    }

    /// Adds the program that it runs now, and shortens what is kept of those before, so that a chain of long command
    /// lines stays small.
    pub(crate) fn start_program(&mut self, image: Image) {
        if self.images.len() == Self::IMAGES_MAX {
            self.images.remove(1);
        }
        if let Some(past) = self.images.iter_mut().skip(1).next_back()
            && let Some(short) = past.argv.as_ref().and_then(|argv| argv.shortened(Self::PAST_ARGV_MAX))
        {
            past.argv = Some(short);
            past.argv_truncated = true;
        }
        self.images.reserve_exact(1);
        self.images.push(image);
        self.inherited = None;
    }

    /// Whether it is alive.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        matches!(self.life, Lifecycle::Running)
    }

    /// Its latest program, of those it started itself or was found with.
    #[must_use]
    pub fn image(&self) -> Option<&Image> {
        self.images.last()
    }

    /// The program it runs, or ran at its end: its latest, or the one its forker ran when it was forked.
    #[must_use]
    pub fn program(&self) -> Option<&Image> {
        self.image().or(self.inherited.as_deref())
    }

    /// How long it has lived at `now_ns`, or lived; never negative (I8).
    #[must_use]
    pub const fn lifetime_ns(&self, now_ns: u64) -> u64 {
        let end = match self.life {
            Lifecycle::Running => now_ns,
            Lifecycle::Exited { at_ns, .. } => at_ns,
        };
        end.saturating_sub(self.key.start_ns)
    }

    /// How it ended, if it has.
    #[must_use]
    pub const fn exit_status(&self) -> Option<ExitStatus> {
        match self.life {
            Lifecycle::Running => None,
            Lifecycle::Exited { status, .. } => Some(status),
        }
    }

    /// Whether the kernel's parent is another than who forked it.
    #[must_use]
    pub fn is_reparented(&self) -> bool {
        matches!((self.forker, self.kernel_parent), (Some(a), Some(b)) if a != b)
    }
}
