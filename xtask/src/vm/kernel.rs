//! Which kernels there are, by the names of Debian's packages, and which are meant by a pattern.
//!
//! Pure: does not know where the names come from.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

/// Architecture at the end of a release.
const ARCH: &str = "-amd64";

/// How a kernel is configured. Cloud kernels have few drivers and are the quickest to boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flavour {
    Cloud,
    Generic,
    Realtime,
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cloud => "cloud",
            Self::Generic => "generic",
            Self::Realtime => "rt",
        })
    }
}

/// A kernel as `uname -r` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// The whole name.
    pub(super) name: String,
    /// The numbers in it, to compare by.
    version: Vec<u32>,
    /// Packages that may hold its image, the likeliest first.
    pub(super) packages: Vec<String>,
}

/// Something to boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What it is called in the table.
    pub(super) label: String,
    /// Releases that will do, the newest first: not every one that is listed can be had.
    pub(super) releases: Vec<Release>,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newest = self.releases.first().map_or("", |release| release.name.as_str());
        write!(f, "{:<14} {newest}", self.label)?;
        match self.releases.len() {
            0 | 1 => Ok(()),
            more => write!(f, " (and {} older)", more - 1),
        }
    }
}

/// All kernels: by series (the first two numbers) and flavour, the oldest series first.
pub(super) type Kernels = BTreeMap<((u32, u32), Flavour), Vec<Release>>;

/// Sorts names of packages. Those of other things than kernels are passed over.
pub(super) fn all<'a>(packages: impl Iterator<Item = &'a str>) -> Kernels {
    let mut kernels = Kernels::new();
    let mut packages: Vec<_> = packages.filter_map(|name| Some((parse(name)?, name))).collect();
    // From 6.19 on `linux-image` is there, but empty: the image is in `linux-binary`.
    packages.sort_by_key(|(_, name)| (!name.starts_with("linux-binary"), name.contains("-unsigned"), *name));
    packages.dedup_by_key(|(_, name)| *name);
    for (parsed, package) in packages {
        let releases = kernels.entry((parsed.series, parsed.flavour)).or_default();
        match releases.iter_mut().find(|release| release.name == parsed.release) {
            Some(release) => release.packages.push(package.into()),
            None => releases.push(Release {
                name: parsed.release.into(),
                version: numbers(parsed.version),
                packages: vec![package.into()],
            }),
        }
    }
    for releases in kernels.values_mut() {
        releases.sort_by(|a, b| b.version.cmp(&a.version).then_with(|| b.name.cmp(&a.name)));
    }
    kernels
}

/// What the name of a package says.
struct Parsed<'a> {
    series: (u32, u32),
    flavour: Flavour,
    release: &'a str,
    version: &'a str,
}

fn parse(package: &str) -> Option<Parsed<'_>> {
    let rest = package.strip_prefix("linux-image-").or_else(|| package.strip_prefix("linux-binary-"))?;
    // At the end of `linux-image`, at the beginning of `linux-binary`.
    let release = rest.strip_prefix("unsigned-").or_else(|| rest.strip_suffix("-unsigned")).unwrap_or(rest);
    let version = release.strip_suffix(ARCH)?;
    let (version, flavour) = match version {
        _ if version.ends_with("-cloud") => (version.strip_suffix("-cloud")?, Flavour::Cloud),
        _ if version.ends_with("-rt") => (version.strip_suffix("-rt")?, Flavour::Realtime),
        _ => (version, Flavour::Generic),
    };
    if !version.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut numbers = numbers(version).into_iter();
    Some(Parsed { series: (numbers.next()?, numbers.next()?), flavour, release, version })
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

fn label((series, flavour): ((u32, u32), Flavour)) -> String {
    format!("{}.{}-{flavour}", series.0, series.1)
}

/// What the patterns mean: a series (`6.1`), a flavour (`rt`) or both (`6.1-rt`), of which the newest release will do; or
/// a release, with `*` for any characters (`6.12.*-cloud-amd64`), and then each that matches. Without patterns, all.
pub(super) fn choose(kernels: &Kernels, patterns: &[String]) -> Result<Vec<Candidate>> {
    let mut used = vec![false; patterns.len()];
    let mut chosen = Vec::new();
    for (&kind, releases) in kernels {
        let ((major, minor), flavour) = kind;
        let names = [label(kind), format!("{major}.{minor}"), flavour.to_string()];
        let mut whole = patterns.is_empty();
        for (pattern, used) in patterns.iter().zip(&mut used) {
            if names.contains(pattern) {
                (whole, *used) = (true, true);
            }
        }
        if whole {
            chosen.push(Candidate { label: label(kind), releases: releases.clone() });
        }
        for release in releases {
            let mut named = false;
            for (pattern, used) in patterns.iter().zip(&mut used) {
                if matches(pattern, &release.name) {
                    (named, *used) = (true, true);
                }
            }
            if named {
                chosen.push(Candidate { label: release.name.clone(), releases: vec![release.clone()] });
            }
        }
    }
    if let Some((pattern, _)) = patterns.iter().zip(used).find(|(_, used)| !used) {
        let labels: Vec<String> = kernels.keys().map(|kind| label(*kind)).collect();
        bail!("there is no kernel '{pattern}'; there are {} and their releases", labels.join(", "));
    }
    Ok(chosen)
}

/// The oldest, the newest and one from the middle, and a real-time one from the middle.
pub(super) fn sample(kernels: &Kernels) -> Vec<Candidate> {
    let of = |flavour| kernels.iter().filter(move |((_, of), _)| *of == flavour).collect::<Vec<_>>();
    let (cloud, realtime) = (of(Flavour::Cloud), of(Flavour::Realtime));
    let ends = [cloud.first(), cloud.get(cloud.len() / 2), cloud.last(), realtime.get(realtime.len() / 2)];
    let mut chosen: Vec<Candidate> = Vec::new();
    for (kind, releases) in ends.into_iter().flatten() {
        let candidate = Candidate { label: label(**kind), releases: (*releases).clone() };
        if !chosen.contains(&candidate) {
            chosen.push(candidate);
        }
    }
    chosen
}

/// Whether `*` in the pattern can stand for something that makes it the text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    (0..=text.len()).filter(|&at| text.is_char_boundary(at)).any(|at| matches(rest, &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGES: &str = "linux-image-5.10.0-46-cloud-amd64
linux-image-5.10.0-46-cloud-amd64-unsigned
linux-image-5.10.0-9-cloud-amd64
linux-image-6.1-amd64-signed-template
linux-image-6.1.0-55-rt-amd64
linux-image-6.1.0-55-amd64
linux-image-6.1.0-55-amd64-dbg
linux-image-6.1.0-0.deb11.52-amd64
linux-image-6.12.9+deb13-cloud-amd64
linux-image-6.12.117+deb13-cloud-amd64
linux-image-7.3-cloud-amd64
linux-binary-unsigned-7.3.4+deb13-cloud-amd64
linux-image-7.3.4+deb13-cloud-amd64
linux-binary-7.3.4+deb13-cloud-amd64
linux-image-amd64
linux-image-cloud-amd64
linux-headers-6.1.0-55-amd64
linux-image-6.1.0-55-arm64";

    fn kernels() -> Kernels {
        all(PACKAGES.lines())
    }

    fn names(candidate: &Candidate) -> Vec<&str> {
        candidate.releases.iter().map(|release| release.name.as_str()).collect()
    }

    fn chosen(patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        choose(&kernels(), &patterns).unwrap().into_iter().map(|candidate| candidate.label).collect()
    }

    #[test]
    fn packages_of_kernels_are_told_from_others_and_sorted() {
        assert_eq!(chosen(&[]), ["5.10-cloud", "6.1-generic", "6.1-rt", "6.12-cloud", "7.3-cloud"]);
        let all = choose(&kernels(), &[]).unwrap();
        assert_eq!(
            names(&all[0]),
            ["5.10.0-46-cloud-amd64", "5.10.0-9-cloud-amd64"],
            "the newest by number comes first"
        );
        assert_eq!(names(&all[1]), ["6.1.0-55-amd64", "6.1.0-0.deb11.52-amd64"]);
        assert_eq!(names(&all[4]), ["7.3.4+deb13-cloud-amd64", "7.3-cloud-amd64"]);
        assert_eq!(all[4].to_string(), "7.3-cloud      7.3.4+deb13-cloud-amd64 (and 1 older)");
    }

    #[test]
    fn the_package_that_holds_the_image_is_tried_first() {
        let all = choose(&kernels(), &["7.3".into(), "5.10".into()]).unwrap();
        let packages = ["linux-binary-7.3.4+deb13-cloud-amd64", "linux-binary-unsigned-7.3.4+deb13-cloud-amd64"];
        assert_eq!(all[1].releases[0].packages[..2], packages);
        assert_eq!(all[1].releases[0].packages[2], "linux-image-7.3.4+deb13-cloud-amd64");
        let packages = ["linux-image-5.10.0-46-cloud-amd64", "linux-image-5.10.0-46-cloud-amd64-unsigned"];
        assert_eq!(all[0].releases[0].packages, packages);
    }

    #[test]
    fn patterns_name_series_flavours_or_releases() {
        assert_eq!(chosen(&["6.1"]), ["6.1-generic", "6.1-rt"], "and not 6.12");
        assert_eq!(chosen(&["rt"]), ["6.1-rt"]);
        assert_eq!(chosen(&["5.10-cloud", "rt"]), ["5.10-cloud", "6.1-rt"]);
        assert_eq!(chosen(&["6.12.*"]), ["6.12.117+deb13-cloud-amd64", "6.12.9+deb13-cloud-amd64"]);
        assert_eq!(chosen(&["6.1.0-55-amd64"]), ["6.1.0-55-amd64"]);
        let error = choose(&kernels(), &["6.1".into(), "6.2".into()]).unwrap_err().to_string();
        assert!(error.contains("'6.2'") && error.contains("6.12-cloud"), "{error}");
    }

    #[test]
    fn stars_stand_for_anything_and_nothing_else_does() {
        assert!(matches("a*c*", "abcc") && matches("*", "") && matches("a", "a"));
        assert!(!matches("a", "ab") && !matches("a*c", "abd") && !matches("a.c", "abc"));
    }

    #[test]
    fn the_sample_has_both_ends_and_a_real_time_kernel() {
        let labels: Vec<_> = sample(&kernels()).into_iter().map(|candidate| candidate.label).collect();
        assert_eq!(labels, ["5.10-cloud", "6.12-cloud", "7.3-cloud", "6.1-rt"]);
        assert!(sample(&Kernels::new()).is_empty());
    }
}
