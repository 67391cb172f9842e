//! Rules for one file at a time: how it opens, how long it is, and what must not be left in it.

use super::Finding;
use super::code::{code, tokens, without_tests};

/// Lines of code from which on a file is worth splitting.
const SOFT_LINES: usize = 400;
/// Lines of code that no file may pass.
const HARD_LINES: usize = 700;

/// Macros that stand for work not done.
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// Words in comments that do. In parts, because this file is checked as well.
const MARKERS: [&str; 2] = [concat!("FIX", "ME"), concat!("XX", "X")];
/// Folders of people and machines; likewise.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Whether only tests compile the file.
pub(super) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || ["/tests/", "/examples/", "/benches/"].iter().any(|folder| path.contains(folder))
}

/// All rules for a Rust file.
pub(super) fn check(path: &str, text: &str, findings: &mut Vec<Finding>) {
    if !text.starts_with("//!") {
        findings.push(Finding::new(path, 1, "does not open with `//!`: what it owns and what it does not know"));
    }
    let code = code(text);
    size(path, &code, findings);
    leftovers(path, text, &code, findings);
}

fn size(path: &str, code: &str, findings: &mut Vec<Finding>) {
    if is_test(path) {
        return;
    }
    let lines = without_tests(code).lines().filter(|line| !line.trim().is_empty()).count();
    if lines > SOFT_LINES {
        let message =
            format!("{lines} lines of code; from {SOFT_LINES} on a file is worth splitting, {HARD_LINES} is the limit");
        findings.push(Finding { warning: lines <= HARD_LINES, ..Finding::new(path, 0, message) });
    }
}

fn leftovers(path: &str, text: &str, code: &str, findings: &mut Vec<Finding>) {
    let tokens = tokens(code);
    for window in tokens.windows(2) {
        if window[1].text == "!" && UNFINISHED.contains(&window[0].text) {
            findings.push(Finding::new(path, window[0].line, format!("`{}!` was left in", window[0].text)));
        }
    }
    for window in tokens.windows(3) {
        if [window[0].text, window[1].text, window[2].text] == ["#", "[", "ignore"] {
            findings.push(Finding::new(path, window[0].line, "an ignored test tests nothing: let it say why it skips"));
        }
    }
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(marker) =
            MARKERS.iter().find(|marker| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == **marker))
        {
            findings.push(Finding::new(path, number, format!("'{marker}' was left in")));
        }
    }
}

/// Folders of one machine, in any file: text or compiled.
pub(super) fn machine_paths(path: &str, bytes: &[u8], findings: &mut Vec<Finding>) {
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        for folder in MACHINE_PATHS {
            let hit = |at: usize| {
                // Only where a path begins: `target/` followed by such a name is none.
                let begins = at == 0 || !(line[at - 1].is_ascii_alphanumeric() || b"_-.".contains(&line[at - 1]));
                begins && line[at..].starts_with(folder.as_bytes())
            };
            if (0..line.len()).filter(|&at| line[at] == b'/').any(hit) {
                findings.push(Finding::new(path, number, format!("'{folder}' is a folder of some machine")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        check(path, text, &mut findings);
        findings
            .into_iter()
            .map(|finding| format!("{}{}", if finding.warning { "warning " } else { "" }, finding.message))
            .collect()
    }

    fn has(path: &str, text: &str, expected: &str) {
        let messages = messages(path, text);
        assert!(messages.len() == 1 && messages[0].contains(expected), "{text}: {messages:?}");
    }

    #[test]
    fn a_file_says_what_it_is_first() {
        has("a.rs", "mod b;\n", "does not open");
        has("a.rs", "\n//! Late.\n", "does not open");
        assert_eq!(messages("a.rs", "//! What it is.\n"), [""; 0]);
    }

    #[test]
    fn long_files_are_warned_of_and_too_long_ones_fail() {
        let file = |lines: usize| format!("//! Long.\n{}", "// why\n\nx();\n".repeat(lines));
        assert_eq!(messages("a.rs", &file(SOFT_LINES)), [""; 0]);
        has("a.rs", &file(SOFT_LINES + 1), "warning 401 lines");
        has("a.rs", &file(HARD_LINES), "warning 700 lines");
        has("a.rs", &file(HARD_LINES + 1), "701 lines");
        assert!(!messages("a.rs", &file(HARD_LINES + 1))[0].starts_with("warning"));
    }

    #[test]
    fn tests_do_not_count() {
        let body = "x();\n".repeat(HARD_LINES + 1);
        assert_eq!(messages("a.rs", &format!("//! A.\n#[cfg(test)]\nmod tests {{\n{body}}}\n")), [""; 0]);
        assert_eq!(messages("src/a/tests.rs", &format!("//! A.\n{body}")), [""; 0]);
        has("a.rs", &format!("//! A.\n#[cfg(test)]\nmod tests;\n{body}"), "701 lines");
    }

    #[test]
    fn unfinished_work_is_found() {
        for name in UNFINISHED {
            has("a.rs", &format!("//! A.\nfn f() {{ {name}!(1) }}\n"), "left in");
            assert_eq!(messages("a.rs", &format!("//! A.\n// {name}!()\nlet x = \"{name}!\"; {name}();\n")), [""; 0]);
        }
        for marker in MARKERS {
            has("a.rs", &format!("//! A.\n// {marker}: later\n"), "left in");
            assert_eq!(messages("a.rs", &format!("//! A.\nlet {marker}{marker} = 1;\n")), [""; 0]);
        }
        has("a.rs", "//! A.\n#[ignore = \"slow\"]\nfn f() {}\n", "ignored");
    }

    #[test]
    fn paths_of_machines_are_found_in_any_file() {
        let count = |bytes: &[u8]| {
            let mut findings = Vec::new();
            machine_paths("assets/x.o", bytes, &mut findings);
            findings.len()
        };
        for folder in MACHINE_PATHS {
            assert_eq!(count(format!("{folder}x").as_bytes()), 1);
            assert_eq!(count(&[b"\0\xff\n\0", folder.as_bytes(), b"x\0"].concat()), 1);
            assert_eq!(count(format!("target{folder}x").as_bytes()), 0);
        }
        assert_eq!(count(b"/usr/lib"), 0);
    }
}
