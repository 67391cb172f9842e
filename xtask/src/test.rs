//! `cargo xtask test`: every test of the workspace.

use anyhow::Result;

use crate::process;

/// `cargo test --workspace` with `args` behind it.
pub(crate) fn run(args: &[String]) -> Result<()> {
    process::run(process::cargo(["test", "--workspace"])?.args(args))
}

/// The same, where a test that cannot run here fails: `CI` tells them.
pub(crate) fn without_exception() -> Result<()> {
    process::run(process::cargo(["test", "--workspace"])?.env("CI", "true"))
}
