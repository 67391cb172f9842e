//! `cargo xtask soak`: the soak of the screen, in release; what it does is in `tui/examples/soak`.

use anyhow::Result;

use crate::process;

/// Runs it with `args`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    process::run(process::cargo(["run", "--release", "--package", "ptree-tui", "--example", "soak", "--"])?.args(args))
}
