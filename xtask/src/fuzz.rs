//! `cargo xtask fuzz`: the fuzz targets, one after the other, each for a while.
//!
//! Does not know what the targets are: each has a folder of seeds in `fuzz/seeds`. cargo-fuzz makes them; without its
//! sanitizers, since all that they call is safe Rust, so the pinned compiler is enough.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::{UsageError, process};

/// How long a target runs where nothing else is asked for.
const SECONDS: u32 = 60;
/// Longest input, bytes: beyond that, longer means only slower.
const MAX_LEN: usize = 4096;
/// More memory than this is a leak, MiB.
const MAX_MEMORY: u32 = 1024;
/// More time than this for one input is a hang, seconds.
const MAX_TIME: u32 = 10;

/// Runs the target that `args` name, or all.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let folder = process::root()?.join("fuzz");
    let (targets, seconds) = parse(args, &targets(&folder.join("seeds"))?)?;
    process::output(&mut process::cargo(["fuzz", "--version"])?)
        .context("cargo-fuzz is missing: run `cargo install cargo-fuzz --locked`")?;
    for target in targets {
        fuzz(&folder, &target, seconds)?;
    }
    Ok(())
}

/// The seeds played to the targets, without libFuzzer; and what clippy says of `fuzz/`.
pub(crate) fn seeds() -> Result<()> {
    let cargo = |command| {
        let mut cargo = process::cargo([command, "--locked", "--manifest-path", "fuzz/Cargo.toml"])?;
        // What the two workspaces have in common is compiled once.
        cargo.env("CARGO_TARGET_DIR", process::root()?.join("target"));
        anyhow::Ok(cargo)
    };
    process::run(cargo("clippy")?.args(["--all-targets", "--", "-D", "warnings"]))?;
    process::run(&mut cargo("test")?)
}

fn fuzz(folder: &Path, target: &str, seconds: u32) -> Result<()> {
    // What libFuzzer learns goes into the first folder.
    let corpus = folder.join("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make '{}'", corpus.display()))?;
    let cargo_fuzz = |what| process::cargo(["fuzz", what, "--sanitizer", "none", "--features", "libfuzzer", target]);
    // On its own, so that what fails behind it is a finding.
    process::run(&mut cargo_fuzz("build")?)?;
    let mut command = cargo_fuzz("run")?;
    command.args([format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"), "--".to_owned()]).args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={MAX_LEN}"),
        format!("-rss_limit_mb={MAX_MEMORY}"),
        format!("-timeout={MAX_TIME}"),
        "-print_final_stats=1".to_owned(),
    ]);
    process::run(&mut command).with_context(|| {
        format!(
            "the target '{target}' has found something, see 'fuzz/artifacts/{target}': mend it, keep the input as a \
             seed and say in a unit test what was wrong"
        )
    })
}

/// The targets to run and for how long each.
fn parse(args: &[String], all: &[String]) -> Result<(Vec<String>, u32)> {
    let mut chosen = all.to_vec();
    let mut seconds = SECONDS;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|number| number.parse().ok()).filter(|&number| number > 0);
            seconds = number.ok_or_else(|| UsageError("give '--seconds' a number, such as '180'".to_owned()))?;
        } else if all.contains(arg) {
            chosen = vec![arg.clone()];
        } else {
            return Err(UsageError(format!("there is no target '{arg}'; the targets are {}", all.join(", "))).into());
        }
    }
    Ok((chosen, seconds))
}

fn targets(seeds: &Path) -> Result<Vec<String>> {
    let folders = fs::read_dir(seeds).with_context(|| format!("cannot read '{}'", seeds.display()))?;
    let mut names = Vec::new();
    for folder in folders {
        names.push(folder?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_or_all_for_as_long_as_asked() {
        let all = ["a", "b"].map(String::from);
        let choose = |line: &str| {
            let args: Vec<_> = line.split_whitespace().map(String::from).collect();
            parse(&args, &all).map_err(|error| error.to_string())
        };
        assert_eq!(choose(""), Ok((all.to_vec(), SECONDS)));
        assert_eq!(choose("b --seconds 5"), Ok((vec!["b".to_owned()], 5)));
        assert_eq!(choose("--seconds 5"), Ok((all.to_vec(), 5)));
        assert!(choose("c").unwrap_err().contains("there is no target 'c'; the targets are a, b"));
        for line in ["--seconds", "--seconds 0", "--seconds long"] {
            assert!(choose(line).unwrap_err().contains("'180'"), "{line}");
        }
    }

    #[test]
    fn every_target_has_a_source_and_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("fuzz");
        let sources: Vec<_> = targets(&root.join("targets")).unwrap();
        let seeds: Vec<_> = targets(&root.join("seeds")).unwrap();
        assert_eq!(sources, seeds.iter().map(|name| format!("{name}.rs")).collect::<Vec<_>>());
    }
}
