//! New files for exports in the current folder: never an old one overwritten, made with the rights of whoever called.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::given;

/// How many exports one second may see.
const SAME_SECOND: u32 = 100;

/// A new file called `ptree-STAMP.EXTENSION`, or `ptree-STAMP-2.EXTENSION` and so on where that exists already, with what
/// `write` puts into it. Where that fails, no file is left.
///
/// # Errors
/// Those of making a file and of `write`.
pub fn export(
    folder: &Path,
    stamp: &str,
    extension: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let (file, path) = create(folder, stamp, extension)?;
    let mut out = BufWriter::new(file);
    if let Err(error) = write(&mut out).and_then(|()| out.flush()) {
        // What is half a file is worth nothing; of why there is none, the first reason is told.
        let _ = given::remove(&path);
        return Err(error);
    }
    Ok(path)
}

fn create(folder: &Path, stamp: &str, extension: &str) -> io::Result<(File, PathBuf)> {
    for n in 1..=SAME_SECOND {
        let suffix = if n == 1 { String::new() } else { format!("-{n}") };
        let path = folder.join(format!("ptree-{stamp}{suffix}.{extension}"));
        // No link is followed: a name prepared by somebody else is passed over.
        match given::create_new(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_and_no_link_is_ever_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join("ptree-20260101-000000.dot")).unwrap();
        for expected in ["ptree-20260101-000000-2.dot", "ptree-20260101-000000-3.dot"] {
            let path = export(folder.path(), "20260101-000000", "dot", |out| out.write_all(b"digraph {}")).unwrap();
            assert_eq!(path.file_name().unwrap(), expected);
            assert_eq!(std::fs::read_to_string(path).unwrap(), "digraph {}");
        }
        assert_eq!(std::fs::read_to_string(victim).unwrap(), "precious");
    }

    #[test]
    fn of_a_failed_export_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let full = |out: &mut dyn Write| out.write_all(b"digraph").and(Err(ErrorKind::StorageFull.into()));
        let error = export(folder.path(), "20260101-000000", "dot", full).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
