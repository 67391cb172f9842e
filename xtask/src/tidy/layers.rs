//! Layering (invariant I17): which crate may know what. Dependencies are judged by manifest, the standard library and
//! `unsafe` by source; tests are free of it all but `unsafe`.

use super::Finding;
use super::code::{code, paths, tokens, without_tests};

/// What a crate must not name.
struct Layer {
    /// Its folder, from the top.
    folder: &'static str,
    /// Packages that may not be among its dependencies.
    packages: &'static [&'static str],
    /// Paths that may not begin a path in its sources.
    paths: &'static [&'static str],
    /// Exceptions to `paths`.
    except: &'static [&'static str],
    /// Macros that it may not call.
    macros: &'static [&'static str],
    /// What its root must say, and where the root is.
    says: Option<(&'static str, &'static str)>,
}

const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln"];

const LAYERS: &[Layer] = &[
    Layer {
        folder: "common/",
        packages: &["ptree-core", "ptree-source", "ptree-tui", "aya", "aya-ebpf", "libc", "nix", "tokio"],
        paths: &["std", "alloc"],
        except: &[],
        macros: PRINTING,
        says: Some(("common/src/lib.rs", "#![no_std]")),
    },
    Layer {
        folder: "ebpf/",
        packages: &["ptree-core", "ptree-source", "ptree-tui", "aya"],
        paths: &["std", "alloc"],
        except: &[],
        macros: &[],
        says: None,
    },
    Layer {
        folder: "tui/core/",
        packages: &[
            "ptree-source",
            "ptree-tui",
            "aya",
            "tokio",
            "ratatui",
            "crossterm",
            "clap",
            "nix",
            "libc",
            "anyhow",
        ],
        // No clock, no I/O, no environment: time comes with the events.
        paths: &["std::fs", "std::io", "std::net", "std::process", "std::env", "std::thread", "std::time", "std::os"],
        except: &["std::time::Duration"],
        macros: PRINTING,
        says: Some(("tui/core/src/lib.rs", "#![forbid(unsafe_code)]")),
    },
    Layer {
        folder: "tui/source/",
        packages: &["ptree-tui", "ratatui", "crossterm", "clap"],
        paths: &[],
        except: &[],
        macros: PRINTING,
        says: None,
    },
    // There `tell` and `cmd::print` do it; the functions that these macros call are barred by `tui/clippy.toml`.
    Layer {
        folder: "tui/src/",
        packages: &[],
        paths: &[],
        except: &[],
        macros: PRINTING,
        says: Some(("tui/src/lib.rs", "#![forbid(unsafe_code)]")),
    },
];

/// Where `unsafe` may stand: the kernel side, the loader, what asks how the program was started and what sees to
/// it that a fault leaves the terminal as it was, the workloads of the tests,
/// which must do strange things, and what runs in the machines of `cargo xtask vm`, which speaks through I/O ports.
const UNSAFE: &[&str] = &[
    "ebpf/",
    "tui/source/src/live",
    "tui/source/src/start.rs",
    "tui/source/src/fatal.rs",
    "tui/examples/",
    "xtask/examples/",
];

fn layer(path: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| path.starts_with(layer.folder))
}

/// The dependencies of a manifest, and that it takes part in the workspace's lints, unless it is a workspace itself.
pub(super) fn manifest(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let mut section = "";
    let mut lints = false;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
        lints |= line == "[workspace]" || section == "lints" && line.replace(' ', "") == "workspace=true";
        let Some(layer) = layer(path) else { continue };
        let table = section.rsplit_once("dependencies").filter(|(kind, _)| !kind.ends_with("dev-"));
        // Either `[dependencies]` and a line for each, or `[dependencies.name]`.
        let package = match table {
            Some((_, "")) => line.split(['=', '.', ' ']).next(),
            Some((_, name)) if line.starts_with('[') => name.strip_prefix('.'),
            _ => None,
        };
        let package = package.map(|name| name.trim_matches('"'));
        if let Some(package) = package.filter(|package| layer.packages.contains(package)) {
            findings.push(Finding::new(path, number, format!("{} must not depend on '{package}'", layer.folder)));
        }
    }
    if !lints {
        findings.push(Finding::new(path, 0, "does not take the workspace's lints: `[lints] workspace = true`"));
    }
}

/// The paths, macros and `unsafe` of a source file.
pub(super) fn source(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let code = code(text);
    if !UNSAFE.iter().any(|folder| path.starts_with(folder)) {
        for token in tokens(&code).iter().filter(|token| token.text == "unsafe") {
            findings.push(Finding::new(
                path,
                token.line,
                "`unsafe` is for the kernel side, the loader, how the program was started and how it faults, and examples: workloads and guests",
            ));
        }
    }
    let Some(layer) = layer(path) else { return };
    if let Some((_, says)) = layer.says.filter(|(root, says)| *root == path && !code.contains(says)) {
        findings.push(Finding::new(path, 0, format!("must say `{says}`")));
    }
    if super::style::is_test(path) {
        return;
    }
    let code = without_tests(&code);
    let tokens = tokens(&code);
    let begins = |path: &str, with: &&&str| {
        path.strip_prefix(**with).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    for (name, line) in paths(&tokens) {
        let forbidden = layer.paths.iter().find(|with| begins(&name, with));
        if forbidden.is_some() && !layer.except.iter().any(|with| begins(&name, &with)) {
            findings.push(Finding::new(path, line, format!("{} must not name '{name}'", layer.folder)));
        }
    }
    for pair in tokens.windows(2) {
        if pair[1].text == "!" && layer.macros.contains(&pair[0].text) {
            findings.push(Finding::new(path, pair[0].line, format!("{} must not print", layer.folder)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    fn source_lines(path: &str, text: &str) -> Vec<usize> {
        let mut findings = Vec::new();
        source(path, text, &mut findings);
        findings.into_iter().map(|finding| finding.line).collect()
    }

    fn manifest_lines(path: &str, text: &str) -> Vec<usize> {
        let mut findings = Vec::new();
        manifest(path, &format!("{text}\n[lints]\nworkspace = true\n"), &mut findings);
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn the_core_has_neither_clock_nor_files_nor_a_voice() {
        let check = |text: &str| source_lines("tui/core/src/engine.rs", text);
        assert_eq!(check("use std::fs;"), [1]);
        assert_eq!(check("use std::{fmt, io};"), [1]);
        assert_eq!(check("\nlet now = std::time::Instant::now();"), [2]);
        assert_eq!(check("use std::time::{Duration, SystemTime};"), [1]);
        assert_eq!(check("println!();\neprintln!()"), [1, 2]);
        for path in ["tui/src/cmd/man.rs", "tui/source/src/live.rs"] {
            assert_eq!(source_lines(path, "print!();\neprint!()"), [1, 2]);
        }
        assert_eq!(source_lines("tui/examples/soak.rs", "println!()"), NONE);
        assert_eq!(check("use std::time::Duration; use std::fmt::Write; // std::fs\nlet text = \"std::fs\";"), NONE);
        assert_eq!(check("use std::iota; mod fs;"), NONE);
        assert_eq!(check("#[cfg(test)]\nmod tests { use std::fs; }"), NONE);
        assert_eq!(source_lines("tui/core/src/engine/tests.rs", "use std::fs;"), NONE);
        assert_eq!(source_lines("tui/source/src/proc.rs", "use std::fs;"), NONE);
    }

    #[test]
    fn the_shared_crate_and_the_core_say_what_they_are() {
        assert_eq!(source_lines("tui/core/src/lib.rs", "mod a;"), [0]);
        assert_eq!(source_lines("tui/core/src/lib.rs", "// #![forbid(unsafe_code)]"), [0]);
        assert_eq!(source_lines("tui/core/src/lib.rs", "#![forbid(unsafe_code)]"), NONE);
        assert_eq!(source_lines("common/src/lib.rs", "#![no_std]\nuse core::mem;"), NONE);
        assert_eq!(source_lines("common/src/wire.rs", "use std::mem;"), [1]);
    }

    #[test]
    fn unsafe_stays_where_it_is_needed() {
        let block = "fn f() { unsafe { g() } }";
        for path in ["tui/src/main.rs", "tui/source/src/proc.rs", "tui/core/src/tests.rs", "tui/tests/live/main.rs"] {
            assert_eq!(source_lines(path, block), [1], "{path}");
        }
        for path in [
            "ebpf/src/fork.rs",
            "tui/source/src/live.rs",
            "tui/source/src/live/ring.rs",
            "tui/examples/w.rs",
            "xtask/examples/g.rs",
        ] {
            assert_eq!(source_lines(path, block), NONE, "{path}");
        }
        assert_eq!(source_lines("tui/src/main.rs", "#![forbid(unsafe_code)] // unsafe"), NONE);
    }

    #[test]
    fn forbidden_dependencies_are_found_however_they_are_written() {
        let check = |text: &str| manifest_lines("tui/core/Cargo.toml", text);
        assert_eq!(check("[dependencies]\ntokio.workspace = true\nnix = { workspace = true }"), [2, 3]);
        assert_eq!(check("[dependencies.ratatui]\nworkspace = true"), [1]);
        assert_eq!(check("[target.'cfg(unix)'.dependencies]\nlibc=\"0.2\""), [2]);
        assert_eq!(check("[build-dependencies]\nlibc = \"0.2\""), [2]);
        assert_eq!(
            check("[dev-dependencies]\ntokio = \"1\"\n[dependencies]\npetgraph = \"0.8\"\n[features]\nnix = []"),
            NONE
        );
        assert_eq!(manifest_lines("tui/Cargo.toml", "[dependencies]\ntokio = \"1\""), NONE);
        assert_eq!(manifest_lines("tui/source/Cargo.toml", "[dependencies]\nclap = \"4\""), [2]);
    }

    #[test]
    fn every_member_takes_the_lints() {
        let mut findings = Vec::new();
        manifest("tui/Cargo.toml", "[package]\nname = \"x\"\n", &mut findings);
        assert_eq!(findings.len(), 1);
        manifest("Cargo.toml", "[workspace]\n", &mut findings);
        manifest("fuzz/Cargo.toml", "[workspace]\n[package]\nname = \"y\"\n", &mut findings);
        assert_eq!(findings.len(), 1);
    }
}
