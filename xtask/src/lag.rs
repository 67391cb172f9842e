//! `cargo xtask lag`: the program as released, on a terminal, under keys and storms; what it does is in
//! `tui/examples/lag`.

use anyhow::Result;

use crate::process;

/// Runs it with `args`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let build = ["build", "--profile", "bench", "--package", "ptree-tui", "--bins", "--example", "workload"];
    process::run(&mut process::cargo(build)?)?;
    process::run(
        process::cargo(["run", "--profile", "bench", "--package", "ptree-tui", "--example", "lag", "--"])?.args(args),
    )
}
