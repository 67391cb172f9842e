//! Processes with exact properties, for all of what is told of a process to be compared with what the kernel says of it while
//! it lives and after: one that has something of everything, one in a pid namespace, an orphan. Nothing changes any more when
//! it is settled.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::sync::{Arc, Barrier};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::prctl::{set_child_subreaper, set_name};
use nix::unistd::{Gid, Pid, Uid, setpgid, setresgid, setresuid, setsid};
use serde_json::json;

use crate::program::Program;
use crate::{belonging, lives, log, sys, until_told};

/// How the program is started that has something of everything.
pub(crate) const EXACT: &str = "exact";
/// A user and a group that nobody has to set up.
const UID: u32 = 65534;
const GID: u32 = 65533;
/// Threads that are there at once, beside the first, and those of them that stay.
const THREADS: u32 = 4;
const STAY: u32 = 2;
const WRITTEN: usize = 1 << 20;
const READ: usize = 512 << 10;
const FREED: usize = 48 << 20;
const KEPT: usize = 24 << 20;

/// See the module.
pub(crate) fn facts() -> io::Result<()> {
    // Whoever is orphaned here is waited for.
    set_child_subreaper(true)?;
    let children = [leader()?, outside()?, lives::orphan(|| Ok(43))?];
    log::settled()?;
    children.into_iter().try_for_each(log::wait)
}

/// The leader of a session with a terminal, and in it a process group of its own.
fn leader() -> io::Result<i32> {
    sys::child(|| {
        setsid()?;
        let terminal = nix::pty::openpty(None, None)?;
        sys::take_terminal(&terminal.slave)?;
        let path = std::env::current_dir()?.join("exact program");
        fs::copy(std::env::current_exe()?, &path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        // Its pages have to be read again, which are faults with I/O, where they are on storage.
        let file = File::open(&path)?;
        file.sync_all()?;
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        drop(file);
        let exact = sys::child(|| {
            setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
            sys::set_nice(7)?;
            // Not everywhere may it be set: what it is in the end is what counts.
            let _ = fs::write("/proc/self/loginuid", "4242");
            let path = path.to_str().ok_or_else(|| io::Error::other("no UTF-8"))?;
            Program { path: std::ffi::CString::new(path)?, ..Program::child(EXACT, ["exact", "two words", "--flag"])? }
                .exec()
        })?;
        until_told()?;
        log::wait(exact)?;
        // Closed, it would hang up, and be nobody's terminal at the end.
        std::mem::forget(terminal);
        Ok(42)
    })
}

/// The program that has something of everything.
pub(crate) fn exact() -> io::Result<()> {
    let waited_for = sys::child(|| Ok(0))?;
    let zombie = sys::child(|| Ok(44))?;
    let below = sys::child(|| until_told().map(|()| 45))?;
    log::wait(waited_for)?;
    sys::wait_ended(zombie)?;
    storage()?;
    belonging::in_user_mode()?;
    belonging::in_the_kernel()?;
    drop(touched(FREED));
    let kept = touched(KEPT);
    fs::remove_file(std::env::current_exe()?)?;
    setresgid(Gid::from_raw(0), Gid::from_raw(GID), Gid::from_raw(0))?;
    setresuid(Uid::from_raw(0), Uid::from_raw(UID), Uid::from_raw(0))?;
    threads()?;
    sys::overwrite_arguments(b"exact: title")?;
    set_name(c"exact name")?;
    let pid = std::process::id();
    log::line(&json!({
        "type": "facts", "pid": pid, "begun": 1 + THREADS + STAY, "most": 1 + THREADS, "zombie": zombie,
    }))?;
    until_told()?;
    drop(kept);
    log::wait(below)?;
    log::wait(zombie)
}

fn touched(bytes: usize) -> Vec<u8> {
    let mut memory = vec![0_u8; bytes];
    memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
    std::hint::black_box(memory)
}

/// Writes to storage and reads from it, past all memory where that can be.
fn storage() -> io::Result<()> {
    const ALIGNED: usize = 4096;
    let mut buffer = vec![1_u8; WRITTEN + ALIGNED];
    let from = buffer.as_ptr().align_offset(ALIGNED);
    let buffer = &mut buffer[from..from + WRITTEN];
    let mut direct = || {
        let open = |options: &mut OpenOptions| options.custom_flags(libc::O_DIRECT).open("past all memory");
        open(File::options().write(true).create(true))?.write_all(buffer)?;
        open(File::options().read(true))?.read_exact(&mut buffer[..READ])
    };
    if let Err(error) = direct() {
        let what = format!("{error}: bytes that are read and written past all memory");
        log::line(&json!({"type": "skipped", "what": what}))?;
        fs::write("past all memory", &*buffer)?;
    }
    Ok(())
}

/// Has threads begin, so many at once and all of them ended after, and then others that stay.
fn threads() -> io::Result<()> {
    let all_here = Arc::new(Barrier::new(THREADS as usize));
    let begun: Vec<_> = (0..THREADS)
        .map(|_| {
            let all_here = Arc::clone(&all_here);
            std::thread::spawn(move || all_here.wait())
        })
        .collect();
    for thread in begun {
        thread.join().map_err(|_panic| io::Error::other("panicked"))?;
    }
    // Whoever is joined may be on the list for a little longer.
    while fs::read_dir("/proc/self/task")?.count() > 1 {
        std::thread::yield_now();
    }
    for _ in 0..STAY {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
    }
    Ok(())
}

/// One that has a process in a pid namespace below it, and kills that in the end.
fn outside() -> io::Result<i32> {
    sys::child(|| {
        let own = log::stat("self")?.pid;
        sys::new_pid_namespace()?;
        let inside = sys::clone3(0, None, || {
            log::own_birth(own)?;
            loop {
                nix::unistd::pause();
            }
        })?;
        until_told()?;
        sys::kill(inside, libc::SIGKILL)?;
        log::line(&json!({"type": "killed", "pid": inside, "by": own, "cause": "user"}))?;
        log::wait(inside)?;
        Ok(46)
    })
}

/// One that writes to a file, the same bytes again and again, until told.
pub(crate) fn writer() -> io::Result<()> {
    let writer = sys::child(|| {
        let mut file = File::create("written again")?;
        let begun = written()?;
        let mut is_told = false;
        while !crate::is_told()? {
            io::Seek::rewind(&mut file)?;
            file.write_all(&[1; 65_536])?;
            file.sync_all()?;
            if !is_told && written()? == begun {
                log::line(&json!({"type": "skipped", "what": "what is written is not counted here"}))?;
            }
            is_told = true;
        }
        Ok(47)
    })?;
    log::settled()?;
    log::wait(writer)
}

/// Bytes that this process has had written to storage, where that is counted.
fn written() -> io::Result<u64> {
    let io = fs::read_to_string("/proc/self/io")?;
    Ok(io.lines().find_map(|line| line.strip_prefix("write_bytes:")?.trim().parse().ok()).unwrap_or(0))
}
