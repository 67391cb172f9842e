//! `cargo xtask docs`: has the test of the documents write what it would compare.

use anyhow::Result;

use crate::{flag, process};

/// Renews them.
pub(crate) fn run(args: &[String]) -> Result<()> {
    flag(args, None)?;
    let mut test = process::cargo(["test", "--quiet", "--package", "ptree-tui", "--test", "documents"])?;
    process::run(test.env("PTREE_RENEW", "1"))
}
