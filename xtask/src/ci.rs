//! `cargo xtask ci`: the checks of CI, the quick ones first and the tests last, up to the first that fails.
//!
//! Installs nothing: `cargo xtask setup --ci` does.

use anyhow::{Context as _, Result};

use crate::{ebpf, flag, fuzz, process, test, tidy, vm};

type Step = (&'static str, fn() -> Result<()>);

/// The tests come last, so that the output ends with their summary.
const STEPS: &[Step] = &[
    ("fmt", fmt),
    ("clippy", clippy),
    ("clippy-ebpf", ebpf::clippy),
    ("check aarch64", other_machine),
    ("tidy", || tidy::run(&[])),
    ("deny", deny),
    ("fuzz seeds", fuzz::seeds),
    ("ebpf --check", || ebpf::run(&["--check".into()])),
    ("vm --ci", || vm::run(&["--ci".into()])),
    ("test", test::without_exception),
];

/// Runs them.
pub(crate) fn run(args: &[String]) -> Result<()> {
    flag(args, None)?;
    for (number, (name, step)) in (1..).zip(STEPS) {
        eprintln!("\n=== {number}/{} {name}", STEPS.len());
        step().with_context(|| format!("CI stops at step {number} of {}, '{name}'", STEPS.len()))?;
    }
    Ok(())
}

fn fmt() -> Result<()> {
    process::run(&mut process::cargo(["fmt", "--all", "--check"])?)?;
    process::run(&mut process::cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])?)
}

fn clippy() -> Result<()> {
    // `--locked`: the lock file must be the committed one from here on.
    process::run(&mut process::cargo(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])?)
}

/// A kind of machine that nobody tests on: that it builds there is the least.
pub(crate) const OTHER_MACHINE: &str = "aarch64-unknown-linux-gnu";

fn other_machine() -> Result<()> {
    process::run(&mut process::cargo(["check", "--locked", "-p", "ptree-tui", "--target", OTHER_MACHINE])?)
        .with_context(|| format!("its standard library may be missing: `rustup target add {OTHER_MACHINE}`"))
}

fn deny() -> Result<()> {
    process::output(&mut process::cargo(["deny", "--version"])?)
        .context("cargo-deny is missing: run `cargo xtask setup --ci`")?;
    process::run(&mut process::cargo([
        "deny",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ])?)
}
