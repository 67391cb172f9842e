//! The file with the kernel's BTF, and how it is told of when it is of no use.
//!
//! Does not know what is looked up in it.

use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use super::error::LiveError;
use crate::btf::Btf;
use crate::caller::{as_caller, caller};
use crate::host;
use crate::limits::Lack;
use crate::trusted::open_regular;

/// Where the kernel shows its own.
const KERNEL: &str = "/sys/kernel/btf/vmlinux";

/// More than any kernel has: 5 MB are common.
const MAX_BYTES: u64 = 256 << 20;

/// A file that should hold BTF.
#[derive(Debug)]
pub struct BtfFile {
    path: String,
    bytes: Vec<u8>,
    /// Not what the kernel shows of itself.
    given: bool,
    /// Why somebody with less privilege than we have may have made it up.
    doubt: Option<String>,
}

impl BtfFile {
    /// Reads a file; without one, that of the running kernel.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: Option<&Path>) -> Result<Self, LiveError> {
        let (given, path) = (path.is_some(), path.unwrap_or(Path::new(KERNEL)));
        let shown = ptree_core::text::path(path);
        let opened = if given { as_caller(|| read(path)).flatten() } else { read(path) };
        match opened {
            Ok((bytes, doubt)) => Ok(Self { path: shown, bytes, given, doubt }),
            Err(source) if Lack::of(&source).is_some() => Err(LiveError::Read { what: "the kernel's BTF", source }),
            Err(source) if given => Err(LiveError::BtfFile { path: shown, source }),
            Err(source) if !host::shows_sys() => Err(LiveError::NoSys { path: KERNEL, source }),
            Err(source) => Err(LiveError::NoBtf { path: shown, source }),
        }
    }

    /// Whether what it says may steer the programs: what the kernel reads, and tells, goes by it.
    ///
    /// # Errors
    /// When the caller has less privilege than we have, and may have written the file.
    pub fn check_trust(&self) -> Result<(), LiveError> {
        match (caller(), &self.doubt) {
            (Some(caller), Some(doubt)) if self.given => Err(LiveError::UntrustedBtf {
                path: self.path.clone(),
                caller: caller.to_string(),
                doubt: doubt.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether it is certain to be the running kernel's. Where that does not show its own, nobody knows.
    ///
    /// # Errors
    /// When it is certain not to be: with the offsets of another kernel the programs would read, and tell, nonsense. When
    /// the kernel shows its own and it cannot be read: who calls us may have seen to that, by a limit for instance.
    pub fn is_of_this_kernel(&self) -> Result<bool, LiveError> {
        if !self.given {
            return Ok(true);
        }
        match read(Path::new(KERNEL)) {
            Ok((own, _)) if own == self.bytes => Ok(true),
            Ok(_) => Err(LiveError::OtherBtf(self.path.clone())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(source) => {
                Err(LiveError::Read { what: "this kernel's own BTF, to compare the given one with", source })
            }
        }
    }

    /// Path of the file, fit to be shown.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What it holds.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads the BTF in it, of whatever machine.
    ///
    /// # Errors
    /// When it is none.
    pub fn btf(&self) -> Result<Btf<'_>, LiveError> {
        Btf::parse(&self.bytes).map_err(|source| LiveError::Btf { path: self.path.clone(), source })
    }

    /// Reads the BTF in it, if it is of such a machine as this.
    pub(super) fn native(&self) -> Result<Btf<'_>, LiveError> {
        let btf = self.btf()?;
        if btf.is_native() { Ok(btf) } else { Err(LiveError::ForeignBtf(self.path.clone())) }
    }

    pub(super) fn aya_error(&self, error: aya::BtfError) -> LiveError {
        LiveError::AyaBtf { path: self.path.clone(), source: Box::new(error) }
    }
}

/// Reads a file that ends: nothing is waited for that may never come. With it, why it is not to be trusted.
fn read(path: &Path) -> io::Result<(Vec<u8>, Option<String>)> {
    let opened = open_regular(path)?;
    let len = opened.file.metadata()?.len();
    if len > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let mut bytes = Vec::new();
    opened.file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok((bytes, opened.doubt))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn whatever_is_wrong_the_path_is_quoted_and_a_way_out_is_told() {
        let dir = std::env::temp_dir();
        let said = |name: &str, bytes: Option<&[u8]>| {
            let path = dir.join(format!("ptree-tui-{}-{name}", std::process::id()));
            if let Some(bytes) = bytes {
                fs::write(&path, bytes).unwrap();
            }
            let error = match BtfFile::read(Some(&path)) {
                Ok(file) => file.native().unwrap_err(),
                Err(error) => error,
            };
            let _ = fs::remove_file(&path);
            let text = error.to_string();
            assert!(text.contains(&format!("'{}'", ptree_core::text::path(&path))), "{text}");
            text
        };
        assert!(said("none", None).contains("--btf FILE"));
        assert!(said("elf", Some(b"\x7fELF\x02\x01")).contains("objcopy --dump-section .BTF=OUT"));
        assert!(said("text", Some(b"hello")).contains("not BTF"));
        assert!(said("empty", Some(b"")).contains("it is empty"));
        let foreign = crate::btf::tests::blob(&[], "\0");
        let swapped: Vec<u8> = [foreign[1], foreign[0], 1, 0]
            .into_iter()
            .chain(foreign[4..24].chunks_exact(4).flat_map(|word| word.iter().rev().copied()))
            .chain([0])
            .collect();
        assert!(said("foreign", Some(&swapped)).contains("another byte order"));
    }

    #[test]
    fn a_file_that_never_ends_is_not_read() {
        for path in ["/dev/zero", "/"] {
            let error = BtfFile::read(Some(Path::new(path))).unwrap_err().to_string();
            assert!(error.contains(&format!("'{path}'")) && error.contains("no regular file"), "{error}");
        }
    }
}
