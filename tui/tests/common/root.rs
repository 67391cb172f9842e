//! What tests on the live kernel need to run: root, and who may run beside them.
//!
//! Does not know what is tested.

use std::fs::File;

/// Whether a test may run beside others.
#[derive(Clone, Copy)]
pub(crate) enum Company {
    /// It may.
    Any,
    /// It loads the machine, or counts what all of it does.
    None,
}

/// What a test holds while it runs; `None` when it cannot run here, which it has then said. Tests of other checkouts on
/// the same machine are kept away as well.
pub(crate) fn enter(company: Company) -> Option<File> {
    if !nix::unistd::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "tests on the live kernel need root, and must not be skipped in CI");
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
