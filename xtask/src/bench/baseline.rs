//! The baseline: a small file of what the benches said once, committed. Times are multiples of the reference's, so that
//! machines compare; bytes are bytes.
//!
//! Does not know what difference is too much.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{Figures, REFERENCE};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Baseline {
    /// Fastest time, as a multiple of the reference's.
    pub(super) relative: BTreeMap<String, f64>,
    /// For each process, bytes.
    pub(super) bytes: BTreeMap<String, f64>,
}

impl Baseline {
    /// What was measured.
    pub(super) fn of(figures: &Figures) -> Result<Self> {
        let reference = *figures.times.get(REFERENCE).with_context(|| format!("'{REFERENCE}' did not run"))?;
        let times = figures.times.iter().filter(|(name, _)| *name != REFERENCE);
        let relative = times.map(|(name, time)| (name.clone(), time / reference)).collect();
        Ok(Self { relative, bytes: figures.bytes.clone() })
    }

    pub(super) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read '{}': write it with `cargo xtask bench --save`", path.display()))?;
        Self::parse(&text).with_context(|| format!("in '{}'", path.display()))
    }

    pub(super) fn save(&self, path: &Path) -> Result<()> {
        std::fs::write(path, self.text()).with_context(|| format!("cannot write '{}'", path.display()))
    }

    fn text(&self) -> String {
        let mut text = "# Written by `cargo xtask bench --save`, compared with by `cargo xtask bench --check`.\n\n\
                        # Fastest time, as a multiple of the reference's; a number at the end is that of processes.\n\
                        [relative]\n"
            .to_owned();
        for (name, relative) in &self.relative {
            // Four digits say more than a measurement does.
            let digits = usize::try_from(3 - relative.log10().floor().clamp(-6.0, 3.0) as i32).unwrap_or(0);
            let _ = writeln!(text, "\"{name}\" = {relative:.digits$}");
        }
        text.push_str("\n# For each process.\n[bytes]\n");
        for (name, bytes) in &self.bytes {
            let _ = writeln!(text, "\"{name}\" = {bytes}");
        }
        text
    }

    /// Reads what [`Baseline::text`] writes.
    fn parse(text: &str) -> Result<Self> {
        let mut baseline = Self::default();
        let mut section = None;
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with('[') {
                section = match line {
                    "[relative]" => Some(&mut baseline.relative),
                    "[bytes]" => Some(&mut baseline.bytes),
                    _ => bail!("line {number}: '{line}' is no section"),
                };
                continue;
            }
            let entry = line.split_once(" = ").and_then(|(name, value)| {
                let name = name.strip_prefix('"')?.strip_suffix('"')?;
                Some((name.to_owned(), value.parse().ok()?))
            });
            let section = section.as_deref_mut().with_context(|| format!("line {number}: no section yet"))?;
            section.extend([entry.with_context(|| format!("line {number}: '{line}' is no name with a number"))?]);
        }
        Ok(baseline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let times = [("model/reference", 200.0), ("model/a/1000", 1.0), ("model/a/1000000", 123_456.0)];
        let figures = Figures {
            times: times.map(|(name, time)| (name.to_owned(), time)).into(),
            bytes: [("memory/a".to_owned(), 555.0)].into(),
        };
        let text = Baseline::of(&figures).unwrap().text();
        let relative = [("model/a/1000", 0.005), ("model/a/1000000", 617.3)];
        let baseline = Baseline::parse(&text).unwrap();
        assert_eq!(baseline.relative, relative.map(|(name, value)| (name.to_owned(), value)).into(), "{text}");
        assert_eq!(baseline.bytes, figures.bytes, "{text}");
    }

    #[test]
    fn nothing_is_compared_without_the_reference() {
        assert!(Baseline::of(&Figures::default()).is_err());
    }

    #[test]
    fn a_broken_file_says_where() {
        for (text, at) in [("[relative]\nx", "line 2"), ("\"a\" = 1", "line 1"), ("\n[other]", "line 2")] {
            assert!(Baseline::parse(text).unwrap_err().to_string().starts_with(at), "{text}");
        }
    }
}
