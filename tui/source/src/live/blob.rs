//! The file with the kernel's BTF, and how it is told of when it is of no use.
//!
//! Does not know what is looked up in it.

use std::fs;
use std::path::Path;

use super::error::LiveError;
use crate::btf::Btf;

/// Where the kernel shows its own.
const KERNEL: &str = "/sys/kernel/btf/vmlinux";

/// A file that should hold BTF.
#[derive(Debug)]
pub struct BtfFile {
    path: String,
    bytes: Vec<u8>,
}

impl BtfFile {
    /// Reads a file; without one, that of the running kernel.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: Option<&Path>) -> Result<Self, LiveError> {
        let path = path.unwrap_or(Path::new(KERNEL));
        let shown = ptree_core::text::escape(path.as_os_str().as_encoded_bytes()).into_owned();
        match fs::read(path) {
            Ok(bytes) => Ok(Self { path: shown, bytes }),
            Err(source) => Err(LiveError::NoBtf { path: shown, source }),
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

#[cfg(test)]
mod tests {
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
            assert!(text.contains(&format!("'{}'", path.display())), "{text}");
            text
        };
        assert!(said("none", None).contains("--btf FILE"));
        assert!(said("elf", Some(b"\x7fELF\x02\x01")).contains("objcopy --dump-section .BTF=OUT"));
        assert!(said("text", Some(b"hello")).contains("not BTF"));
        let foreign = crate::btf::tests::blob(&[], "\0");
        let swapped: Vec<u8> = [foreign[1], foreign[0], 1, 0]
            .into_iter()
            .chain(foreign[4..24].chunks_exact(4).flat_map(|word| word.iter().rev().copied()))
            .chain([0])
            .collect();
        assert!(said("foreign", Some(&swapped)).contains("another byte order"));
    }
}
