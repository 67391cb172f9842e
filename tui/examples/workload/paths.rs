//! Programs that are started by other ways than their path: by a descriptor, from memory, below a mount, in a chroot. What
//! was started waits until told, as any program with [`CHILD`] in its environment does.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::fcntl::AtFlags;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::{chroot, execveat};

use crate::program::CHILD;

/// What follows a program's descriptor or path, so that it waits.
fn waiting() -> io::Result<(CString, CString)> {
    Ok((CString::new("x")?, CString::new(format!("{CHILD}=wait"))?))
}

fn by_descriptor(file: &impl AsFd) -> io::Result<Infallible> {
    let (argument, variable) = waiting()?;
    Ok(execveat(file.as_fd(), c"", &[&*argument], &[&*variable], AtFlags::AT_EMPTY_PATH)?)
}

/// Runs a file that has been deleted by then.
pub(crate) fn deleted(file: &str) -> io::Result<Infallible> {
    let open = File::open(file)?;
    fs::remove_file(file)?;
    by_descriptor(&open)
}

/// Runs a file by a descriptor.
pub(crate) fn descriptor(file: &str) -> io::Result<Infallible> {
    by_descriptor(&File::open(file)?)
}

/// Runs a copy of a file that is in memory alone.
pub(crate) fn memory(file: &str) -> io::Result<Infallible> {
    let memory = memfd_create(c"a (deleted)", MFdFlags::MFD_CLOEXEC)?;
    io::copy(&mut File::open(file)?, &mut File::from(memory.try_clone()?))?;
    by_descriptor(&memory)
}

/// A mount namespace of its own, of which nobody else sees anything.
fn namespace() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&CStr>, "/", None::<&CStr>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&CStr>)?;
    Ok(())
}

fn bind(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    mount(Some(from), to, None::<&CStr>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&CStr>)?;
    Ok(())
}

/// Runs a file of a folder that is mounted once more, three mounts deep.
pub(crate) fn mounted(folder: &str) -> io::Result<Infallible> {
    namespace()?;
    let folder = Path::new(folder);
    let mut place = folder.join("mounted");
    for _ in 0..2 {
        fs::create_dir_all(&place)?;
        mount(None::<&CStr>, &place, Some("tmpfs"), MsFlags::empty(), None::<&CStr>)?;
        place = place.join("in");
    }
    bind(&folder.join("within"), &place)?;
    Err(Command::new(place.join("deep/program")).arg("x").env(CHILD, "wait").exec())
}

/// Runs a file of a folder in a chroot.
pub(crate) fn in_chroot(folder: &str) -> io::Result<Infallible> {
    namespace()?;
    // A program that is no static one needs what is elsewhere.
    let jail = Path::new(folder).join("jail");
    bind(Path::new("/"), &jail)?;
    chroot(&jail)?;
    std::env::set_current_dir("/")?;
    Err(Command::new(Path::new(folder).join("program")).arg("x").env(CHILD, "wait").exec())
}
