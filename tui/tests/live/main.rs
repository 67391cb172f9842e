//! The program against the running kernel: what `stream` and `snapshot` say is compared with what the workload logged
//! that it did, with /proc, and with the kernel's own counters.
//!
//! Needs root and a kernel with BTF. Without root each test says that it was skipped; where `CI` is set that is a
//! failure, since nobody would notice. Nothing here depends on how fast things go: what has to happen is waited for.
//! `cargo xtask vm` runs the same tests on other kernels, in emulated machines: see [`emulated`].
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking, their helpers as well")]

mod account;
mod attach;
mod capture;
mod command_line;
mod degraded;
mod killers;
mod proc;
mod situations;
mod snapshot;
mod storm;
mod workload;

use std::fs::File;

/// Whether a test may run beside others.
#[derive(Clone, Copy)]
enum Company {
    /// It may.
    Any,
    /// It loads the machine, or counts what all of it does.
    None,
}

/// Whether this machine is an emulated one. It is slow, and what a process costs depends on when it is interrupted: then
/// storms are short, more patience is had, and no CPU time is said to be too little.
fn emulated() -> bool {
    std::env::var_os("PTREE_TUI_EMULATED").is_some()
}

/// What a test holds while it runs; `None` when it cannot run here, which it has then said. Tests of other checkouts on
/// the same machine are kept away as well.
fn enter(company: Company) -> Option<File> {
    if !nix::unistd::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "the live tests need root, and must not be skipped in CI");
        eprintln!("SKIPPED (needs root): {}", std::thread::current().name().unwrap_or("a live test"));
        return None;
    }
    let lock = File::create(std::env::temp_dir().join("ptree-tui-live-tests.lock")).expect("lock file");
    match company {
        Company::Any => lock.lock_shared(),
        Company::None => lock.lock(),
    }
    .expect("lock");
    Some(lock)
}
