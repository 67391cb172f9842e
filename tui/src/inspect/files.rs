//! What a process has open, by descriptor, and where it stands in the file system.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use nix::libc;
use ptree_source::bounded;

use super::sockets::{self, Socket};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The folder in which it works.
    pub folder: Option<Vec<u8>>,
    /// What it takes for the root of the file system.
    pub root: Option<Vec<u8>>,
    /// The file of its program.
    pub program: Option<Vec<u8>>,
    /// How many it has open.
    pub count: usize,
    /// How many it may have open; `None` where that is not known.
    pub limit: Option<u64>,
    /// What it has open, in the order of the descriptors: at most [`Files::MAX`].
    pub open: Vec<Open>,
}

/// As many bytes of an `fdinfo` as have position and flags, which come first: all that is watched through a descriptor may
/// follow, megabytes of it.
const FDINFO_MAX: usize = 1024;
/// Bytes of a `limits` file, a table of some sixteen lines.
const LIMITS_MAX: usize = 8 << 10;

impl Files {
    /// Descriptors that are looked at.
    pub const MAX: usize = 4096;
}

/// Something open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The descriptor.
    pub fd: u32,
    /// What it is.
    pub kind: Kind,
    /// For what it is open; `None` where that is not known.
    pub access: Option<Access>,
    /// Where the next read or write is, bytes.
    pub position: u64,
    /// How it was opened, beside for what: `append` and the like.
    pub manner: Vec<&'static str>,
}

/// What is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something with a path: in a word what it is, and the path.
    Path(&'static str, Vec<u8>),
    /// A pipe, by inode.
    Pipe(u64),
    /// A socket, by inode, and what is known of it.
    Socket(u64, Option<Socket>),
    /// Something of the kernel, by what it calls it: `eventpoll`.
    Kernel(Vec<u8>),
}

/// For what a file is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To be read.
    Read,
    /// To be written.
    Write,
    /// Both.
    Both,
    /// Only to name it.
    Path,
}

/// The `flags` of a descriptor that are told, by their words.
const MANNERS: [(libc::c_int, &str); 4] = [
    (libc::O_APPEND, "append"),
    (libc::O_NONBLOCK, "nonblocking"),
    (libc::O_DIRECT, "direct"),
    // The bits of O_DSYNC are among these.
    (libc::O_SYNC, "sync"),
];

/// Reads what the process has open of which `folder` in /proc tells.
pub(super) fn read(folder: &Path) -> io::Result<Files> {
    let link = |name: &str| Some(fs::read_link(folder.join(name)).ok()?.into_os_string().into_vec());
    // /proc gives them in rising order.
    let mut entries =
        fs::read_dir(folder.join("fd"))?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let fds: Vec<u32> = entries.by_ref().take(Files::MAX).collect();
    let count = fds.len() + entries.count();
    let mut open: Vec<Open> = fds
        .into_iter()
        .filter_map(|fd| {
            // One that was closed meanwhile is left out.
            let target = link(&format!("fd/{fd}"))?;
            Some(describe(fd, target, &beginning(&folder.join(format!("fdinfo/{fd}")), FDINFO_MAX)))
        })
        .collect();
    let inodes = open.iter().filter_map(|open| if let Kind::Socket(inode, _) = open.kind { Some(inode) } else { None });
    let mut known = sockets::find(&folder.join("net"), inodes.collect());
    for open in &mut open {
        if let Kind::Socket(inode, socket) = &mut open.kind {
            *socket = known.remove(inode);
        }
    }
    let limits = beginning(&folder.join("limits"), LIMITS_MAX);
    Ok(Files { folder: link("cwd"), root: link("root"), program: link("exe"), count, limit: limit(&limits), open })
}

fn beginning(path: &Path, most: usize) -> String {
    let bytes = File::open(path).and_then(|file| bounded::head(file, most));
    String::from_utf8_lossy(&bytes.unwrap_or_default().0).into_owned()
}

/// A descriptor, from where its link leads and from its `fdinfo`.
fn describe(fd: u32, target: Vec<u8>, info: &str) -> Open {
    let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let position = value("pos:").and_then(|pos| pos.parse().ok()).unwrap_or(0);
    let flags = value("flags:").and_then(|flags| libc::c_int::from_str_radix(flags, 8).ok());
    let access = flags.map(|flags| match flags & libc::O_ACCMODE {
        _ if flags & libc::O_PATH != 0 => Access::Path,
        libc::O_WRONLY => Access::Write,
        libc::O_RDWR => Access::Both,
        _ => Access::Read,
    });
    let manner = |flags| MANNERS.into_iter().filter(move |(bits, _)| flags & bits == *bits).map(|(_, word)| word);
    let is_folder = flags.is_some_and(|flags| flags & libc::O_DIRECTORY == libc::O_DIRECTORY);
    let manner = flags.into_iter().flat_map(manner).collect();
    Open { fd, kind: kind(target, is_folder), access, position, manner }
}

/// What a link of a descriptor leads to: a path, or `pipe:[1]`, `socket:[1]`, `anon_inode:[eventfd]`, `net:[1]`.
fn kind(target: Vec<u8>, is_folder: bool) -> Kind {
    let inode = |rest: &[u8]| str::from_utf8(rest.strip_prefix(b"[")?.strip_suffix(b"]")?).ok()?.parse().ok();
    if let Some(pipe) = target.strip_prefix(b"pipe:").and_then(inode) {
        return Kind::Pipe(pipe);
    }
    if let Some(socket) = target.strip_prefix(b"socket:").and_then(inode) {
        return Kind::Socket(socket, None);
    }
    if let Some(name) = target.strip_prefix(b"anon_inode:") {
        let bare = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]"));
        return Kind::Kernel(bare.unwrap_or(name).to_vec());
    }
    if !target.contains(&b'/') {
        return Kind::Kernel(target);
    }
    let word = match () {
        () if is_folder => "dir",
        () if target.starts_with(b"/memfd:") => "memory",
        () if target.starts_with(b"/dev/") && !target.starts_with(b"/dev/shm/") => "device",
        () => "file",
    };
    Kind::Path(word, target)
}

/// How many files may be open at a time, from a `limits` file.
fn limit(limits: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_tell_what_is_open() {
        let of = |target: &str| kind(target.into(), false);
        assert_eq!(of("pipe:[17]"), Kind::Pipe(17));
        assert_eq!(of("socket:[18]"), Kind::Socket(18, None));
        assert_eq!(of("anon_inode:[eventpoll]"), Kind::Kernel(b"eventpoll".to_vec()));
        assert_eq!(of("anon_inode:inotify"), Kind::Kernel(b"inotify".to_vec()));
        assert_eq!(of("mnt:[4026531841]"), Kind::Kernel(b"mnt:[4026531841]".to_vec()));
        for (path, word) in [
            ("/etc/passwd", "file"),
            ("/tmp/a b (deleted)", "file"),
            ("/dev/pts/3", "device"),
            ("/dev/shm/x", "file"),
            ("/memfd:x (deleted)", "memory"),
            ("pipe:[17]/x", "file"),
        ] {
            assert_eq!(of(path), Kind::Path(word, path.into()), "{path}");
        }
        assert_eq!(kind(b"/dev".to_vec(), true), Kind::Path("dir", b"/dev".to_vec()));
    }

    #[test]
    fn fdinfo_tells_how_and_where() {
        let info = format!("pos:\t4096\nflags:\t0{:o}\nmnt_id:\t29\n", libc::O_WRONLY | libc::O_APPEND);
        let open = describe(1, b"/log".to_vec(), &info);
        assert_eq!((open.position, open.access, open.manner), (4096, Some(Access::Write), vec!["append"]));
        let info = format!("flags:\t0{:o}\n", libc::O_PATH | libc::O_DIRECTORY);
        let open = describe(1, b"/".to_vec(), &info);
        assert_eq!((open.access, open.kind), (Some(Access::Path), Kind::Path("dir", b"/".to_vec())));
        let unknown = describe(1, b"/log".to_vec(), "");
        assert_eq!((unknown.access, unknown.position), (None, 0));
    }

    #[test]
    fn the_limit_is_the_soft_one() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        assert_eq!(limit(limits), Some(1024));
        assert_eq!(limit(""), None);
    }
}
