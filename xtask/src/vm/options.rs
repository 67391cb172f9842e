//! The command line of `cargo xtask vm`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;

use crate::UsageError;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    /// Which kernels; all when there are none.
    pub(super) patterns: Vec<String>,
    /// Only a few kernels, as different as can be.
    pub(super) ci: bool,
    /// Name them only.
    pub(super) list: bool,
    /// Keep logs of kernels that pass, too.
    pub(super) keep_log: bool,
    /// Leave out kernels that have passed with the very same programs.
    pub(super) resume: bool,
    /// For each boot.
    pub(super) timeout: Duration,
    /// Machines at a time.
    pub(super) jobs: usize,
    /// Folder of kernels, lists of packages and logs.
    pub(super) cache: Option<PathBuf>,
    /// Address of a Debian archive, in place of the system's own.
    pub(super) mirror: Option<String>,
    /// Where to write the table as Markdown; a document with a place for it keeps the rest.
    pub(super) markdown: Option<PathBuf>,
}

impl Options {
    /// Reads the command line.
    ///
    /// # Errors
    /// When an option is unknown, or its value makes no sense.
    pub(super) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            patterns: Vec::new(),
            ci: false,
            list: false,
            keep_log: false,
            resume: false,
            timeout: Duration::from_secs(600),
            jobs: 1,
            cache: None,
            mirror: None,
            markdown: None,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| UsageError(format!("'{arg}' wants a value")));
            match arg.as_str() {
                "--ci" => options.ci = true,
                "--list" => options.list = true,
                "--keep-log" => options.keep_log = true,
                "--continue" => options.resume = true,
                "--timeout" => options.timeout = Duration::from_secs(positive(arg, value()?)?),
                "--jobs" => options.jobs = positive(arg, value()?)?,
                "--cache" => options.cache = Some(value()?.into()),
                "--mirror" => options.mirror = Some(value()?.clone()),
                "--markdown" => options.markdown = Some(value()?.into()),
                _ if arg.starts_with('-') => {
                    let known = "--ci, --list, --keep-log, --continue, --timeout SECONDS, --jobs N, --cache DIR, \
                                 --mirror URL and --markdown FILE";
                    return Err(UsageError(format!("unknown option '{arg}'; there are {known}")).into());
                }
                _ => options.patterns.push(arg.clone()),
            }
        }
        if options.ci && !options.patterns.is_empty() {
            return Err(UsageError("'--ci' chooses the kernels itself: give no patterns with it".into()).into());
        }
        Ok(options)
    }
}

fn positive<T: FromStr + PartialOrd + From<u8>>(option: &str, value: &str) -> Result<T, UsageError> {
    let number = value.parse().ok().filter(|number| *number >= T::from(1));
    number.ok_or_else(|| UsageError(format!("'{option}' wants a whole number from 1 on, not '{value}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_and_patterns_mix() {
        let options = parse("6.1 --timeout 30 rt --jobs 2 --list --continue --markdown /t.md").unwrap();
        assert_eq!(options.patterns, ["6.1", "rt"]);
        assert_eq!((options.timeout, options.jobs, options.list), (Duration::from_secs(30), 2, true));
        assert_eq!(options.markdown.unwrap().to_str(), Some("/t.md"));
        assert!(options.resume && !options.ci && !options.keep_log && options.cache.is_none());
    }

    #[test]
    fn what_makes_no_sense_is_quoted() {
        for (line, quoted) in
            [("--jobs 0", "'0'"), ("--timeout", "'--timeout'"), ("--frob", "'--frob'"), ("--ci 6.1", "'--ci'")]
        {
            let error = parse(line).unwrap_err();
            assert!(error.is::<UsageError>() && error.to_string().contains(quoted), "{error}");
        }
    }
}
