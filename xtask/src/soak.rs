//! `cargo xtask soak`: the soak of the screen, as released; what it does is in `tui/examples/soak`.

use anyhow::Result;

use crate::process;

/// Runs it with `args`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    process::run(
        process::cargo(["run", "--profile", "bench", "--package", "ptree-tui", "--example", "soak", "--"])?.args(args),
    )
}
