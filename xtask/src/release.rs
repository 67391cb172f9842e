//! `cargo xtask release`: from a clean checkout to archives that can be published, or the reason why not.
//!
//! Everything is checked first: the version, what CI checks, and every kernel. Nothing is tagged, and nothing leaves this
//! machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{ci, ebpf, flag, process, setup, vm};

/// All crates have it.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What is built. Both without a C library to be found, so that they run wherever there is a kernel.
const TARGETS: [&str; 2] = [vm::TARGET, "aarch64-unknown-linux-musl"];
/// Where it goes, from the top.
const FOLDER: &str = "target/dist";
/// Comes along in every archive.
const DOCUMENTS: [&str; 15] = [
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    KERNELS,
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "docs/columns.md",
    "docs/commands.md",
    "docs/configuration.md",
    "docs/filters.md",
    "docs/install.md",
    "docs/promises.md",
    "docs/screen.md",
    "docs/stream.md",
    "docs/tasks.md",
];
/// The page with the table of kernels.
const KERNELS: &str = "KERNELS.md";
/// Licences of what is linked in: of crates, and of Rust's own library with what that is made from.
const NOTICES: [&str; 2] = ["THIRD-PARTY.txt", "THIRD-PARTY-RUST.html"];
/// Stands for the holders where a package has left out its notice, and cargo-about puts in a licence's bare form.
const NOBODY: &str = "<copyright holders>";
/// Of the C library that Rust brings along for these targets, which has no text of it.
const MUSL: &str = "musl (https://musl.libc.org)\n\nCopyright (c) 2005-2020 Rich Felker, et al.\n\n\
                    Under the MIT License, whose conditions stand below.";
/// What the program itself prints, and where it belongs.
const PRINTED: [(&str, &[&str]); 4] = [
    ("ptree-tui.1", &["man"]),
    ("completions/ptree-tui.bash", &["completions", "bash"]),
    ("completions/ptree-tui.fish", &["completions", "fish"]),
    ("completions/_ptree-tui", &["completions", "zsh"]),
];

/// Checks, builds and packs. With `--allow-red`, kernels that do not pass are no reason to stop.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let allow_red = flag(args, Some("--allow-red"))?;
    let root = process::root()?;
    clean()?;
    changelog(&fs::read_to_string(root.join("CHANGELOG.md"))?)?;
    if !vm::has_table(&fs::read_to_string(root.join(KERNELS))?) {
        bail!("{KERNELS} has no table: run `cargo xtask vm --markdown {KERNELS}` and commit what it writes");
    }
    let folder = root.join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    notices(&folder)?;
    ci::run(&[])?;

    // The archives have the page as committed: this one tells the day and how long things took, and so differs each time.
    let page = folder.join(KERNELS);
    fs::copy(root.join(KERNELS), &page)?;
    // Those of CI are not booted again.
    let kernels = vm::run(&["--continue".into(), "--markdown".into(), page.display().to_string()]);
    match kernels {
        Err(error) if !allow_red => {
            return Err(error.context(format!(
                "no release: mend it, or explain it in {KERNELS} and give --allow-red; what passed is not booted again"
            )));
        }
        Err(error) => eprintln!("warning: {error:#}"),
        Ok(()) => {}
    }

    let programs = TARGETS.iter().map(|target| build(target)).collect::<Result<Vec<_>>>()?;
    check(&programs[0])?;
    let printed = print(&programs[0], &folder)?;
    let archives = TARGETS.iter().zip(&programs).map(|(target, program)| pack(&folder, target, program, &printed));
    let archives = archives.collect::<Result<Vec<_>>>()?;
    let sums = process::output(Command::new("sha256sum").args(&archives).current_dir(&folder))?;
    fs::write(folder.join("SHA256SUMS"), &sums)?;
    // Whatever was done meanwhile, that is what was built.
    clean()?;
    println!("{sums}in {FOLDER}");
    Ok(())
}

/// Nothing may be in the archives that is not in a commit.
fn clean() -> Result<()> {
    let changed = process::output(Command::new("git").args(["status", "--porcelain"]).current_dir(process::root()?))?;
    if !changed.is_empty() {
        bail!("the checkout is not clean:\n{}", changed.trim_end());
    }
    Ok(())
}

/// The version has its section, with a date, before all older ones; and nothing waits for a later one.
fn changelog(text: &str) -> Result<()> {
    let sections: Vec<(&str, &str)> = text
        .split("\n## ")
        .skip(1)
        .map(|section| section.split_once('\n').map_or((section, ""), |(heading, rest)| (heading, rest.trim())))
        .collect();
    match sections.as_slice() {
        [("[Unreleased]", ""), (heading, what), ..] if is_dated(heading, VERSION) && !what.is_empty() => Ok(()),
        [("[Unreleased]", waiting), ..] if !waiting.is_empty() => {
            bail!("CHANGELOG.md has something under 'Unreleased': give it the heading '## [{VERSION}] - YYYY-MM-DD'")
        }
        _ => bail!("CHANGELOG.md does not say what is in version {VERSION}, below an empty '## [Unreleased]'"),
    }
}

/// `[VERSION] - YYYY-MM-DD`.
fn is_dated(heading: &str, version: &str) -> bool {
    let date = heading.strip_prefix(&format!("[{version}] - ")).unwrap_or_default();
    date.len() == 10
        && date
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

fn build(target: &str) -> Result<PathBuf> {
    setup::rust_target(target)?;
    let mut cargo = process::cargo(["build", "--locked", "--release", "--package", "ptree-tui", "--bin", "ptree-tui"])?;
    cargo.args(["--target", target]);
    // Comes with Rust, and links for any machine what needs nothing from that machine.
    let linker = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
    cargo.env(linker, "rust-lld").env("CARGO_ENCODED_RUSTFLAGS", ebpf::flags_without_folders(&[])?);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let messages = process::output_shown(&mut cargo)?;
    let program = vm::executable(&messages, "ptree-tui").context("cargo has not said where the program is")?;
    let bytes = fs::read(&program)?;
    if vm::needs_libraries(&bytes) {
        bail!("'{}' needs libraries", program.display());
    }
    for folder in [process::root()?, ebpf::cargo_home()?, ebpf::sysroot()?] {
        let name = folder.as_os_str().as_encoded_bytes();
        if bytes.windows(name.len()).any(|window| window == name) {
            bail!("'{}' holds the name of the folder '{}'", program.display(), folder.display());
        }
    }
    Ok(program)
}

/// It must at least say who it is.
fn check(program: &Path) -> Result<()> {
    let said = process::output(Command::new(program).arg("--version"))?;
    if said.trim_end() != format!("ptree-tui {VERSION}") {
        bail!("the program calls itself '{}', not version {VERSION}", said.trim_end());
    }
    Ok(())
}

/// Gathers the licences of what the program and its eBPF object are made from.
fn notices(folder: &Path) -> Result<()> {
    setup::cargo_about()?;
    process::run(&mut process::cargo(["fetch", "--locked"])?)?;
    let mut text = format!("{MUSL}\n\n{}\n\n", "-".repeat(80));
    for (manifest, targets) in [("tui/Cargo.toml", &TARGETS[..]), ("ebpf/Cargo.toml", &[ebpf::TARGET])] {
        let mut about = process::cargo(["about", "generate", "--offline", "--locked", "--fail"])?;
        about.args(targets.iter().flat_map(|target| ["--target", target]));
        about.args(["--config", "about.toml", "--manifest-path", manifest, "xtask/third-party.hbs"]);
        text += &process::output_shown(&mut about)?;
    }
    if text.contains(NOBODY) {
        bail!("a package in '{}' has no notice of its own: see 'about.toml'", NOTICES[0]);
    }
    let [crates, library] = NOTICES;
    fs::write(folder.join(crates), text)?;
    let copyright = ebpf::sysroot()?.join("share/doc/rust/COPYRIGHT-library.html");
    fs::copy(&copyright, folder.join(library)).with_context(|| format!("cannot copy '{}'", copyright.display()))?;
    Ok(())
}

/// Has the program print its manual page and completions; names of the files.
fn print(program: &Path, folder: &Path) -> Result<Vec<&'static str>> {
    fs::create_dir_all(folder.join("completions"))?;
    for (name, args) in PRINTED {
        fs::write(folder.join(name), process::output(Command::new(program).args(args))?)?;
    }
    Ok(PRINTED.iter().map(|(name, _)| *name).collect())
}

/// Makes the archive for a target; its name. The same commit gives the same bytes.
fn pack(folder: &Path, target: &str, program: &Path, printed: &[&str]) -> Result<String> {
    let name = format!("ptree-tui-{VERSION}-{}", target.trim_end_matches("-unknown-linux-musl"));
    let staged = folder.join(&name);
    for folder in ["completions", "docs"] {
        fs::create_dir_all(staged.join(folder))?;
    }
    fs::copy(program, staged.join("ptree-tui"))?;
    for document in DOCUMENTS {
        fs::copy(process::root()?.join(document), staged.join(document))?;
    }
    for file in printed.iter().chain(&NOTICES) {
        fs::copy(folder.join(file), staged.join(file))?;
    }
    let time = process::output(Command::new("git").args(["log", "-1", "--format=@%ct"]))?;
    let archive = format!("{name}.tar.gz");
    let mut tar = Command::new("tar");
    tar.args(["--create", "--sort=name", "--format=gnu", "--owner=root:0", "--group=root:0", "--mode=u+rwX,go=rX"]);
    tar.arg(format!("--mtime={}", time.trim()));
    tar.args(["--use-compress-program=gzip --no-name --best", "--file", &archive, &name]);
    process::run(tar.current_dir(folder))?;
    fs::remove_dir_all(staged)?;
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_its_dated_section_right_below_an_empty_one() {
        let good = format!(
            "# Changelog\n\n## [Unreleased]\n\n## [{VERSION}] - 2026-11-30\n\n- All.\n\n## [0.0.1] - 2026-01-01\n"
        );
        changelog(&good).unwrap();
        let waiting = good.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n");
        assert!(changelog(&waiting).unwrap_err().to_string().contains("Unreleased"));
        for bad in [
            good.replace(VERSION, "99.0.0"),
            good.replace("2026-11-30", "soon"),
            good.replace("- All.", ""),
            "# Changelog\n".into(),
        ] {
            assert!(changelog(&bad).unwrap_err().to_string().contains(VERSION), "{bad}");
        }
    }

    #[test]
    fn notices_are_gathered_of_every_licence_that_there_may_be() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let list = |file: &str, key: &str| {
            let text = fs::read_to_string(root.join(file)).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.unwrap_or_else(|| panic!("no '{key}' in {file}")).to_owned()
        };
        assert_eq!(list("about.toml", "accepted"), list("deny.toml", "allow"));
    }

    #[test]
    fn every_document_of_an_archive_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for document in DOCUMENTS {
            assert!(root.join(document).is_file(), "{document}");
        }
        let pages = root.join("docs").read_dir().unwrap().count();
        assert_eq!(DOCUMENTS.iter().filter(|document| document.starts_with("docs/")).count(), pages);
    }
}
