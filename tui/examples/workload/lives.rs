//! What can happen between birth and end: threads, orphanhood, other credentials, another name, use of resources.

use std::io::{self, Write as _};

use nix::sys::prctl::{set_child_subreaper, set_name};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Gid, Uid, setresgid, setresuid};
use serde_json::json;

use crate::program::Program;
use crate::{log, sys, until_told};

/// A user and group that nobody has to set up.
const NOBODY: u32 = 65534;

/// Forks twice and lets the process in between end: the last is an orphan, which ends when told
/// and has done `last`.
pub(crate) fn orphan(last: impl FnOnce() -> io::Result<u8>) -> io::Result<i32> {
    let (read, write) = nix::unistd::pipe()?;
    let between = sys::child(|| {
        let forker = log::stat("self")?.pid;
        let orphan = sys::child(|| {
            while log::stat("self")?.ppid == forker {
                std::thread::yield_now();
            }
            log::line(&json!({"type": "parent", "pid": log::stat("self")?.pid, "ppid": log::stat("self")?.ppid}))?;
            until_told()?;
            last()
        })?;
        nix::unistd::write(&write, &orphan.to_ne_bytes())?;
        Ok(0)
    })?;
    drop(write);
    let mut orphan = [0; 4];
    nix::unistd::read(&read, &mut orphan)?;
    log::wait(between)?;
    Ok(i32::from_ne_bytes(orphan))
}

/// A daemon: re-parented to init, or to whoever stands in for it above us.
pub(crate) fn daemon() -> io::Result<()> {
    // The orphan holds the pipe until its end, which nobody here could wait for.
    let (ended, held) = nix::unistd::pipe()?;
    orphan(|| log::own_exit(60).map(|()| 60))?;
    drop(held);
    log::settled()?;
    until_told()?;
    nix::unistd::read(&ended, &mut [0])?;
    Ok(())
}

/// An orphan re-parented to its grandparent, which has asked for that.
pub(crate) fn subreaper() -> io::Result<()> {
    set_child_subreaper(true)?;
    let orphan = orphan(|| Ok(61))?;
    log::settled()?;
    log::wait(orphan)
}

/// Processes whose leader ends while other threads run on: one then ends with its last thread (with whose code it
/// ends depends on the kernel: the leader's before 5.17, the last one's since), the other by an exit of all.
pub(crate) fn leader_gone() -> io::Result<()> {
    let leave = |end_all: bool| {
        sys::child(move || {
            for _ in 0..2 {
                std::thread::spawn(move || {
                    if until_told().is_err() || end_all {
                        sys::exit_process(72);
                    }
                    sys::exit_thread(70)
                });
            }
            sys::exit_thread(71)
        })
    };
    let children = [leave(false)?, leave(true)?];
    for pid in children {
        while !is(pid, 'Z')? {
            std::thread::yield_now();
        }
    }
    log::settled()?;
    children.into_iter().try_for_each(log::wait)
}

/// A process whose end takes as long as the test wants, long after it was told of: the first one of a pid namespace stays
/// until whoever else was in there has been waited for, and here that is somebody outside.
pub(crate) fn slow_end() -> io::Result<()> {
    sys::new_pid_namespace()?;
    let forker = log::stat("self")?.pid;
    let (may_end, end) = nix::unistd::pipe()?;
    let (is_born, born) = nix::unistd::pipe()?;
    let first = sys::clone3(0, None, || {
        log::own_birth(forker)?;
        nix::unistd::read(&may_end, &mut [0])?;
        Ok(62)
    })?;
    let other = sys::clone3(0, None, || {
        log::own_birth(forker)?;
        nix::unistd::write(&born, &[0])?;
        until_told().map(|()| 0)
    })?;
    nix::unistd::read(&is_born, &mut [0])?;
    nix::unistd::write(&end, &[0])?;
    // The first kills the other when it is on its way out.
    while !is(other, 'Z')? {
        std::thread::yield_now();
    }
    log::line(&json!({"type": "slow", "pid": first}))?;
    log::settled()?;
    until_told()?;
    log::wait(other)?;
    log::wait(first)
}

/// Whether the leader of a process is in this state.
fn is(pid: i32, state: char) -> io::Result<bool> {
    let stat = std::fs::read(format!("/proc/{pid}/task/{pid}/stat"))?;
    Ok(String::from_utf8_lossy(&stat).contains(&format!(") {state} ")))
}

/// A thread that is not the leader starts a program: the process stays what it was.
pub(crate) fn thread_exec() -> io::Result<()> {
    log::wait(sys::child(|| {
        let program = Program::this(&["code", "73"])?;
        let thread = std::thread::spawn(move || program.exec());
        thread.join().unwrap_or_else(|_| Err(io::Error::other("panicked")))
    })?)
}

/// 64 threads started, all there at the same time, and ended: in one process.
pub(crate) fn threads() -> io::Result<()> {
    const THREADS: usize = 64;
    log::wait(sys::child(|| {
        let all_here = std::sync::Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| all_here.wait());
            }
        });
        Ok(74)
    })?)
}

/// Children that change who they are, have a child as such, and start a program: one for good, one only in effect.
pub(crate) fn credentials() -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    let change = |real_uid: Uid, real_gid: Gid| {
        sys::child(|| {
            setresgid(real_gid, gid, gid)?;
            setresuid(real_uid, uid, real_uid)?;
            log::wait(sys::child(|| Ok(75))?)?;
            let stat = log::stat("self")?;
            let (uid, ruid) = (NOBODY, real_uid.as_raw());
            log::line(&json!({"type": "uid", "pid": stat.pid, "uid": uid, "gid": NOBODY, "ruid": ruid}))?;
            until_told()?;
            Program::new("/bin/true", ["true"])?.exec()
        })
    };
    let children = [change(uid, gid)?, change(Uid::from_raw(0), Gid::from_raw(0))?];
    log::settled()?;
    children.into_iter().try_for_each(log::wait)
}

/// A process takes another name, one that is hard to show.
pub(crate) fn rename() -> io::Result<()> {
    let name = c"new \x1b[7mname";
    let child = sys::child(|| {
        set_name(name)?;
        log::line(&json!({"type": "name", "pid": log::stat("self")?.pid, "comm": log::hex(name.to_bytes())}))?;
        until_told()?;
        Ok(76)
    })?;
    log::settled()?;
    log::wait(child)
}

/// A process that burns 240 ms of CPU time in four threads, touches 64 MiB and writes 1 MiB.
pub(crate) fn heavy() -> io::Result<()> {
    const BYTES: usize = 64 << 20;
    const FILE: &str = "heavy-output";
    log::wait(sys::child(|| {
        let mut memory = vec![0_u8; BYTES];
        memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
        std::hint::black_box(&memory);
        let burn = || {
            let spent = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(i64::MAX, |t| t.tv_nsec());
            while spent() < 60_000_000 {}
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(burn);
            }
        });
        std::fs::write(FILE, &memory[..1 << 20])?;
        let io = std::fs::read_to_string("/proc/self/io")?;
        let of = |name: &str| io.lines().find_map(|l| l.strip_prefix(name)?.trim().parse::<u64>().ok());
        let (read, write) = (of("read_bytes:"), of("write_bytes:"));
        log::line(&json!({"type": "io", "read_bytes": read, "write_bytes": write, "touched_bytes": BYTES}))?;
        Ok(77)
    })?)
}

/// A process of four threads, of which all write and two have ended, below two that write nothing but wait. Each logs what it
/// has read and written when it is about to do no more, as the kernel tells it of itself: it has reaped nobody then.
pub(crate) fn own_io() -> io::Result<()> {
    const BYTES: usize = 1 << 20;
    let write = |name: String| {
        let file = std::fs::File::create(name)?;
        (&file).write_all(&vec![1_u8; BYTES])?;
        file.sync_all()
    };
    let waiting = |below: &dyn Fn() -> io::Result<i32>| {
        let child = below()?;
        io_so_far(1, 1)?;
        log::wait(child)
    };
    let writer = || {
        sys::child(|| {
            for number in 1..3 {
                std::thread::spawn(move || write(format!("thread-{number}")))
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("panicked")))?;
            }
            let (told, tell) = std::sync::mpsc::channel();
            // It ends with the process.
            std::thread::spawn(move || {
                let _ = told.send(write("thread-3".to_owned()));
                loop {
                    std::thread::park();
                }
            });
            tell.recv().map_err(io::Error::other)??;
            write("leader".to_owned())?;
            io_so_far(4, 2)?;
            log::settled()?;
            until_told()?;
            Ok(78)
        })
    };
    let parent = sys::child(|| waiting(&writer).map(|()| 79))?;
    io_so_far(1, 1)?;
    log::wait(parent)
}

fn io_so_far(begun: u32, most: u32) -> io::Result<()> {
    let io = std::fs::read_to_string("/proc/self/io")?;
    let of = |name: &str| io.lines().find_map(|l| l.strip_prefix(name)?.trim().parse::<u64>().ok());
    let (read, write) = (of("read_bytes:"), of("write_bytes:"));
    let pid = std::process::id();
    log::line(
        &json!({"type": "io", "pid": pid, "read_bytes": read, "write_bytes": write, "begun": begun, "most": most}),
    )
}

/// Processes that end while two of their threads burn: these have not been released when the last one ends. Each logs
/// what it had spent just before, as the kernel told it.
pub(crate) fn ended_in_full_swing() -> io::Result<()> {
    for _ in 0..40 {
        log::wait(sys::child(|| {
            for _ in 0..2 {
                std::thread::spawn(|| {
                    loop {
                        std::hint::spin_loop();
                    }
                });
            }
            std::thread::sleep(std::time::Duration::from_millis(15));
            let spent = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
            let cpu_ns = spent.tv_sec() * 1_000_000_000 + spent.tv_nsec();
            log::line(&json!({"type": "cpu", "pid": std::process::id(), "cpu_ns": cpu_ns}))?;
            sys::exit_process(0)
        })?)?;
    }
    Ok(())
}

/// A tree that stays until told: a program with a child by fork, a program with arguments that are hard to show, a
/// process of three threads, and a zombie.
pub(crate) fn tree() -> io::Result<()> {
    let (read, write) = nix::unistd::pipe()?;
    let branch = sys::child(|| {
        set_name(c"branch")?;
        let leaf = Program::child("wait", [&b"leaf"[..], b"two words", b"\"\n\x1b[31m<\xff>\\"])?.spawn()?;
        nix::unistd::write(&write, &leaf.to_ne_bytes())?;
        log::wait(leaf)?;
        Ok(81)
    })?;
    let threads = sys::child(|| {
        set_name(c"threads")?;
        let others = [(); 2].map(|()| std::thread::spawn(until_told));
        others.into_iter().try_for_each(|t| t.join().unwrap_or_else(|_| Err(io::Error::other("panicked"))))?;
        Ok(82)
    })?;
    let zombie = sys::child(|| Ok(83))?;
    drop(write);
    let mut leaf = [0; 4];
    nix::unistd::read(&read, &mut leaf)?;
    let leaf = i32::from_ne_bytes(leaf);
    // All have become what they are to be, and sleep.
    let tasks = || Ok::<_, io::Error>(std::fs::read_dir(format!("/proc/{threads}/task"))?.count());
    let has_become_leaf = || Ok::<_, io::Error>(std::fs::read(format!("/proc/{leaf}/cmdline"))?.starts_with(b"leaf\0"));
    while !(tasks()? == 3 && has_become_leaf()? && is(leaf, 'S')? && is(branch, 'S')? && is(threads, 'S')?) {
        std::thread::yield_now();
    }
    sys::wait_ended(zombie)?;
    log::line(&json!({"type": "tree", "branch": branch, "leaf": leaf, "threads": threads, "zombie": zombie}))?;
    log::settled()?;
    until_told()?;
    [branch, threads, zombie].into_iter().try_for_each(log::wait)
}

/// So many processes that do nothing until told.
pub(crate) fn sleepers(count: u32) -> io::Result<()> {
    let sleepers = (0..count).map(|_| sys::child(|| until_told().map(|()| 0))).collect::<io::Result<Vec<_>>>()?;
    log::settled()?;
    sleepers.into_iter().try_for_each(log::wait)
}

/// How a program is started that sets titles.
pub(crate) const TITLES: &str = "titles";

/// A program that writes a shorter title over its arguments, as servers do, and a worker that is forked from it and takes
/// a title of its own.
pub(crate) fn title() -> io::Result<()> {
    let server =
        Program::child(TITLES, [&b"server"[..], b"with", b"some arguments", b"that are long enough"])?.spawn()?;
    log::settled()?;
    log::wait(server)
}

/// The program of [`title`].
pub(crate) fn set_titles() -> io::Result<()> {
    sys::overwrite_arguments(b"server: ready")?;
    log::line(&json!({"type": "title", "pid": log::stat("self")?.pid}))?;
    let worker = sys::child(|| {
        sys::overwrite_arguments(b"server: worker")?;
        log::line(&json!({"type": "title", "pid": log::stat("self")?.pid}))?;
        until_told()?;
        Ok(91)
    })?;
    until_told()?;
    log::wait(worker)
}
