//! What the machines said, as a table.
//!
//! Pure: from text to text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::guest::step;
use super::qemu::Ending;

/// The eBPF programs, in the order of the table.
const PROGRAMS: [(&str, &str); 4] =
    [("on_fork", "fork"), ("on_exec", "exec"), ("on_exit", "exit"), ("on_task", "task")];
/// Checks of `doctor` that must be well on every kernel: that all programs are there is what is to be shown.
const INDISPENSABLE: [&str; 2] = ["programs", "spares"];
/// Before the table in a document, and behind it.
const BEGIN: &str = "<!-- table: written by cargo xtask vm --markdown -->";
const END: &str = "<!-- end of table -->";
/// Of kernels that did not come to an end: they hung, or panicked most likely.
const HUNG: &str = "its kernel hung";
const NO_VERDICT: &str = "ended without a verdict";
/// Lines of a failed step that are shown.
const SHOWN: usize = 40;

/// A kernel, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) release: String,
    /// Why it did not pass, in a few words, and what was said about it.
    failures: Vec<(String, String)>,
    /// The same for the tries before.
    earlier: Vec<(String, String)>,
    /// Programs that were loaded, and the instructions that the verifier went through, where the kernel tells.
    programs: BTreeMap<String, Option<u64>>,
    /// Milliseconds until `stream` had begun and ended; in an emulated machine good for a comparison at best.
    load_ms: Option<u64>,
    /// Live tests that passed, of how many.
    tests: Option<(u64, u64)>,
    /// What the kernel cannot do, in `doctor`'s words.
    degraded: Vec<String>,
}

/// The end of a step, and what it said before.
#[derive(Default)]
struct Step {
    lines: Vec<String>,
    /// Whether it went well, and for how many milliseconds; `None` when it did not come to its end.
    end: Option<(bool, u64)>,
}

impl Row {
    /// A kernel that cannot be had.
    pub(super) fn absent(label: &str, why: &str) -> Self {
        let failures = vec![("no image".into(), why.into())];
        Self {
            label: label.into(),
            release: String::new(),
            failures,
            earlier: Vec::new(),
            programs: BTreeMap::new(),
            load_ms: None,
            tests: None,
            degraded: Vec::new(),
        }
    }

    /// Whether there was an image of it.
    pub(super) fn was_booted(&self) -> bool {
        !self.release.is_empty()
    }

    /// As another try, after this one.
    pub(super) fn after(self, before: &Self) -> Self {
        Self { earlier: before.earlier.iter().chain(&before.failures).cloned().collect(), ..self }
    }

    /// Whether the kernel itself did not come to an end, whatever the tests say.
    pub(super) fn broke_off(&self) -> bool {
        self.failures.iter().any(|(why, _)| [HUNG, NO_VERDICT].contains(&why.as_str()))
    }

    /// Reads what a machine said, and what its kernel did.
    pub(super) fn new(label: &str, release: &str, ending: Ending, said: &str, console: &str) -> Self {
        let mut row = Self { release: release.into(), failures: Vec::new(), ..Self::absent(label, "") };
        let no_end = match ending {
            // Looked at last: what failed is more to the point.
            Ending::Verdict(_) => None,
            Ending::NoVerdict => Some(NO_VERDICT.to_owned()),
            Ending::Hung => Some(HUNG.to_owned()),
            Ending::TimedOut(limit) => Some(format!("no end after {} s", limit.as_secs())),
        };
        let console: Vec<&str> = console.lines().collect();
        row.failures.extend(no_end.map(|why| (why, last(&console))));
        let mut steps = steps(said);
        row.doctor(&steps.remove(step::DOCTOR).unwrap_or_default());
        let load = steps.remove(step::LOAD).unwrap_or_default();
        row.load_ms = load.end.map(|(_, ms)| ms);
        row.fail_unless(step::LOAD, load.went_well(), &load.lines);
        row.live(&steps.remove(step::LIVE).unwrap_or_default());
        if ending == Ending::Verdict(false) && row.passed() {
            row.failures.push(("the guest says so".into(), String::new()));
        }
        row
    }

    fn doctor(&mut self, doctor: &Step) {
        let report: Value = doctor.lines.iter().find_map(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        for check in report["checks"].as_array().into_iter().flatten() {
            let text = |name: &str| check[name].as_str().unwrap_or_default();
            match text("verdict") {
                "ok" if text("name") == "programs" => self.programs = programs(text("finding")),
                "ok" => {}
                "degraded" if !INDISPENSABLE.contains(&text("name")) => {
                    self.degraded.push(format!("{}: {}", text("name"), text("finding")))
                }
                _ => self.failures.push((format!("doctor: {}", text("name")), text("finding").into())),
            }
        }
        let all_there = PROGRAMS.iter().all(|(name, _)| self.programs.contains_key(*name));
        if self.failures.is_empty() {
            self.fail_unless(step::DOCTOR, doctor.went_well() && all_there, &doctor.lines);
        }
    }

    fn live(&mut self, live: &Step) {
        let Some((passed, failed)) = live.lines.iter().find_map(|line| result(line)) else {
            return self.fail_unless(step::LIVE, false, &live.lines);
        };
        self.tests = Some((passed, passed + failed));
        // Behind the second heading of this kind are their names, behind the first what they said.
        let mut parts = live.lines.split(|line| line == "failures:").skip(1);
        let (said, names) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let names: Vec<&str> = names.iter().map(|line| line.trim()).filter(|line| line.contains("::")).collect();
        if names.is_empty() {
            self.fail_unless(step::LIVE, live.went_well() && failed == 0 && passed > 0, &live.lines);
        } else {
            self.failures.push((names.join(", "), said.join("\n")));
        }
    }

    fn fail_unless(&mut self, step: &str, well: bool, lines: &[String]) {
        if !well {
            self.failures.push((step.into(), last(lines)));
        }
    }

    /// Whether all went well.
    pub(super) fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// In a few words.
    pub(super) fn verdict(&self) -> String {
        let names = |failures: &[(String, String)]| {
            failures.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        match (self.passed(), self.earlier.is_empty()) {
            (true, true) => "passed".into(),
            (true, false) => format!("passed when tried again; before: {}", names(&self.earlier)),
            (false, true) => format!("FAILED: {}", names(&self.failures)),
            (false, false) => format!("FAILED again: {}; before: {}", names(&self.failures), names(&self.earlier)),
        }
    }

    /// In the order of [`HEADINGS`].
    fn cells(&self) -> [String; HEADINGS.len()] {
        let dash = || "-".to_owned();
        let instructions = |(name, _): (&str, &str)| match self.programs.get(name) {
            Some(Some(count)) => count.to_string(),
            _ => dash(),
        };
        [
            self.label.clone(),
            if self.release.is_empty() { dash() } else { self.release.clone() },
            self.verdict(),
            self.tests.map_or_else(dash, |(passed, all)| format!("{passed}/{all}")),
            self.programs.len().to_string(),
            PROGRAMS.map(instructions).join(" / "),
            self.load_ms.map_or_else(dash, |ms| ms.to_string()),
            if self.degraded.is_empty() { dash() } else { self.degraded.join("; ") },
        ]
    }
}

/// As many lines as are shown.
fn last<S: AsRef<str>>(lines: &[S]) -> String {
    let lines: Vec<&str> = lines[lines.len().saturating_sub(SHOWN)..].iter().map(AsRef::as_ref).collect();
    lines.join("\n")
}

impl Step {
    fn went_well(&self) -> bool {
        self.end.is_some_and(|(well, _)| well)
    }
}

/// Sorts lines of JSON by the step that they are about. The last may be torn.
fn steps(said: &str) -> BTreeMap<String, Step> {
    let mut steps: BTreeMap<String, Step> = BTreeMap::new();
    for record in said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let step = steps.entry(record["step"].as_str().unwrap_or_default().into()).or_default();
        if let Some(line) = record["line"].as_str() {
            step.lines.push(line.into());
        } else {
            step.end = record["ok"].as_bool().zip(record["ms"].as_u64());
        }
    }
    steps
}

/// Reads `doctor`'s line about the programs: `on_exit (7986 instructions verified), on_exec`.
fn programs(finding: &str) -> BTreeMap<String, Option<u64>> {
    let program = |text: &str| match text.split_once(" (") {
        Some((name, count)) => (name.to_owned(), count.split(' ').next().and_then(|count| count.parse().ok())),
        None => (text.to_owned(), None),
    };
    finding.split(", ").map(program).collect()
}

/// Reads the last line of tests: how many passed, and how many did not.
fn result(line: &str) -> Option<(u64, u64)> {
    let counts = line.strip_prefix("test result: ")?;
    let count = |name: &str| {
        let before = counts.split(name).next()?.trim_end();
        before.rsplit(' ').next()?.parse().ok()
    };
    Some((count(" passed")?, count(" failed")?))
}

const HEADINGS: [&str; 8] = [
    "kernel",
    "release",
    "verdict",
    "live tests",
    "programs",
    "instructions verified: fork / exec / exit / task",
    "begin and end, ms",
    "degraded",
];

/// The table, and below it what failed.
pub(super) fn text(rows: &[Row]) -> String {
    let lines: Vec<_> = std::iter::once(HEADINGS.map(String::from)).chain(rows.iter().map(Row::cells)).collect();
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    for row in rows {
        for (name, said) in row.failures.iter().chain(&row.earlier) {
            text.push_str(&format!("\n{}: {name}\n", row.label));
            said.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    }
    text
}

/// The table, with a line on what was run.
pub(super) fn markdown(rows: &[Row], today: &str, commit: &str, emulator: &str) -> String {
    let passed = rows.iter().filter(|row| row.passed()).count();
    let intro = format!("{today}, commit {commit}, {emulator}: {passed} of {} kernels passed.\n\n", rows.len());
    let line =
        |cells: [String; HEADINGS.len()]| format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    let head = line(HEADINGS.map(String::from));
    let rule = line(HEADINGS.map(|_| "---".to_owned()));
    rows.iter().map(|row| line(row.cells())).fold(intro + &head + &rule, |table, row| table + &row)
}

/// Whether the document has a table with kernels in it between the two lines that mark its place.
pub(crate) fn has_table(document: &str) -> bool {
    let place = document.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    // The first two are the heading and the rule below it.
    place.is_some_and(|(table, _)| table.lines().filter(|line| line.starts_with('|')).count() > 2)
}

/// The document with another table between the two lines that mark its place; `None` when it has no such lines.
pub(super) fn put_into(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const RESULT: &str =
        "test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 9.35s";

    fn said(doctor: &Value, live: &[&str], live_ok: bool) -> String {
        let mut lines = vec![json!({"step": "doctor", "line": json!({ "checks": doctor }).to_string()})];
        let end = |step: &str, ok: bool| json!({"step": step, "status": "", "ok": ok, "ms": 812});
        lines.extend([end("doctor", true), end("load", true)]);
        lines.extend(live.iter().map(|line| json!({"step": "live", "line": line})));
        lines.push(end("live", live_ok));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn healthy() -> Value {
        let programs = "on_exit (7986 instructions verified), on_exec (650 instructions verified), on_fork, on_task";
        json!([
            {"name": "kernel", "verdict": "ok", "finding": "6.1"},
            {"name": "BTF", "verdict": "degraded", "finding": "no rss"},
            {"name": "programs", "verdict": "ok", "finding": programs},
        ])
    }

    fn row(said: &str) -> Row {
        Row::new("6.1-rt", "6.1.0-55-rt-amd64", Ending::Verdict(true), said, "")
    }

    #[test]
    fn a_kernel_that_passes_has_its_figures_in_both_tables() {
        let rows = [row(&said(&healthy(), &["running 30 tests", RESULT], true))];
        assert!(rows[0].passed(), "{}", rows[0].verdict());
        let markdown = markdown(&rows, "2026-01-02", "abc", "QEMU 9");
        let expected = "| 6.1-rt | 6.1.0-55-rt-amd64 | passed | 30/30 | 4 | - / 650 / 7986 / - | 812 | BTF: no rss |";
        assert_eq!(markdown.lines().next(), Some("2026-01-02, commit abc, QEMU 9: 1 of 1 kernels passed."));
        assert_eq!(markdown.lines().nth(4), Some(expected));
        let text = text(&rows);
        assert_eq!(text.lines().count(), 2);
        let columns = |line: &str, word: &str| line.find(word).unwrap();
        assert_eq!(columns(text.lines().next().unwrap(), "verdict"), columns(text.lines().nth(1).unwrap(), "passed"));
    }

    #[test]
    fn a_document_keeps_what_is_not_the_table() {
        let document = format!("# Kernels\n\n{BEGIN}\n{END}\n\nWhy.\n");
        let once = put_into(&document, "| one |\n").unwrap();
        let twice = put_into(&once, "| two |\n").unwrap();
        assert_eq!(twice, format!("# Kernels\n\n{BEGIN}\n\n| two |\n\n{END}\n\nWhy.\n"));
        assert_eq!(put_into("# Kernels\n", "| one |\n"), None);
    }

    #[test]
    fn a_document_with_a_row_between_the_marks_has_a_table() {
        let document = format!("| not | here |\n|---|---|\n| a | b |\n{BEGIN}\n{END}\n");
        let rows = [row("")];
        let with = |rows| put_into(&document, &markdown(rows, "2026-01-02", "abc", "QEMU 9")).unwrap();
        assert!(has_table(&with(&rows)));
        assert!(!has_table(&document) && !has_table(&with(&[])) && !has_table("| a |\n|---|\n| b |\n"));
    }

    #[test]
    fn a_second_try_says_what_came_of_the_first() {
        let good = row(&said(&healthy(), &[RESULT], true));
        let bad = row("");
        assert_eq!(good.clone().after(&bad).verdict(), "passed when tried again; before: doctor, load, live");
        let verdict = bad.clone().after(&bad).verdict();
        assert_eq!(verdict, "FAILED again: doctor, load, live; before: doctor, load, live");
        let hung = Row::new("6.1-rt", "6.1", Ending::Hung, &said(&healthy(), &[RESULT], true), "");
        let third = good.clone().after(&hung.clone().after(&hung));
        assert_eq!(third.verdict(), "passed when tried again; before: its kernel hung, its kernel hung");
        assert!(hung.broke_off() && !bad.broke_off() && !third.broke_off());
        assert!(good.after(&bad).passed() && bad.was_booted() && !Row::absent("6.1-rt", "404").was_booted());
    }

    #[test]
    fn tests_that_fail_are_named_and_what_they_said_is_shown() {
        let live = [
            "test a::b ... FAILED",
            "failures:",
            "---- a::b stdout ----",
            "why",
            "failures:",
            "    a::b",
            "",
            "test result: FAILED. 29 passed; 1 failed; 0 ignored; 0 measured; 1 filtered out; finished in 9.35s",
        ];
        let row = row(&said(&healthy(), &live, false));
        assert_eq!(row.verdict(), "FAILED: a::b");
        assert_eq!(row.cells()[3], "29/30");
        assert!(text(&[row]).contains("\n    why\n"));
    }

    #[test]
    fn of_a_kernel_that_hung_or_panicked_its_last_words_are_shown() {
        let console: String = (1..=60).map(|n| format!("[ {n}.0] line {n}\n")).collect();
        let row = Row::new("5.10", "5.10.0", Ending::Hung, "", &console);
        let text = text(&[row]);
        assert!(
            text.contains("\n5.10: its kernel hung\n    [ 21.0] line 21\n") && text.contains("    [ 60.0] line 60\n")
        );
        let well = Row::new("5.10", "5.10.0", Ending::Verdict(true), &said(&healthy(), &[RESULT], true), &console);
        assert!(!super::text(&[well]).contains("line 60"));
    }

    #[test]
    fn nothing_but_a_complete_account_passes() {
        let complete = said(&healthy(), &[RESULT], true);
        let mut refused = healthy();
        refused[2] = json!({"name": "programs", "verdict": "bad", "finding": "the verifier says no"});
        let mut spared = healthy();
        spared[2]["verdict"] = "degraded".into();
        let mut spares = healthy();
        spares[1] = json!({"name": "spares", "verdict": "degraded", "finding": "on_exec_2 was refused"});
        let mut three = healthy();
        three[2]["finding"] = "on_exit, on_exec, on_fork".into();
        let none = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 31 filtered out; finished in 0.00s";
        for (said, verdict) in [
            (String::new(), "FAILED: doctor, load, live"),
            (complete[..complete.len() - 20].to_owned(), "FAILED: live"),
            (said(&refused, &[RESULT], true), "FAILED: doctor: programs"),
            (said(&spared, &[RESULT], true), "FAILED: doctor: programs"),
            (said(&spares, &[RESULT], true), "FAILED: doctor: spares"),
            (said(&three, &[RESULT], true), "FAILED: doctor"),
            (said(&healthy(), &[none], true), "FAILED: live"),
            (said(&healthy(), &[RESULT], false), "FAILED: live"),
        ] {
            assert_eq!(row(&said).verdict(), verdict, "{said}");
        }
        let ended = |ending| Row::new("7.3-cloud", "7.3", ending, &complete, "").verdict();
        assert_eq!(ended(Ending::NoVerdict), "FAILED: ended without a verdict");
        assert_eq!(ended(Ending::TimedOut(Duration::from_secs(9))), "FAILED: no end after 9 s");
        assert_eq!(ended(Ending::Hung), "FAILED: its kernel hung");
        assert_eq!(ended(Ending::Verdict(false)), "FAILED: the guest says so");
        assert_eq!(Row::absent("7.3-cloud", "404").verdict(), "FAILED: no image");
    }
}
