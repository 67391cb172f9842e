//! New files for exports in the current folder: never an old one overwritten, and owned by whoever called sudo.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// How many exports one second may see.
const SAME_SECOND: u32 = 100;

/// A new file called `ptree-STAMP.EXTENSION`, or `ptree-STAMP-2.EXTENSION` and so on where that exists already.
///
/// # Errors
///
/// Those of creating a file.
pub fn create(folder: &Path, stamp: &str, extension: &str) -> io::Result<(File, PathBuf)> {
    for n in 1..=SAME_SECOND {
        let suffix = if n == 1 { String::new() } else { format!("-{n}") };
        let path = folder.join(format!("ptree-{stamp}{suffix}.{extension}"));
        // `create_new` follows no symbolic link: a name prepared by somebody else is passed over.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Gives a file to the user and group that sudo was called by, as its `SUDO_UID` and `SUDO_GID` say.
///
/// # Errors
///
/// Those of changing an owner.
pub fn give_to_sudo_caller(file: &File) -> io::Result<()> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u32>().ok());
    match (number("SUDO_UID"), number("SUDO_GID")) {
        (Some(uid), Some(gid)) => std::os::unix::fs::fchown(file, Some(uid), Some(gid)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn no_file_and_no_link_is_ever_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join("ptree-20260101-000000.dot")).unwrap();
        for expected in ["ptree-20260101-000000-2.dot", "ptree-20260101-000000-3.dot"] {
            let (mut file, path) = create(folder.path(), "20260101-000000", "dot").unwrap();
            file.write_all(b"digraph {}").unwrap();
            assert_eq!(path.file_name().unwrap(), expected);
        }
        assert_eq!(std::fs::read_to_string(victim).unwrap(), "precious");
    }
}
