//! An archive that the kernel unpacks as its first file system: cpio in its format "newc", without devices.
//!
//! Does not know what is in it. No outside tool, and so no staging folder, and no file of another owner.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Of a file's header, its magic number included.
const HEADER: usize = 6 + 13 * 8;

/// What the mode says a file is.
#[derive(Clone, Copy)]
enum Kind {
    Folder = 0o040_755,
    Program = 0o100_755,
    Link = 0o120_777,
}

/// The archive, as far as it has been written.
#[derive(Default)]
pub(super) struct Initramfs {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    files: u32,
}

impl Initramfs {
    /// Adds a folder, and those that it is in.
    pub(super) fn folder(&mut self, path: &str) {
        let mut parents: Vec<&Path> = Path::new(path).ancestors().filter(|path| path.parent().is_some()).collect();
        parents.reverse();
        for parent in parents {
            let parent = parent.to_string_lossy().into_owned();
            if self.folders.insert(parent.clone()) {
                self.entry(&parent, Kind::Folder, b"");
            }
        }
    }

    /// Adds a file that can be run, and the folders that it is in.
    pub(super) fn program(&mut self, path: &str, bytes: &[u8]) {
        self.folder(&Path::new(path).parent().map(Path::to_string_lossy).unwrap_or_default());
        self.entry(path, Kind::Program, bytes);
    }

    /// Adds a file of this machine under the same path, or another.
    pub(super) fn copy(&mut self, from: &Path, to: &str) -> Result<()> {
        let bytes = std::fs::read(from).with_context(|| format!("cannot read '{}'", from.display()))?;
        self.program(to, &bytes);
        Ok(())
    }

    /// Adds another name for a file.
    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.entry(path, Kind::Link, target.as_bytes());
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", Kind::Program, b"");
        self.bytes
    }

    fn entry(&mut self, path: &str, kind: Kind, bytes: &[u8]) {
        let name = path.trim_start_matches('/');
        self.files += 1;
        let mut header = String::with_capacity(HEADER);
        header.push_str("070701");
        // Number, mode, user, group, links, time, size, two numbers of two devices, length of the name, checksum.
        let (size, name_len) = (bytes.len() as u32, name.len() as u32 + 1);
        for field in [self.files, kind as u32, 0, 0, 1, 0, size, 0, 0, 0, 0, name_len, 0] {
            header.push_str(&format!("{field:08x}"));
        }
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(bytes);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an archive: names, modes and contents.
    fn entries(mut bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut entries = Vec::new();
        loop {
            assert_eq!(&bytes[..6], b"070701");
            let field = |number: usize| {
                let text = std::str::from_utf8(&bytes[6 + number * 8..][..8]).unwrap();
                u32::from_str_radix(text, 16).unwrap() as usize
            };
            let name = std::str::from_utf8(&bytes[HEADER..HEADER + field(11) - 1]).unwrap().to_owned();
            let begin = (HEADER + field(11)).next_multiple_of(4);
            if name == "TRAILER!!!" {
                return entries;
            }
            entries.push((name, field(1) as u32, bytes[begin..begin + field(6)].to_vec()));
            bytes = &bytes[(begin + field(6)).next_multiple_of(4)..];
        }
    }

    #[test]
    fn files_are_behind_their_folders_each_of_which_is_there_once() {
        let mut archive = Initramfs::default();
        archive.program("/init", b"odd");
        archive.program("/a/b/program", b"four");
        archive.program("/a/b/other", b"");
        archive.link("/a/link", "b/program");
        let entry = |name: &str, mode, bytes: &[u8]| (name.to_owned(), mode, bytes.to_vec());
        let expected = [
            entry("init", 0o100_755, b"odd"),
            entry("a", 0o040_755, b""),
            entry("a/b", 0o040_755, b""),
            entry("a/b/program", 0o100_755, b"four"),
            entry("a/b/other", 0o100_755, b""),
            entry("a/link", 0o120_777, b"b/program"),
        ];
        assert_eq!(entries(&archive.finish()), expected);
    }
}
