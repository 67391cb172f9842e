//! `cargo xtask setup`: installs what rebuilding and checking the eBPF object needs, each only where it is missing.
//!
//! Nobody needs it to build or to run ptree-tui: the object is committed.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{ci, ebpf, flags, process, vm};

/// Tools that are cargo's subcommands, in the versions that `deny.toml` and `about.toml` are written for.
const DENY: (&str, &str) = ("cargo-deny", "0.20.2");
const ABOUT: (&str, &str) = ("cargo-about", "0.9.3");

/// Installs them; with `--ci` what the checks need besides, with `--vm` what booting other kernels needs.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let [ci, vm] = flags(args, ["--ci", "--vm"])?;
    rust_src()?;
    let llvm = ebpf::LLVM_MAJOR;
    let mut packages = vec![format!("llvm-{llvm}"), format!("llvm-{llvm}-dev"), format!("libpolly-{llvm}-dev")];
    packages.extend(["libzstd-dev", "zlib1g-dev"].map(String::from));
    if ci {
        // `dot`: the tests render the exported graphs with it.
        packages.push("graphviz".into());
    }
    if vm {
        rust_target(vm::TARGET)?;
        packages.extend(["busybox-static", "debian-archive-keyring", "qemu-system-x86"].map(String::from));
        packages.extend(["binutils", "lz4", "xz-utils", "zstd"].map(String::from));
    }
    debian_packages(&packages)?;
    bpf_linker()?;
    if ci {
        cargo_tool(DENY)?;
        rust_target(ci::OTHER_MACHINE)?;
    }
    Ok(())
}

fn present(what: &str) {
    eprintln!("{what}: present, skipped");
}

/// The sources of `core`, which is compiled for the kernel's target along with the programs.
fn rust_src() -> Result<()> {
    if ebpf::sysroot()?.join("lib/rustlib/src/rust/library/core").is_dir() {
        present("rust-src");
        return Ok(());
    }
    process::run(Command::new("rustup").args(["component", "add", "rust-src"]).current_dir(process::root()?))
        .context("rust-src comes with rustup; without it, install the sources of this very toolchain by hand")
}

/// The standard library for another target.
pub(crate) fn rust_target(target: &str) -> Result<()> {
    if ebpf::sysroot()?.join("lib/rustlib").join(target).is_dir() {
        present(target);
        return Ok(());
    }
    process::run(Command::new("rustup").args(["target", "add", target]).current_dir(process::root()?))
        .with_context(|| format!("the target {target} comes with rustup"))
}

fn debian_packages(packages: &[String]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().map(String::as_str).filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        present(&packages.join(" "));
        return Ok(());
    }
    let by_hand = format!("as root: apt-get install {}", missing.join(" "));
    if !on_path("apt-get") {
        bail!("there is no apt-get here; install what corresponds to these Debian packages: {}", missing.join(" "));
    }
    let Some(mut apt) = as_root("apt-get") else { bail!("this needs root, and there is no sudo. Run {by_hand}") };
    process::run(apt.arg("update"))?;
    let mut apt = as_root("apt-get").context("sudo is gone")?;
    process::run(
        apt.args(["install", "--yes", "--no-install-recommends"])
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
    .with_context(|| format!("Debian 12 and later have them; elsewhere see https://apt.llvm.org. Then run {by_hand}"))
}

fn is_installed(package: &str) -> bool {
    let query =
        process::output(Command::new("dpkg-query").args(["--show", "--showformat", "${db:Status-Status}", package]));
    query.is_ok_and(|status| status == "installed")
}

/// Linked to Debian's LLVM, because bitcode must be read by the LLVM that rustc wrote it with.
fn bpf_linker() -> Result<()> {
    if let Ok(version) = ebpf::linker_version() {
        present(&version);
        return Ok(());
    }
    let prefix = ebpf::llvm_prefix();
    let feature = format!("llvm-{}", ebpf::LLVM_MAJOR);
    let mut install =
        process::cargo(["install", "bpf-linker", "--version", ebpf::LINKER_VERSION, "--force", "--locked"])?;
    install.args(["--no-default-features", "--features", &feature]);
    process::run(install.env("PATH", path_with(&prefix.join("bin"))?).env("LLVM_PREFIX", &prefix))?;
    ebpf::linker_version().map(drop).context("cargo's bin folder must be in PATH")
}

/// What gathers licences for a release.
pub(crate) fn cargo_about() -> Result<()> {
    cargo_tool(ABOUT)
}

fn cargo_tool((name, version): (&str, &str)) -> Result<()> {
    let subcommand = name.trim_start_matches("cargo-");
    let wanted = format!("{name} {version}");
    if process::output(&mut process::cargo([subcommand, "--version"])?).is_ok_and(|said| said.trim_end() == wanted) {
        present(&wanted);
        return Ok(());
    }
    process::run(&mut process::cargo(["install", name, "--version", version, "--force", "--locked"])?)
}

/// `program` with root's rights: as it is for root, through sudo for others; `None` without either.
fn as_root(program: &str) -> Option<Command> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if root {
        return Some(Command::new(program));
    }
    on_path("sudo").then(|| {
        let mut sudo = Command::new("sudo");
        sudo.arg(program);
        sudo
    })
}

fn on_path(program: &str) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

fn path_with(first: &Path) -> Result<OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(first.to_path_buf()).chain(env::split_paths(&rest));
    env::join_paths(folders).with_context(|| format!("'{}' cannot stand in PATH", first.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_the_path_and_only_there() {
        assert!(on_path("sh"));
        assert!(!on_path("no-such-program-anywhere"));
    }

    #[test]
    fn the_first_folder_of_the_path_is_ours() {
        let path = path_with(Path::new("/llvm/bin")).unwrap();
        assert_eq!(env::split_paths(&path).next().unwrap(), Path::new("/llvm/bin"));
        assert!(path_with(Path::new("/a:b")).is_err());
    }
}
