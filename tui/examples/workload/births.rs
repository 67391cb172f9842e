//! Ways to be born, to become another program, and to end.

use std::io;

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::pause;

use crate::log;
use crate::program::Program;
use crate::sys::{self, Vfork};

/// Forks that never exec, with the codes 0, 1 and 255.
pub(crate) fn exit_codes() -> io::Result<()> {
    for code in [0, 1, 255] {
        log::wait(sys::child(|| Ok(code))?)?;
    }
    Ok(())
}

/// Deaths by SIGKILL, SIGTERM, a real-time signal, and SIGSEGV without and with a core (if the kernel's settings let
/// it have one).
pub(crate) fn signals() -> io::Result<()> {
    const REALTIME: i32 = 37;
    for signal in [libc::SIGKILL, libc::SIGTERM, REALTIME] {
        let pid = sys::child(|| {
            pause();
            Ok(sys::FAILED)
        })?;
        sys::kill(pid, signal)?;
        log::wait(pid)?;
    }
    for core_bytes in [0, 1 << 20] {
        log::wait(sys::child(|| {
            setrlimit(Resource::RLIMIT_CORE, core_bytes, core_bytes)?;
            sys::segfault()
        })?)?;
    }
    Ok(())
}

/// The same program by vfork, posix_spawn, clone3 and fork; and an exec that fails, which is none.
pub(crate) fn ways_to_spawn() -> io::Result<()> {
    let program = Program::this(&["code", "17"])?;
    let ways: [fn(&Program) -> io::Result<i32>; 2] =
        [|program| Vfork::new().spawn(program, &program.pointers()), sys::posix_spawn];
    for spawn in ways {
        let pid = spawn(&program)?;
        log::fork(pid)?;
        log::exec(pid, &program)?;
        log::wait(pid)?;
    }
    let pid = sys::clone3(0, None, || program.exec())?;
    log::fork(pid)?;
    log::wait(pid)?;
    log::wait(program.spawn()?)?;
    log::wait(sys::child(|| match nix::unistd::execve::<&std::ffi::CStr, _>(c"/nonexistent", &[c""], &[c""; 0]) {
        Err(Errno::ENOENT) => Ok(18),
        Err(error) => Err(error.into()),
    })?)
}

/// A process makes not a child but a sibling, which its own parent has to wait for.
pub(crate) fn clone_parent() -> io::Result<()> {
    let (read, write) = nix::unistd::pipe()?;
    let forker = sys::child(|| {
        let sibling = sys::clone3(libc::CLONE_PARENT, None, || Ok(21))?;
        log::fork(sibling)?;
        nix::unistd::write(&write, &sibling.to_ne_bytes())?;
        Ok(20)
    })?;
    drop(write);
    let mut sibling = [0; 4];
    nix::unistd::read(&read, &mut sibling)?;
    log::wait(i32::from_ne_bytes(sibling))?;
    log::wait(forker)
}

/// Five programs in one process.
pub(crate) fn exec_chain() -> io::Result<()> {
    log::wait(Program::this(&["link", "4"])?.spawn()?)
}

/// One program of the chain: becomes the next.
pub(crate) fn link(left: u8) -> io::Result<u8> {
    match left {
        0 => Ok(42),
        _ => Program::this(&["link", &(left - 1).to_string()])?.exec(),
    }
}

/// A process that is pid 1 in a new namespace, and its child there.
pub(crate) fn pid_namespace() -> io::Result<()> {
    // Each logs itself: the numbers that the one outside and the one inside get from their calls differ.
    let outside = log::stat("self")?.pid;
    let init = sys::clone3(libc::CLONE_NEWPID, None, || {
        log::own_birth(outside)?;
        let init = log::stat("self")?.pid;
        let child = sys::clone3(0, None, || {
            log::own_birth(init)?;
            log::own_exit(31)?;
            Ok(31)
        })?;
        sys::wait4(child)?;
        Ok(30)
    })?;
    log::wait(init)
}

/// Two processes of the same pid, one after the other.
pub(crate) fn pid_reuse() -> io::Result<()> {
    // Somebody else may be given the number in between; then another will do.
    for _ in 0..100 {
        let first = sys::child(|| Ok(51))?;
        log::wait(first)?;
        // A tick apart, so that the log itself tells them apart.
        std::thread::sleep(std::time::Duration::from_millis(20));
        match sys::clone3(0, Some(first), || Ok(52)) {
            Ok(second) => {
                log::fork(second)?;
                return log::wait(second);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("the pid was taken by others, a hundred times over"))
}
