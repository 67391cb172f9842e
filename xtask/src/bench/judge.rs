//! What is too much: by law, how fast something may grow with the number of processes; by the baseline, how far it may
//! be off.
//!
//! Pure: figures in, findings out.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::baseline::Baseline;

/// How much slower than in the baseline is noise.
const TIME_SLACK: f64 = 1.6;
/// How much larger than in the baseline.
const BYTES_SLACK: f64 = 1.1;
/// How much more a step may take among very many processes, because no cache holds them.
const CACHE_SLACK: f64 = 5.0;
/// What must not grow faster than the logarithm of the number of processes.
const LOGARITHMIC: [&str; 5] = ["window_", "fold_one", "follow", "ingest", "frame_"];

/// Something beyond what is allowed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    /// The bench, without its size.
    pub(super) group: String,
    /// Measured by a clock: worth another try.
    pub(super) is_time: bool,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.group, self.message)
    }
}

/// The figures of one bench by size.
type BySize = BTreeMap<u64, f64>;

/// The benches that were run at several sizes.
fn groups(times: &BTreeMap<String, f64>) -> BTreeMap<&str, BySize> {
    let mut groups: BTreeMap<&str, BySize> = BTreeMap::new();
    for (name, time) in times {
        if let Some((group, size)) = name.rsplit_once('/')
            && let Ok(size) = size.parse()
        {
            groups.entry(group).or_default().insert(size, *time);
        }
    }
    groups.retain(|_, sizes| sizes.len() > 1);
    groups
}

/// From the smallest size to each.
fn growth(sizes: &BySize) -> impl Iterator<Item = (u64, f64)> {
    let first = sizes.values().next().copied().unwrap_or(f64::NAN);
    sizes.iter().skip(1).map(move |(size, time)| (*size, time / first))
}

/// A table of times and growth, for people.
pub(super) fn growths(times: &BTreeMap<String, f64>) -> String {
    let mut text = String::new();
    for (group, sizes) in groups(times) {
        let _ = write!(text, "{group:<40}");
        for (size, time) in &sizes {
            let _ = write!(text, "  {:>4} {:>9}", short(*size), microseconds(*time));
        }
        if let Some((_, growth)) = growth(&sizes).last() {
            let _ = write!(text, "  grew {growth:.1}-fold");
        }
        text.push('\n');
    }
    text
}

fn short(size: u64) -> String {
    match size {
        1_000_000.. => format!("{}M", size / 1_000_000),
        1_000.. => format!("{}k", size / 1_000),
        _ => size.to_string(),
    }
}

fn microseconds(ns: f64) -> String {
    if ns < 1e6 { format!("{:.1}µs", ns / 1e3) } else { format!("{:.1}ms", ns / 1e6) }
}

/// What grows faster than it may, whatever it did once.
pub(super) fn laws(times: &BTreeMap<String, f64>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (group, sizes) in groups(times) {
        let name = group.rsplit('/').next().unwrap_or(group);
        if !LOGARITHMIC.iter().any(|law| name.starts_with(law)) {
            continue;
        }
        let Some(&least) = sizes.keys().next() else { continue };
        for (size, growth) in growth(&sizes) {
            #[expect(clippy::cast_precision_loss, reason = "sizes are far below")]
            let allowed = (size as f64).ln() / (least as f64).ln() * CACHE_SLACK;
            if growth > allowed {
                let (least, size) = (short(least), short(size));
                let message =
                    format!("from {least} to {size} grew {growth:.1}-fold; the logarithm allows {allowed:.1}");
                findings.push(Finding { group: group.to_owned(), is_time: true, message });
            }
        }
    }
    findings
}

/// What is worse than in the baseline; with `all`, also what only one of both has.
pub(super) fn compare(now: &Baseline, before: &Baseline, all: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let kinds = [(&now.relative, &before.relative, TIME_SLACK, true), (&now.bytes, &before.bytes, BYTES_SLACK, false)];
    for (now, before, slack, is_time) in kinds {
        let unit = if is_time { "times the reference" } else { "bytes" };
        for (name, value) in now {
            let group = match name.rsplit_once('/') {
                Some((group, size)) if size.parse::<u64>().is_ok() => group,
                _ => name,
            };
            let group = group.to_owned();
            match before.get(name) {
                None => {
                    let message = format!("'{name}' is not in the baseline: `cargo xtask bench --save`");
                    findings.push(Finding { group, is_time: false, message });
                }
                Some(before) if *value > before * slack => {
                    let message = format!("'{name}' is {value:.4} {unit}, was {before:.4}; allowed is {slack}-fold");
                    findings.push(Finding { group, is_time, message });
                }
                Some(_) => {}
            }
        }
        for name in before.keys().filter(|name| all && !now.contains_key(*name)) {
            let message = "is in the baseline, but did not run".to_owned();
            findings.push(Finding { group: name.clone(), is_time: false, message });
        }
    }
    let before = groups(&before.relative);
    for (group, sizes) in groups(&now.relative) {
        let Some(before) = before.get(group) else { continue };
        let before: BTreeMap<u64, f64> = growth(before).collect();
        for (size, growth) in growth(&sizes) {
            if let Some(before) = before.get(&size).filter(|&&before| growth > before * TIME_SLACK) {
                let size = short(size);
                let message =
                    format!("up to {size} grew {growth:.1}-fold, was {before:.1}; allowed is {TIME_SLACK}-fold");
                findings.push(Finding { group: group.to_owned(), is_time: true, message });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(figures: &[(&str, f64)]) -> BTreeMap<String, f64> {
        figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect()
    }

    fn baseline(relative: &[(&str, f64)], bytes: &[(&str, f64)]) -> Baseline {
        Baseline { relative: map(relative), bytes: map(bytes) }
    }

    #[test]
    fn a_window_may_grow_with_the_logarithm_and_no_faster() {
        let grown = |name: &str, factor: f64| {
            laws(&map(&[(&format!("m/{name}/1000"), 2.0), (&format!("m/{name}/1000000"), 2.0 * factor)])).len()
        };
        assert_eq!(grown("window_top", 2.0), 0);
        assert_eq!(grown("window_top", 2.0 * CACHE_SLACK + 0.1), 1);
        assert_eq!(grown("filter", 1000.0), 0, "looks at every process");
        assert_eq!(laws(&map(&[("m/window_top/1000", 1.0)])), [], "one size does not grow");
    }

    #[test]
    fn what_is_slower_larger_or_grows_faster_than_in_the_baseline_is_found() {
        let before = baseline(&[("m/a/1000", 1.0), ("m/a/1000000", 2.0), ("m/b", 1.0)], &[("memory/a", 100.0)]);
        let found = |relative: &[(&str, f64)], bytes: &[(&str, f64)]| {
            let findings = compare(&baseline(relative, bytes), &before, true);
            findings.into_iter().map(|finding| (finding.group, finding.is_time)).collect::<Vec<_>>()
        };
        let same = [("m/a/1000", 1.5), ("m/a/1000000", 3.0), ("m/b", 1.5)];
        assert_eq!(found(&same, &[("memory/a", 110.0)]), []);
        assert_eq!(found(&same, &[("memory/a", 111.0)]), [("memory/a".to_owned(), false)]);
        let slow = [("m/a/1000", 1.5), ("m/a/1000000", 3.0), ("m/b", 1.7)];
        assert_eq!(found(&slow, &[("memory/a", 100.0)]), [("m/b".to_owned(), true)]);
        let steep = [("m/a/1000", 0.5), ("m/a/1000000", 2.0), ("m/b", 1.0)];
        assert_eq!(found(&steep, &[("memory/a", 100.0)]), [("m/a".to_owned(), true)]);
    }

    #[test]
    fn benches_that_only_one_side_knows_are_found_but_with_a_filter_those_left_out_are_not() {
        let before = baseline(&[("m/a", 1.0), ("m/b", 1.0)], &[]);
        let now = baseline(&[("m/a", 1.0), ("m/new", 1.0)], &[]);
        assert_eq!(compare(&now, &before, true).len(), 2);
        assert_eq!(compare(&now, &before, false).len(), 1);
    }

    #[test]
    fn the_table_shows_each_bench_with_its_growth() {
        let table = growths(&map(&[("m/a/1000", 1500.0), ("m/a/1000000", 3e6), ("m/b", 1.0)]));
        assert_eq!(table.lines().count(), 1);
        for part in ["m/a", "1k", "1.5µs", "1M", "3.0ms", "grew 2000.0-fold"] {
            assert!(table.contains(part), "{part}: {table}");
        }
    }
}
