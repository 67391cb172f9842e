//! `cargo xtask tidy`: the rules that neither the compiler nor clippy knows. This file gathers the files and reports;
//! each rule is a function from text to [`Finding`]s in a module of its own.

mod code;
mod docs;
mod layers;
mod modules;
mod style;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{flag, process};

/// A file of the repository.
struct File {
    /// From the top folder, with slashes.
    path: String,
    bytes: Vec<u8>,
}

/// Something to mend.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    message: String,
    /// A warning is shown, but fails nothing.
    warning: bool,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into(), warning: false }
    }
}

/// Checks every file that git tracks or would track.
pub(crate) fn run(args: &[String]) -> Result<()> {
    flag(args, None)?;
    let files = files(&process::root()?)?;
    let findings = check(&files);
    for Finding { path, line, message, warning } in &findings {
        let level = if *warning { "warning: " } else { "" };
        eprintln!("{path}:{line}: {level}{message}");
    }
    for circle in modules::circles(&files) {
        eprintln!("largest circle of imports in {circle}");
    }
    match findings.iter().filter(|finding| !finding.warning).count() {
        0 => {
            eprintln!("tidy: {} files in order", files.len());
            Ok(())
        }
        count => bail!("tidy: {count} to mend"),
    }
}

fn files(root: &Path) -> Result<Vec<File>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let list = process::output(Command::new("git").args(list).current_dir(root))?;
    // A set: during a merge git lists a file once a side.
    let paths: BTreeSet<&str> = list.split_terminator('\0').collect();
    let mut files = Vec::new();
    for path in paths {
        // Deleted but not yet committed as such: not there any more.
        if !root.join(path).is_file() {
            continue;
        }
        let bytes = fs::read(root.join(path)).with_context(|| format!("cannot read '{path}'"))?;
        files.push(File { path: path.into(), bytes });
    }
    Ok(files)
}

fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        style::machine_paths(&file.path, &file.bytes, &mut findings);
        let Ok(text) = std::str::from_utf8(&file.bytes) else { continue };
        if file.path.ends_with(".rs") {
            style::check(&file.path, text, &mut findings);
            layers::source(&file.path, text, &mut findings);
        } else if file.path.ends_with("Cargo.toml") {
            layers::manifest(&file.path, text, &mut findings);
        } else if file.path.ends_with(".md") {
            docs::links(&file.path, text, files, &mut findings);
        }
    }
    docs::changelog(files, &mut findings);
    modules::check(files, &mut findings);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_file_reaches_its_rules() {
        let file = |path: &str, text: &str| File { path: path.into(), bytes: text.into() };
        let files = [
            file("tui/core/src/clock.rs", "fn f() { let _ = std::time::Instant::now(); }\n"),
            file("tui/core/Cargo.toml", "[dependencies]\ntokio = \"1\"\n"),
            file("README.md", "[gone](gone.md)\n"),
            file("CHANGELOG.md", "# Changelog\n"),
            File { path: "assets/a.o".into(), bytes: [b"\xff\0", concat!("/ro", "ot/x").as_bytes()].concat() },
        ];
        let findings = check(&files);
        for file in &files {
            assert!(findings.iter().any(|finding| finding.path == file.path), "{}: {findings:#?}", file.path);
        }
    }
}
