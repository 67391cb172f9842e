//! `cargo xtask ebpf`: compiles the package `ptree-ebpf` to the object that the program embeds, and proves that the
//! committed object is what the sources give.
//!
//! The bytes depend on the sources, the lock file and the tools' versions; not on any folder, so that two machines
//! agree. Does not know what the programs do.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{flag, process};

/// The version of bpf-linker whose output is committed.
pub(crate) const LINKER_VERSION: &str = "0.13.0";
/// The LLVM that this rustc's bitcode needs.
pub(crate) const LLVM_MAJOR: u32 = 22;

const OBJECT: &str = "assets/ptree.bpf.o";
pub(crate) const TARGET: &str = "bpfel-unknown-none";

/// Builds the object, then writes it to `assets/` or, with `--check`, compares.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let check = flag(args, Some("--check"))?;
    let object = process::root()?.join(OBJECT);
    let (built, tools) = build()?;
    let committed = match fs::read(&object) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read '{OBJECT}'")),
    };
    if let Some(difference) = difference(committed.as_deref(), &built) {
        if check {
            bail!(
                "{OBJECT} is not what the sources give: {difference}. Built with {tools}. \
                 Run `cargo xtask ebpf` and commit the object"
            );
        }
        if let Some(folder) = object.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create '{}'", folder.display()))?;
        }
        fs::write(&object, &built).with_context(|| format!("cannot write '{OBJECT}'"))?;
        eprintln!("{OBJECT}: {} bytes written, built with {tools}", built.len());
    } else {
        eprintln!("{OBJECT}: {} bytes, exactly what the sources give", built.len());
    }
    Ok(())
}

/// Lints the package as the kernel's target sees it; for the host it is empty.
pub(crate) fn clippy() -> Result<()> {
    process::run(cargo("clippy")?.args(["--", "-D", "warnings"]))
}

/// The stripped object and what made it.
fn build() -> Result<(Vec<u8>, String)> {
    let (linker, llvm) = (linker_version()?, llvm_version()?);
    process::run(&mut cargo("build")?)?;
    let folder = target_folder()?;
    let (linked, stripped) = (folder.join(TARGET).join("ebpf/ptree-ebpf"), folder.join("ptree.bpf.o"));
    // DWARF served to make the BTF, which stays: the kernel reads it, nobody reads DWARF.
    process::run(Command::new(objcopy()).arg("--strip-debug").args([&linked, &stripped]))?;
    let bytes = fs::read(&stripped).with_context(|| format!("cannot read '{}'", stripped.display()))?;
    Ok((bytes, format!("{linker}, {llvm}")))
}

/// How the committed object differs from the built one; `None` when it does not.
fn difference(committed: Option<&[u8]>, built: &[u8]) -> Option<String> {
    let Some(committed) = committed else { return Some("there is none yet".into()) };
    if committed == built {
        return None;
    }
    let same = committed.iter().zip(built).take_while(|(a, b)| a == b).count();
    Some(format!("{} bytes against {}, different from byte {same} on", committed.len(), built.len()))
}

/// `cargo COMMAND` for the package and the kernel's target.
fn cargo(command: &str) -> Result<Command> {
    if !sysroot()?.join("lib/rustlib/src/rust/library/core").is_dir() {
        bail!("the sources of `core` are missing (rustup's component rust-src): run `cargo xtask setup`");
    }
    let mut cargo = process::cargo([command, "--locked", "--package", "ptree-ebpf", "--profile", "ebpf"])?;
    cargo
        .args(["--target", TARGET, "-Z", "build-std=core", "--target-dir"])
        .arg(target_folder()?)
        // What lets a stable toolchain compile `core` for a target that ships none.
        .env("RUSTC_BOOTSTRAP", "1")
        // For aya-ebpf's register bindings, which tracepoints do not use, but whose paths stand in the BTF.
        .env("AYA_BPF_TARGET_ARCH", "x86_64")
        .env("CARGO_ENCODED_RUSTFLAGS", flags_without_folders(&["-C", "debuginfo=2", "-C", "link-arg=--btf"])?)
        .env("CARGO_INCREMENTAL", "0");
    Ok(cargo)
}

/// Flags for rustc, in cargo's own separation, with which no name of a folder of this machine gets into what is built.
pub(crate) fn flags_without_folders(flags: &[&str]) -> Result<OsString> {
    Ok(rustflags(flags, &folders(process::root()?, sysroot()?, cargo_home()?)))
}

/// Folders whose names must not reach what is built, and what stands for each.
fn folders(root: PathBuf, sysroot: PathBuf, cargo_home: PathBuf) -> Vec<(PathBuf, &'static str)> {
    let mut folders = vec![(root, "/ptree-tui"), (sysroot, "/rust")];
    // Cargo names the folder of unpacked packages after the registry: a mirror has another one.
    if let Ok(registries) = fs::read_dir(cargo_home.join("registry/src")) {
        folders.extend(registries.flatten().map(|registry| (registry.path(), "/crates")));
    }
    // rustc takes the last mapping that fits: of two folders one in the other, the inner comes last.
    folders.push((cargo_home, "/cargo"));
    folders.sort_by_key(|(folder, _)| folder.as_os_str().len());
    folders
}

/// Flags in cargo's own separation, which lets folders hold spaces.
fn rustflags(flags: &[&str], folders: &[(PathBuf, &str)]) -> OsString {
    let mut flags: Vec<OsString> = flags.iter().map(OsString::from).collect();
    for (folder, name) in folders {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(folder);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    }
    flags.join("\x1f".as_ref())
}

fn target_folder() -> Result<PathBuf> {
    Ok(process::root()?.join("target/ebpf"))
}

pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    Ok(std::env::home_dir().context("there is no home folder: set CARGO_HOME")?.join(".cargo"))
}

/// Where the toolchain of this checkout lives.
pub(crate) fn sysroot() -> Result<PathBuf> {
    let path = process::output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(process::root()?))?;
    Ok(path.trim_end().into())
}

/// The folder of the LLVM installation: `LLVM_PREFIX` where set, else Debian's.
pub(crate) fn llvm_prefix() -> PathBuf {
    std::env::var_os("LLVM_PREFIX").map_or_else(|| format!("/usr/lib/llvm-{LLVM_MAJOR}").into(), PathBuf::from)
}

fn objcopy() -> PathBuf {
    llvm_prefix().join("bin/llvm-objcopy")
}

/// The installed bpf-linker; an error when it is none or another than the pinned one.
pub(crate) fn linker_version() -> Result<String> {
    let version = process::output(Command::new("bpf-linker").arg("--version"))
        .context("bpf-linker is missing: run `cargo xtask setup`")?;
    let version = version.trim_end();
    if version != format!("bpf-linker {LINKER_VERSION}") {
        bail!("bpf-linker {LINKER_VERSION} is needed, this is '{version}': run `cargo xtask setup`");
    }
    Ok(version.into())
}

fn llvm_version() -> Result<String> {
    let text = process::output(Command::new(objcopy()).arg("--version"))
        .with_context(|| format!("LLVM {LLVM_MAJOR}'s tools are missing: run `cargo xtask setup`"))?;
    let line = text.lines().map(str::trim).find(|line| line.contains("LLVM version"));
    Ok(line.unwrap_or("LLVM of an unknown version").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_objects_do_not_differ_and_any_other_byte_is_told() {
        assert_eq!(difference(Some(b"abc"), b"abc"), None);
        assert_eq!(difference(Some(b"abX"), b"abc").unwrap(), "3 bytes against 3, different from byte 2 on");
        assert_eq!(difference(Some(b"ab"), b"abc").unwrap(), "2 bytes against 3, different from byte 2 on");
        assert_eq!(difference(None, b"abc").unwrap(), "there is none yet");
    }

    #[test]
    fn flags_survive_folders_with_spaces() {
        let flags = rustflags(&["-C", "lto=off"], &[("/a b".into(), "/x"), ("/a b/c".into(), "/y")]);
        let flags: Vec<_> = flags.to_str().unwrap().split('\x1f').collect();
        assert_eq!(flags, ["-C", "lto=off", "--remap-path-prefix=/a b=/x", "--remap-path-prefix=/a b/c=/y"]);
    }
}
