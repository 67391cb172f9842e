//! The program against the running kernel: what `stream` and `snapshot` say is compared with what the workload logged
//! that it did, with /proc, and with the kernel's own counters.
//!
//! Needs root and a kernel with BTF. Without root each test says that it was skipped; where `CI` is set that is a
//! failure, since nobody would notice. Nothing here depends on how fast things go: what has to happen is waited for.
//! `cargo xtask vm` runs the same tests on other kernels, in emulated machines: see [`emulated`].
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking, their helpers as well")]

mod account;
mod attach;
mod belonging;
mod capture;
mod cgroups;
mod command_line;
mod degraded;
mod facts;
mod killers;
mod paths;
mod proc;
#[path = "../common/pty.rs"]
mod pty;
mod situations;
mod snapshot;
mod storm;
mod time_namespace;
mod users;
mod workload;
mod zombies;

#[path = "../common/root.rs"]
mod root;

use self::root::{Company, enter};

/// Whether this machine is an emulated one. It is slow, and what a process costs depends on when it is interrupted: then
/// storms are short, more patience is had, and no CPU time is said to be too little.
fn emulated() -> bool {
    std::env::var_os("PTREE_TUI_EMULATED").is_some()
}
