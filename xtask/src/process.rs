//! Running other programs: each is shown before it starts, and a failure says which it was.
//!
//! Does not know what any of them is for.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The top folder of the checkout that cargo was started for.
pub(crate) fn root() -> Result<PathBuf> {
    // Read when run, not when compiled: a target folder may be shared by several checkouts.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").context("start this program as `cargo xtask`")?;
    Ok(Path::new(&manifest).parent().context("xtask has no parent folder")?.to_path_buf())
}

/// The cargo that started this program, in the top folder.
pub(crate) fn cargo<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root()?);
    Ok(command)
}

/// Shows the command, runs it to its end and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    eprintln!("+ {line}");
    let status = command.status().with_context(|| format!("cannot start '{line}'"))?;
    if !status.success() {
        bail!("'{line}' failed: {status}");
    }
    Ok(())
}

/// What the command prints on its standard output; fails when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.output().with_context(|| format!("cannot start '{line}'"))?;
    if !output.status.success() {
        bail!("'{line}' failed: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("'{line}' printed what is not UTF-8"))
}

/// The same for a long one: it is shown before it starts, and what it says on its standard error when it says it.
pub(crate) fn output_shown(command: &mut Command) -> Result<String> {
    eprintln!("+ {}", line(command));
    let (output, mut text) = (command.stdout(Stdio::piped()).spawn(), String::new());
    let mut child = output.with_context(|| format!("cannot start '{}'", line(command)))?;
    let stdout = child.stdout.take().context("its output is not here")?;
    let read = io::BufReader::new(stdout).read_to_string(&mut text);
    let status = child.wait()?;
    if !status.success() {
        bail!("'{}' failed: {status}", line(command));
    }
    read.with_context(|| format!("'{}' printed what is not UTF-8", line(command)))?;
    Ok(text)
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_shows_what_it_said() {
        let mut shell = Command::new("/bin/sh");
        let error = output(shell.args(["-c", "echo why >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.starts_with("'sh -c ") && error.contains("3") && error.ends_with("why"), "{error}");
        assert!(run(&mut Command::new("/nonexistent/tool")).unwrap_err().to_string().contains("'tool'"));
        let shell = |script| output_shown(Command::new("/bin/sh").args(["-c", script]));
        assert_eq!(shell("echo said").unwrap(), "said\n");
        assert!(shell("exit 3").unwrap_err().to_string().contains("'sh -c exit 3'"));
    }
}
