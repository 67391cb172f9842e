//! Files that none but root can have written: what they hold may steer what is done with privilege.
//!
//! A file is only as good as the folders on the way to it. So each is looked at, from the root on, through descriptors:
//! nothing can be exchanged in between. Does not know what is in the files.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::{Component, Path};

use rustix::fs::{
    FileType, FsWord, Mode, OFlags, PROC_SUPER_MAGIC, RawMode, StatVfsMountFlags, fstat, fstatfs, fstatvfs, open,
    openat,
};

/// Who may write to it: the group, others.
const BY_OTHERS: RawMode = 0o022;

/// The file system of /sys (`SYSFS_MAGIC`, a kernel ABI): no user writes there, however it is mounted.
const SYSFS_MAGIC: FsWord = 0x6265_6572;

/// A file that was opened, and what keeps it from being trusted.
#[derive(Debug)]
pub struct Opened {
    /// The file, for reading.
    pub file: File,
    /// Why somebody other than root may have written it; `None` when nobody can have.
    pub doubt: Option<String>,
}

/// Opens a regular file; links are followed. Nothing else is opened, since a device might do something then, and nothing is
/// waited for.
///
/// # Errors
/// When it cannot be opened, or is no regular file.
pub fn open_regular(path: &Path) -> io::Result<Opened> {
    let path = fs::canonicalize(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(no_file());
    };
    let way = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = open("/", way, Mode::empty())?;
    let mut doubt = None;
    for part in folder.components() {
        if let Component::Normal(part) = part {
            at = openat(&at, part, way, Mode::empty())?;
        }
        doubt = doubt.or(by_others(&at, "a folder on the way to it")?);
    }
    let seen = openat(&at, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&seen)?.st_mode) != FileType::RegularFile {
        return Err(no_file());
    }
    let how = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(&at, name, how, Mode::empty())?;
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(no_file());
    }
    doubt = doubt.or(by_others(&file, "it")?);
    Ok(Opened { file: file.into(), doubt })
}

/// Whether somebody other than root may write to it, or may let others do so, or may have made the file system.
fn by_others(file: impl AsFd, what: &str) -> io::Result<Option<String>> {
    let found = fstat(&file)?;
    let system = fstatfs(&file)?.f_type;
    // What users may mount, such as a stick or a file system in user space, has files of any owner that they like, and is
    // mounted so that set-user-ID bits do not count for that reason.
    let by_users = system != SYSFS_MAGIC && fstatvfs(&file)?.f_flag.contains(StatVfsMountFlags::NOSUID);
    Ok(if system == PROC_SUPER_MAGIC {
        // These files are root's where a program has file capabilities, but hold what its user has written: the environment.
        Some(format!("{what} is in a /proc"))
    } else if by_users {
        Some(format!("{what} is on a file system that is mounted 'nosuid', as what users mount"))
    } else if found.st_uid != 0 {
        Some(format!("{what} belongs to uid {}", found.st_uid))
    } else if found.st_mode & BY_OTHERS != 0 {
        Some(format!("{what} can be written by others than root (mode {:04o})", found.st_mode & 0o7777))
    } else {
        None
    })
}

fn no_file() -> io::Error {
    io::Error::other("it is no regular file")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use rustix::fs::{CWD, mknodat};

    use super::*;

    fn doubt(path: &Path) -> Option<String> {
        open_regular(path).unwrap().doubt
    }

    #[test]
    fn the_kernels_own_and_what_the_system_installs_are_trusted() {
        for path in ["/sys/kernel/btf/vmlinux", "/etc/passwd", "/etc/mtab/../passwd"] {
            if Path::new(path).is_file() {
                assert_eq!(doubt(Path::new(path)), None, "{path}");
            }
        }
    }

    #[test]
    fn what_others_may_have_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "text").unwrap();
        // Whatever runs this: in a folder that all may write to, nothing is root's alone.
        assert!(doubt(&file).is_some_and(|doubt| doubt.contains("a folder on the way to it")), "{:?}", doubt(&file));
        let link = folder.path().join("link");
        symlink("/etc/passwd", &link).unwrap();
        assert_eq!(doubt(&link), None, "it leads to one that is");
        let own = doubt(Path::new("/proc/self/status")).unwrap();
        assert!(own.contains("is in a /proc"), "{own}");
    }

    #[test]
    fn the_file_itself_is_looked_at_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "text").unwrap();
        for (mode, wants) in [(0o644, false), (0o664, true), (0o646, true), (0o600, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let by_others = by_others(File::open(&path).unwrap(), "it").unwrap();
            if nix::unistd::geteuid().is_root() {
                assert_eq!(by_others.is_some(), wants, "{mode:o}: {by_others:?}");
            } else {
                assert!(by_others.is_some_and(|doubt| doubt.contains("belongs to uid")));
            }
        }
    }

    #[test]
    fn nothing_but_files_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).unwrap();
        let link = folder.path().join("link");
        symlink(&pipe, &link).unwrap();
        for path in [&pipe, &link, Path::new("/dev/zero"), Path::new("/"), folder.path()] {
            let error = open_regular(path).unwrap_err();
            assert!(error.to_string().contains("no regular file"), "{path:?}: {error}");
        }
        assert_eq!(open_regular(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
