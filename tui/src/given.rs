//! Files that the user names, by options or the environment: opened and made with the user's own rights, whatever more this
//! program may do.
//!
//! Does not know what is in them.

use std::fs::{File, OpenOptions};
use std::io::{self, Stdin};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use jiff::tz::TimeZone;
use nix::fcntl::OFlag;
use ptree_source::bounded;
use ptree_source::caller::{as_caller, caller};
use ptree_source::trusted::open_regular;
use rustix::fs::{PROC_SUPER_MAGIC, fstatfs};

/// Reads a text of so many bytes at most out of a regular file.
///
/// # Errors
/// When it cannot be opened or read, is no regular file, is longer, or is no UTF-8.
pub fn read_text(path: &Path, most: usize) -> io::Result<String> {
    // What is read is asked for by whoever reads, too: some files of /proc are not the same to all.
    as_caller(|| bounded::text(open_regular(path)?.file, most)).flatten()
}

/// Opens a file or a named pipe, for whose writer is waited.
///
/// # Errors
/// When it cannot be opened, or is something else: a device may never end.
pub fn open_stream(path: &Path) -> io::Result<File> {
    as_caller(|| {
        let kind = path.metadata()?.file_type();
        if kind.is_char_device() || kind.is_block_device() || kind.is_dir() {
            return Err(io::Error::other("it is neither a file nor a pipe"));
        }
        OpenOptions::new().read(true).custom_flags(OFlag::O_NOCTTY.bits()).open(path)
    })
    .flatten()
    .and_then(not_of_proc)
}

/// Standard input, which whoever started us has opened.
///
/// # Errors
/// As for [`open_stream`].
pub fn standard_input() -> io::Result<Stdin> {
    not_of_proc(io::stdin())
}

/// A stream is read with our own rights, and files of /proc say more to some than to others, whoever has opened them.
fn not_of_proc<F: AsFd>(file: F) -> io::Result<F> {
    if caller().is_some() && fstatfs(&file)?.f_type == PROC_SUPER_MAGIC {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is a file of /proc"));
    }
    Ok(file)
}

/// Makes a file that is not there yet, for the user alone.
///
/// # Errors
/// When there is such a file, or a link of that name, or it cannot be made.
pub fn create_new(path: &Path) -> io::Result<File> {
    // With `create_new` no link is followed at the end of the path.
    as_caller(|| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)).flatten()
}

/// Takes back a file that was made by [`create_new`].
///
/// # Errors
/// When it cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    as_caller(|| std::fs::remove_file(path)).flatten()
}

/// The user's time zone, for which the environment may name any file.
#[must_use]
pub fn zone() -> TimeZone {
    as_caller(TimeZone::system).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_longer_or_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert!(read_text(&path, 4).unwrap_err().to_string().contains("longer than"));
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
        for device in ["/dev/zero", "/dev/null", "/"] {
            assert!(open_stream(Path::new(device)).unwrap_err().to_string().contains("neither"), "{device}");
            assert!(read_text(Path::new(device), 5).unwrap_err().to_string().contains("no regular file"), "{device}");
        }
    }

    #[test]
    fn a_new_file_is_the_users_alone_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        assert_eq!(create_new(&path).unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create_new(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let link = folder.path().join("link");
        symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert_eq!(create_new(&link).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        remove(&path).unwrap();
        assert!(!path.exists());
    }
}
