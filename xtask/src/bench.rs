//! `cargo xtask bench`: runs the benches in release, shows how each grows with the number of processes, and keeps or
//! compares a baseline of it.
//!
//! What is measured is in the `benches` folders; how it is judged is in [`judge`].

mod baseline;
mod judge;
mod table;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use crate::{UsageError, process};

use baseline::Baseline;
use judge::Finding;

/// The packages that have benches: always both, so that what they share is compiled once.
const PACKAGES: [&str; 2] = ["ptree-source", "ptree-tui"];
/// The benches, in the order in which they run.
const BENCHES: [&str; 3] = ["memory", "model", "screen"];
/// The bench that machines are compared by.
const REFERENCE: &str = "model/reference";
/// Times that what is too slow is measured again: other programs may have been in the way.
const AGAIN: usize = 2;

/// What was measured, by name.
#[derive(Clone, Debug, Default, PartialEq)]
struct Figures {
    /// Fastest, nanoseconds.
    times: BTreeMap<String, f64>,
    /// For each process, bytes.
    bytes: BTreeMap<String, f64>,
}

impl Figures {
    /// Takes the better of both.
    fn merge(&mut self, other: Self) {
        for (name, time) in other.times {
            let best = self.times.entry(name).or_insert(time);
            *best = best.min(time);
        }
        self.bytes.extend(other.bytes);
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    check: bool,
    save: bool,
    filter: Option<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        for arg in args {
            match arg.as_str() {
                "--check" => options.check = true,
                "--save" => options.save = true,
                arg if arg.starts_with('-') || options.filter.is_some() => {
                    let message = format!("unknown argument '{arg}'; there are '--check', '--save' and one FILTER");
                    return Err(UsageError(message).into());
                }
                arg => options.filter = Some(arg.to_owned()),
            }
        }
        if options.save && (options.check || options.filter.is_some()) {
            let message = "'--save' keeps what all benches say: give it neither a filter nor '--check'";
            return Err(UsageError(message.to_owned()).into());
        }
        Ok(options)
    }
}

/// Measures; `--save` keeps the result as the baseline, `--check` fails when it is worse than that.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    let path = process::root()?.join("xtask/bench-baseline.toml");
    let baseline = if options.check { Baseline::load(&path)? } else { Baseline::default() };
    let mut figures = measure(&options.filter.iter().map(String::as_str).collect::<Vec<_>>())?;
    if options.save {
        Baseline::of(&figures)?.save(&path)?;
    }
    let mut findings = judge(&figures, &baseline, &options)?;
    for _ in 0..AGAIN {
        let slow: Vec<&str> =
            findings.iter().filter(|finding| finding.is_time).map(|finding| &*finding.group).collect();
        if slow.is_empty() {
            break;
        }
        eprintln!("\nonce more: {}", slow.join(", "));
        figures.merge(measure(&slow)?);
        findings = judge(&figures, &baseline, &options)?;
    }
    print!("\n{}", judge::growths(&figures.times));
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("bench: {} beyond what is allowed", findings.len());
    }
    Ok(())
}

fn judge(figures: &Figures, baseline: &Baseline, options: &Options) -> Result<Vec<Finding>> {
    let mut findings = judge::laws(&figures.times);
    if options.check {
        findings.extend(judge::compare(&Baseline::of(figures)?, baseline, options.filter.is_none()));
    }
    Ok(findings)
}

/// Runs the benches that one of the filters names, and the reference; all of them for none.
fn measure(filters: &[&str]) -> Result<Figures> {
    let mut figures = Figures::default();
    for bench in BENCHES {
        let mut command = process::cargo(["bench"])?;
        for package in PACKAGES {
            command.args(["--package", package]);
        }
        command.args(["--bench", bench, "--"]);
        // The name of the bench's file is not part of what divan filters by.
        let prefix = format!("{bench}/");
        for filter in filters {
            command.arg(filter.strip_prefix(&prefix).unwrap_or(filter).replace('/', "::"));
        }
        if !filters.is_empty() && REFERENCE.starts_with(&prefix) {
            command.arg("reference");
        }
        eprintln!("+ cargo bench --bench {bench} {}", filters.join(" "));
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
        let stdout = child.stdout.take().context("cargo has no output")?;
        let mut text = String::new();
        for line in BufReader::new(stdout).lines() {
            let line = line.context("cannot read what the bench says")?;
            println!("{line}");
            text.push_str(&line);
            text.push('\n');
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("the bench '{bench}' failed: {status}");
        }
        figures.merge(table::read(&text)?);
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options> {
        Options::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_baseline_is_of_all_benches() {
        assert!(options(&["--save"]).unwrap().save);
        assert_eq!(options(&["--check", "star"]).unwrap().filter.as_deref(), Some("star"));
        for wrong in [&["--save", "star"][..], &["--save", "--check"], &["--chekc"], &["star", "chain"]] {
            assert!(options(wrong).unwrap_err().is::<UsageError>(), "{wrong:?}");
        }
    }

    #[test]
    fn of_two_measurements_the_faster_counts() {
        let of = |time| Figures { times: [("a".to_owned(), time)].into(), ..Figures::default() };
        let mut figures = of(3.0);
        figures.merge(of(2.0));
        figures.merge(of(4.0));
        assert_eq!(figures, of(2.0));
    }
}
