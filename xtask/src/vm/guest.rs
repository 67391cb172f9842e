//! What runs in the machines: our programs, built without any library to be found, busybox, and the plan of steps.
//!
//! Does not know how machines are booted.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::initramfs::Initramfs;
use crate::process;

/// For programs that run wherever there is a kernel.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-musl";
/// What the live tests call of busybox, and we.
const APPLETS: [&str; 6] = ["env", "mount", "sh", "sleep", "true", "unshare"];
/// Live tests that make no sense in there: they need other programs.
const SKIP: [&str; 1] = ["snapshot::as_dot_that_graphviz_draws"];

/// Names of the steps.
pub(super) mod step {
    /// `ptree-tui doctor --json`.
    pub(in super::super) const DOCTOR: &str = "doctor";
    /// `ptree-tui stream` that ends at once: how long it takes to begin.
    pub(in super::super) const LOAD: &str = "load";
    /// The live tests.
    pub(in super::super) const LIVE: &str = "live";
}

/// The programs.
pub(super) struct Guest {
    busybox: PathBuf,
    init: PathBuf,
    program: PathBuf,
    workload: PathBuf,
    tests: PathBuf,
}

/// Builds them.
pub(super) fn build() -> Result<Guest> {
    let busybox = busybox()?;
    let mut cargo = process::cargo(["build", "--locked", "--release", "--target", TARGET])?;
    cargo.args(["--package", "ptree-tui", "--bin", "ptree-tui", "--test", "live", "--example", "workload"]);
    cargo.args(["--package", "xtask", "--example", "guest", "--message-format", "json-render-diagnostics"]);
    // A minute less, and nothing in there is measured.
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "off");
    let messages = process::output_shown(&mut cargo)?;
    let built = |name| executable(&messages, name).with_context(|| format!("cargo has not said where '{name}' is"));
    Ok(Guest {
        busybox,
        init: built("guest")?,
        program: built("ptree-tui")?,
        workload: built("workload")?,
        tests: built("live")?,
    })
}

impl Guest {
    /// The file system with which a machine boots.
    pub(super) fn initramfs(&self, plan: &str) -> Result<Vec<u8>> {
        let mut archive = Initramfs::default();
        for folder in ["/dev", "/proc", "/sys", "/tmp"] {
            archive.folder(folder);
        }
        archive.copy(&self.init, "/init")?;
        archive.program("/plan", plan.as_bytes());
        archive.copy(&self.busybox, "/bin/busybox")?;
        for applet in APPLETS {
            archive.link(&format!("/bin/{applet}"), "busybox");
        }
        // The tests look for the others where they were built.
        for path in [&self.program, &self.workload, &self.tests] {
            archive.copy(path, utf8(path)?)?;
        }
        Ok(archive.finish())
    }

    /// What a machine does.
    pub(super) fn plan(&self) -> String {
        let (program, tests) = (self.program.to_string_lossy(), self.tests.to_string_lossy());
        let mut live = vec!["env", "PTREE_TUI_EMULATED=1", &tests, "--test-threads=1"];
        live.extend(SKIP.iter().flat_map(|name| ["--skip", name]));
        let steps = [
            (step::DOCTOR, vec![&program, "doctor", "--json"]),
            (step::LOAD, vec![&program, "stream", "--duration", "1ms"]),
            (step::LIVE, live),
        ];
        steps.iter().map(|(name, argv)| format!("{}\n", json!({ "name": name, "argv": argv }))).collect()
    }
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("the folder '{}' has a name that is not UTF-8", path.display()))
}

/// Where cargo has put what it built.
pub(crate) fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_name = messages.filter(|message| message["target"]["name"] == name);
    of_name.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next()
}

fn busybox() -> Result<PathBuf> {
    let path = ["/bin/busybox", "/usr/bin/busybox"].iter().map(Path::new).find(|path| path.exists());
    let path = path.context("busybox is missing: run `cargo xtask setup --vm`")?;
    if needs_libraries(&std::fs::read(path)?) {
        bail!("'{}' needs libraries; run `cargo xtask setup --vm`, which installs one that does not", path.display());
    }
    Ok(path.into())
}

/// Whether an executable (ELF, 64 bits, little-endian) has a segment that names a dynamic loader.
pub(crate) fn needs_libraries(elf: &[u8]) -> bool {
    const INTERPRETER: u64 = 3;
    let number = |at: usize, len: usize| {
        let bytes = elf.get(at..at + len).unwrap_or_default();
        bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    };
    let (table, size, count) = (number(32, 8) as usize, number(54, 2) as usize, number(56, 2) as usize);
    (0..count).any(|segment| number(table + segment * size, 4) == INTERPRETER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_need_libraries_are_told_from_others() {
        let mut elf = vec![0_u8; 256];
        (elf[32], elf[54], elf[56]) = (64, 56, 2);
        assert!(!needs_libraries(&elf));
        elf[64 + 56] = 3;
        assert!(needs_libraries(&elf));
        assert!(!needs_libraries(b"#!/bin/sh"));
    }

    #[test]
    fn executables_are_found_by_the_name_of_their_target() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"live"},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"live"},"executable":"/t/live-1"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "live"), Some("/t/live-1".into()));
        assert_eq!(executable(messages, "workload"), None);
    }
}
