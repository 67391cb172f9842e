//! Layering inside the crates: which module may name which, and how many files name each other in a circle.
//!
//! An arrow goes from a file to each other file that its paths lead to: `crate::…`, `super::…`, `self::…`, and paths
//! that begin with a module of its own. A path leads to the file of the longest module in it. `mod` lines are no
//! arrows, and tests do not count. Neither does the root of a crate: it names all modules to hand them on, and would make
//! one circle of them. So what is named through the root (`crate::Engine`) is not seen. A circle is the files from each
//! of which all others can be reached; a file and its folder are in one where they name each other. Knows no crate but by
//! its folder.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{code, paths, tokens, without_tests};
use super::style::is_test;
use super::{File, Finding};

/// A crate's sources, and how many files its largest circle may have: a number that may only shrink.
const CRATES: &[(&str, usize)] = &[
    ("common/src/", 0),
    ("ebpf/src/", 2),
    ("tui/core/src/", 7),
    ("tui/source/src/", 9),
    ("tui/src/", 19),
    ("xtask/src/", 10),
];

/// Modules, by their path without `.rs`, and those that neither they nor what is below them may name.
const LAYERS: &[(&str, &[&str])] = &[
    ("tui/core/src/tree", &["tui/core/src/engine", "tui/core/src/rows", "tui/core/src/filter"]),
    ("tui/core/src/filter", &["tui/core/src/engine", "tui/core/src/rows"]),
    ("tui/core/src/event", &["tui/core/src/engine", "tui/core/src/rows", "tui/core/src/filter", "tui/core/src/tree"]),
    ("tui/src/app", &["tui/src/view", "tui/src/cmd", "tui/src/runtime", "tui/src/term"]),
    ("tui/src/view", &["tui/src/cmd", "tui/src/runtime", "tui/src/term"]),
    ("tui/src/column", &["tui/src/app", "tui/src/view"]),
    ("tui/src/label", &["tui/src/app", "tui/src/view"]),
    ("tui/src/screen", &["tui/src/app", "tui/src/view"]),
    ("tui/src/config", &["tui/src/app", "tui/src/view", "tui/src/cmd", "tui/src/runtime"]),
    ("tui/src/export", &["tui/src/view", "tui/src/cmd", "tui/src/runtime"]),
    ("tui/src/term", &["tui/src/app", "tui/src/view", "tui/src/cmd"]),
    ("tui/src/inspect", &["tui/src/app", "tui/src/view", "tui/src/cmd"]),
];

/// The arrows that leave a file, each with the line of the first path that makes it.
type Arrows<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

/// The largest circle of each crate, as it is told to the reader.
pub(super) fn circles(files: &[File]) -> Vec<String> {
    let tell = |&(folder, _): &(&str, usize)| format!("{folder}: {} files", largest(&arrows(folder, files)).len());
    CRATES.iter().map(tell).collect()
}

/// Arrows that a layer forbids, and circles that have grown.
pub(super) fn check(files: &[File], findings: &mut Vec<Finding>) {
    for &(folder, ceiling) in CRATES {
        let arrows = arrows(folder, files);
        for (from, to) in &arrows {
            for (to, &line) in to {
                let forbidden = LAYERS
                    .iter()
                    .find(|(module, others)| within(from, module) && others.iter().any(|other| within(to, other)));
                if let Some((module, _)) = forbidden {
                    findings.push(Finding::new(from, line, format!("{module} must not name '{to}'")));
                }
            }
        }
        let circle = largest(&arrows);
        if circle.len() > ceiling {
            let message =
                format!("{} files name each other in a circle, {ceiling} may: {}", circle.len(), circle.join(", "));
            findings.push(Finding::new(folder, 0, message));
        }
    }
}

/// Whether the file is the module or below it.
fn within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// The module that a file of a crate is, from the crate's root.
fn module(path: &str) -> Vec<&str> {
    match path.trim_end_matches(".rs") {
        "lib" | "main" => Vec::new(),
        path => path.split('/').filter(|part| *part != "mod").collect(),
    }
}

fn arrows<'a>(folder: &str, files: &'a [File]) -> Arrows<'a> {
    let inside = |file: &'a File| {
        let path = file.path.strip_prefix(folder)?;
        let text = std::str::from_utf8(&file.bytes).ok()?;
        (path.ends_with(".rs") && !module(path).is_empty() && !is_test(&file.path))
            .then(|| (module(path), (file.path.as_str(), text)))
    };
    let modules: BTreeMap<Vec<&str>, (&str, &str)> = files.iter().filter_map(inside).collect();
    let mut arrows = Arrows::new();
    for (own, &(path, text)) in &modules {
        let out = arrows.entry(path).or_default();
        let code = without_tests(&code(text));
        for (name, line) in paths(&tokens(&code)) {
            let Some(mut full) = absolute(own, &name) else { continue };
            while !full.is_empty() && !modules.contains_key(&full) {
                full.pop();
            }
            if let Some(&(to, _)) = modules.get(&full).filter(|(to, _)| *to != path) {
                out.entry(to).or_insert(line);
            }
        }
    }
    arrows
}

/// The path from the crate's root, for one that is named in the module `own`; none for a single word.
fn absolute<'a>(own: &[&'a str], name: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = name.split("::").peekable();
    let mut full = own.to_vec();
    match *parts.peek()? {
        "crate" => full.clear(),
        "self" => {}
        "super" => {
            while parts.next_if_eq(&"super").is_some() {
                full.pop();
            }
            full.extend(parts);
            return Some(full);
        }
        _ if name.contains("::") => {
            full.extend(parts);
            return Some(full);
        }
        _ => return None,
    }
    full.extend(parts.skip(1));
    Some(full)
}

/// The files of the largest circle, in order; none where there is no circle.
fn largest<'a>(arrows: &Arrows<'a>) -> Vec<&'a str> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = arrows.keys().map(|&from| (from, reachable(arrows, from))).collect();
    let circle = |(&from, to): (&&'a str, &BTreeSet<&'a str>)| -> Vec<&'a str> {
        to.iter().copied().filter(|other| reach[other].contains(from)).collect()
    };
    reach.iter().map(circle).max_by_key(Vec::len).unwrap_or_default()
}

fn reachable<'a>(arrows: &Arrows<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&'a str> = arrows[from].keys().copied().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(arrows[file].keys());
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Vec<File> {
        list.iter().map(|(path, text)| File { path: (*path).into(), bytes: (*text).into() }).collect()
    }

    fn circle(list: &[(&str, &str)]) -> Vec<String> {
        largest(&arrows("tui/src/", &files(list))).into_iter().map(Into::into).collect()
    }

    #[test]
    fn a_circle_is_found_however_its_paths_are_written() {
        let a = ("tui/src/a.rs", "use crate::{b::c::Deep, std};");
        let c = ("tui/src/b/c.rs", "fn f() { super::super::a::g() }");
        assert_eq!(circle(&[a, c]), ["tui/src/a.rs", "tui/src/b/c.rs"]);
        assert_eq!(circle(&[a, ("tui/src/b.rs", "use c::X;"), ("tui/src/b/c.rs", "use super::Y;")]).len(), 2);
        assert!(circle(&[("tui/src/lib.rs", "pub use a::X;"), ("tui/src/a.rs", "use crate::X;")]).is_empty());
    }

    #[test]
    fn neither_mod_lines_nor_tests_nor_words_make_one() {
        let child = ("tui/src/b/c.rs", "use super::Y;");
        assert!(circle(&[("tui/src/b.rs", "mod c; fn f(c: u8) {} // c::X"), child]).is_empty());
        assert!(
            circle(&[("tui/src/b.rs", "#[cfg(test)]\nmod tests { use super::c::X; use crate::b::c::X; }"), child])
                .is_empty()
        );
        assert!(circle(&[("tui/src/b/tests.rs", "use super::c::X;"), child]).is_empty());
    }

    #[test]
    fn layers_are_of_modules_and_what_is_below_them() {
        let lines = |path: &str, text: &str| {
            let mut findings = Vec::new();
            let others = [("tui/src/view.rs", ""), ("tui/src/view/hit.rs", ""), ("tui/src/views.rs", "")];
            check(&files(&[&others[..], &[(path, text)]].concat()), &mut findings);
            findings.into_iter().map(|finding| finding.line).collect::<Vec<_>>()
        };
        assert_eq!(lines("tui/src/app/list.rs", "\nuse crate::view::hit;"), [2]);
        assert_eq!(lines("tui/src/app.rs", "use crate::view;"), [1]);
        assert!(lines("tui/src/app.rs", "use crate::views::X;").is_empty());
        assert!(lines("tui/src/applied.rs", "use crate::view;").is_empty());
    }

    #[test]
    fn a_circle_above_the_ceiling_fails() {
        let mut findings = Vec::new();
        check(
            &files(&[("common/src/a.rs", "use crate::b::X;"), ("common/src/b.rs", "use crate::a::X;")]),
            &mut findings,
        );
        assert_eq!(findings.len(), 1);
    }
}
