//! Rules for the documents: their links lead somewhere inside the repository, and the change log is open.

use super::{File, Finding};

/// Every link of a document to a file or a heading of the repository.
pub(super) fn links(path: &str, text: &str, files: &[File], findings: &mut Vec<Finding>) {
    for (line, target) in targets(text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
        let file = if file.is_empty() { Some(path.to_string()) } else { resolve(path, file) };
        let found = file.and_then(|file| {
            let folder = format!("{file}/");
            let exact = files.iter().find(|other| other.path == file);
            exact.or_else(|| files.iter().find(|other| other.path.starts_with(&folder)))
        });
        let Some(found) = found else {
            findings.push(Finding::new(path, line, format!("the link '{target}' leads nowhere")));
            continue;
        };
        let headings = String::from_utf8_lossy(&found.bytes);
        if anchor.is_some_and(|anchor| !prose(&headings).any(|(_, line)| heading(&line).as_deref() == Some(anchor))) {
            findings.push(Finding::new(path, line, format!("the link '{target}' names no heading of {}", found.path)));
        }
    }
}

/// That there is a change log with a place for what is not released.
pub(super) fn changelog(files: &[File], findings: &mut Vec<Finding>) {
    let open = files.iter().find(|file| file.path == "CHANGELOG.md").is_some_and(|file| {
        String::from_utf8_lossy(&file.bytes).lines().any(|line| line.trim_end() == "## [Unreleased]")
    });
    if !open {
        findings.push(Finding::new("CHANGELOG.md", 0, "has no section '## [Unreleased]'"));
    }
}

/// The lines outside code blocks, with code spans taken out, and their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then(|| (number, line.split('`').step_by(2).collect()))
    })
}

/// Where the links of a document lead, and on which line they stand: `[text](target)` and `[text]: target`.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let inline = line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split([')', ' ']).next());
        let definition =
            line.starts_with('[').then(|| line.split_once("]: ")).flatten().map(|(_, target)| target.trim());
        // `line` is made here; the same words stand in `text`.
        let original = text.lines().nth(number - 1).unwrap_or_default();
        for target in inline.chain(definition).filter(|target| !target.is_empty()) {
            if let Some(at) = original.find(target) {
                found.push((number, &original[at..at + target.len()]));
            }
        }
    }
    found
}

/// `link` as seen from the folder of `path`; `None` when it leaves the repository.
fn resolve(path: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The anchor that renderers make of a heading: small letters, hyphens for spaces, no punctuation.
fn heading(line: &str) -> Option<String> {
    let title = line.starts_with('#').then(|| line.trim_start_matches('#').strip_prefix(' '))??.trim();
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    fn bad_links(text: &str) -> Vec<usize> {
        let file = |path: &str, text: &str| File { path: path.into(), bytes: text.into() };
        let files = [
            file("README.md", text),
            file("docs/a.md", "# A thing, or two\n```\n# not this\n```\n"),
            file("docs/b/c.png", ""),
        ];
        let mut findings = Vec::new();
        links("README.md", text, &files, &mut findings);
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn links_must_lead_to_files_folders_or_headings() {
        assert_eq!(bad_links("[a](docs/a.md) [b](./docs/b/) [c](docs/../README.md) [d](https://x.y/z)"), NONE);
        assert_eq!(bad_links("x\n[a](docs/no.md)\n[b](../outside.md) [c](docs/b/c.jpg)"), [2, 3, 3]);
        assert_eq!(bad_links("[a](docs/a.md#a-thing-or-two) [b](#here)\n## Here"), NONE);
        assert_eq!(bad_links("[a](docs/a.md#not-this)\n[b](#nowhere)"), [1, 2]);
        assert_eq!(bad_links("[Unreleased]: https://x.y\n[b]: gone.md"), [2]);
    }

    #[test]
    fn code_is_no_link() {
        assert_eq!(bad_links("`[a](gone.md)`\n```\n[b](gone.md)\n```\n[c](gone.md)"), [5]);
    }

    #[test]
    fn the_change_log_must_be_open() {
        let check = |text: &str| {
            let mut findings = Vec::new();
            changelog(&[File { path: "CHANGELOG.md".into(), bytes: text.into() }], &mut findings);
            findings.len()
        };
        assert_eq!(check("# Changelog\n\n## [Unreleased]\n"), 0);
        assert_eq!(check("# Changelog\n\n## [0.1.0]\n"), 1);
    }
}
