//! `cargo xtask btf-fixtures`: the BTF of kernels that are years apart, cut down to what the tests of the table of members
//! need. No kernel is booted: it is in the image.
//!
//! Knows images; what is kept of the BTF is for ptree-source's example `prune-btf` to say.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::apt::Archive;
use super::kernel;
use crate::{UsageError, process};

/// Where the fixtures are, from the top, beside the truth about them.
const FOLDER: &str = "tui/source/tests/btf";

/// How a kernel is packed: how that begins, and what unpacks it from standard input.
const PACKERS: [(&[u8], &str); 4] =
    [(&[0x28, 0xb5, 0x2f, 0xfd], "zstd"), (&[0xfd, b'7', b'z'], "xz"), (&[0x1f, 0x8b], "gzip"), (&[2, 0x21], "lz4")];

/// Makes the fixtures of the kernels that `args` name; of those that there are already when it names none.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some(option) = args.iter().find(|arg| arg.starts_with('-')) {
        return Err(UsageError(format!("unknown option '{option}'; give kernels, as `vm` takes them")).into());
    }
    let folder = process::root()?.join(FOLDER);
    let patterns = if args.is_empty() { present(&folder)? } else { args.to_vec() };
    let cache = super::default_cache()?;
    fs::create_dir_all(&cache)?;
    let lock = fs::File::create(cache.join("lock"))?;
    lock.lock()?;
    let archive = Archive::open(&cache, None)?;
    let kernels = kernel::all(archive.packages()?.lines());
    let mut failed = Vec::new();
    for candidate in kernel::choose(&kernels, &patterns)? {
        match archive.vmlinuz(&candidate).and_then(|(release, image)| make(&folder, &cache, &release, &image)) {
            Ok(made) => println!("{}", made.display()),
            Err(error) => failed.push(format!("{}: {error:#}", candidate.label)),
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("no fixture of {}", failed.join("; nor of ")) }
}

fn present(folder: &Path) -> Result<Vec<String>> {
    let mut releases = Vec::new();
    for file in fs::read_dir(folder)? {
        let name = file?.file_name().to_string_lossy().into_owned();
        releases.extend(name.strip_suffix(".btf").map(str::to_owned));
    }
    releases.sort();
    Ok(releases)
}

fn make(folder: &Path, cache: &Path, release: &str, image: &Path) -> Result<PathBuf> {
    let (elf, whole) = (cache.join("vmlinux"), cache.join("vmlinux.btf"));
    let packed = fs::read(image)?;
    unpack(payload(&packed).context("this is no image of a kernel for x86")?, &elf)?;
    let mut section = std::ffi::OsString::from(".BTF=");
    section.push(&whole);
    process::run(Command::new("objcopy").arg("--dump-section").arg(section).arg(&elf).arg("/dev/null"))?;
    let fixture = folder.join(format!("{release}.btf"));
    let mut prune =
        process::cargo(["run", "--quiet", "--locked", "-p", "ptree-source", "--example", "prune-btf", "--"])?;
    process::run(prune.arg(&whole).arg(&fixture))?;
    fs::remove_file(elf)?;
    fs::remove_file(whole)?;
    Ok(fixture)
}

/// The packed kernel within its image: the boot header (Linux's Documentation/arch/x86/boot.rst) says where.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?) as usize);
    (image.get(0x202..0x206)? == b"HdrS").then_some(())?;
    let setup = 512 * (usize::from(*image.get(0x1f1)?) + 1);
    let start = setup.checked_add(word(0x248)?)?;
    image.get(start..start.checked_add(word(0x24c)?)?)
}

/// Some packers are told by what follows the kernel that it has no end; what matters is what comes out.
fn unpack(packed: &[u8], to: &Path) -> Result<()> {
    let packer = PACKERS.iter().find(|(begins, _)| packed.starts_with(begins));
    let (_, packer) = packer.with_context(|| format!("packed in an unknown way: {:02x?}", &packed[..4]))?;
    let mut child = Command::new(packer)
        .args(["--decompress", "--stdout"])
        .stdin(Stdio::piped())
        .stdout(fs::File::create(to)?)
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run '{packer}'"))?;
    let mut input = child.stdin.take().context("no input")?;
    // It may stop reading where the kernel ends.
    let _ = input.write_all(packed);
    drop(input);
    child.wait()?;
    if !fs::read(to)?.starts_with(b"\x7fELF") {
        bail!("'{packer}' did not unpack it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_where_the_header_says() {
        let mut image = vec![0; 2048];
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x1f1] = 1;
        image[0x248] = 8;
        image[0x24c] = 4;
        image[1024 + 8..1024 + 12].copy_from_slice(b"pack");
        assert_eq!(payload(&image), Some(&b"pack"[..]));
        for cut in [0x100, 0x210, 1030] {
            assert_eq!(payload(&image[..cut]), None, "{cut}");
        }
        image[0x202] = 0;
        assert_eq!(payload(&image), None);
    }

    /// What is committed is what the truth is about, kernel for kernel.
    #[test]
    fn every_fixture_has_its_column() {
        let folder = process::root().unwrap().join(FOLDER);
        let truth = fs::read_to_string(folder.join("offsets.txt")).unwrap();
        let mut columns: Vec<&str> = truth.lines().next().unwrap().split_whitespace().skip(1).collect();
        columns.sort_unstable();
        assert_eq!(present(&folder).unwrap(), columns);
    }
}
