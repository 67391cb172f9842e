//! Deaths by a signal, from each of the directions that one can come from. A line `killed` says who sent it, if a process
//! did, and the cause as ptree-tui names it; a line `skipped` what cannot be had here.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{Pid, getpid, pause, pipe, setpgid, setsid};
use serde_json::json;

use crate::log;
use crate::sys;

/// What two processes may use together of the memory that is to run out, and what each of them asks for.
const LIMIT: usize = 48 << 20;
const FIRST: usize = 32 << 20;
const SECOND: usize = 24 << 20;

/// Signals from processes.
pub(crate) fn by_processes() -> io::Result<()> {
    let me = getpid();
    let ways: [fn(i32) -> io::Result<()>; 5] = [
        |pid| sys::kill(pid, libc::SIGTERM),
        |pid| {
            setpgid(Pid::from_raw(pid), Pid::from_raw(0))?;
            Ok(nix::sys::signal::killpg(Pid::from_raw(pid), Signal::SIGUSR1)?)
        },
        |pid| sys::tgkill(pid, libc::SIGUSR2),
        |pid| sys::sigqueue(pid, libc::SIGQUIT),
        |pid| sys::pidfd_send_signal(pid, libc::SIGKILL),
    ];
    for send in ways {
        let (pid, _) = settled(|| Ok(()))?;
        send(pid)?;
        killed(pid, "user", Some(me.as_raw()))?;
    }
    // One that is handled, and then others from somebody else.
    let (pid, _) = settled(|| sys::handle(Signal::SIGTERM))?;
    sys::kill(pid, libc::SIGTERM)?;
    let sender = sys::child(|| {
        sys::kill(pid, libc::SIGTERM)?;
        sys::kill(pid, libc::SIGKILL)?;
        Ok(0)
    })?;
    log::wait(sender)?;
    killed(pid, "user", Some(sender))?;
    for raise in [libc::SIGABRT, libc::SIGTERM] {
        let pid = sys::child(|| {
            sys::raise(raise)?;
            Ok(sys::FAILED)
        })?;
        killed(pid, "user", Some(pid))?;
    }
    parent_death()?;
    with_cgroup2(|folder| cgroup_kill(folder, me.as_raw()))
}

/// Signals that no process sends.
pub(crate) fn by_the_kernel() -> io::Result<()> {
    killed(sys::child(|| sys::segfault())?, "fault", None)?;
    for timer in [sys::timer as fn() -> io::Result<()>, sys::alarm] {
        let pid = sys::child(|| {
            timer()?;
            loop {
                pause();
            }
        })?;
        killed(pid, "timer", None)?;
    }
    let pid = sys::child(|| {
        // Rust ignores it, and so did whoever started us, perhaps.
        default(Signal::SIGPIPE)?;
        let (read, write) = pipe()?;
        drop(read);
        nix::unistd::write(&write, b"x")?;
        Ok(sys::FAILED)
    })?;
    killed(pid, "kernel", None)?;
    terminal()?;
    out_of_memory()
}

/// Ctrl-C, and a terminal that is hung up.
fn terminal() -> io::Result<()> {
    for key in [true, false] {
        let pty = nix::pty::openpty(None, None)?;
        let (master, slave) = (fs::File::from(pty.master), pty.slave);
        let outer = master.as_raw_fd();
        let (pid, _) = settled(|| {
            for name in [Signal::SIGINT, Signal::SIGHUP] {
                default(name)?;
            }
            setsid()?;
            sys::close(outer)?;
            sys::take_terminal(&slave)
        })?;
        drop(slave);
        if key {
            (&master).write_all(b"\x03")?;
        } else {
            drop(master);
        }
        killed(pid, "terminal", None)?;
    }
    Ok(())
}

/// A parent that dies, and a child that wants to die with it.
fn parent_death() -> io::Result<()> {
    nix::sys::prctl::set_child_subreaper(true)?;
    let (read, write) = pipe()?;
    let parent = sys::child(|| {
        let (child, _) = settled(|| Ok(nix::sys::prctl::set_pdeathsig(Signal::SIGUSR1)?))?;
        fs::File::from(write.try_clone()?).write_all(&child.to_ne_bytes())?;
        Ok(0)
    })?;
    let mut child = [0; 4];
    fs::File::from(read).read_exact(&mut child)?;
    log::wait(parent)?;
    killed(i32::from_ne_bytes(child), "user", Some(parent))
}

/// All of a control group at once, by a word in a file.
fn cgroup_kill(folder: &Path, me: i32) -> io::Result<()> {
    let group = Group::new(folder)?;
    if !group.0.join("cgroup.kill").exists() {
        return skipped("cgroup.kill: this kernel has none");
    }
    let (pid, _) = settled(|| group.enter())?;
    fs::write(group.0.join("cgroup.kill"), "1")?;
    killed(pid, "user", Some(me))
}

/// One that has most of the memory of its control group is killed while another one asks for more.
fn out_of_memory() -> io::Result<()> {
    let v1 = mounted("cgroup", |options| options.split(',').any(|option| option == "memory"));
    if let Some(folder) = v1? {
        let group = Group::new(&folder)?;
        group.limit("memory.limit_in_bytes", "memory.swappiness")?;
        return run_out(&group);
    }
    with_cgroup2(|folder| {
        let controllers = fs::read_to_string(folder.join("cgroup.controllers"))?;
        if !controllers.split_ascii_whitespace().any(|name| name == "memory") {
            return skipped("out of memory: there is no controller for it");
        }
        fs::write(folder.join("cgroup.subtree_control"), "+memory")?;
        let group = Group::new(folder)?;
        group.limit("memory.max", "memory.swap.max")?;
        run_out(&group)
    })
}

fn run_out(group: &Group) -> io::Result<()> {
    let (first, _) = settled(|| {
        group.enter()?;
        sys::occupy(FIRST)
    })?;
    let (second, _stays, lives) = settled_unless_dead(|| {
        group.enter()?;
        sys::occupy(SECOND)
    })?;
    killed(first, "oom", Some(second))?;
    if !lives {
        // What the first one had was not free again soon enough.
        return killed(second, "oom", Some(second));
    }
    sys::kill(second, libc::SIGKILL)?;
    killed(second, "user", Some(getpid().as_raw()))
}

/// A control group, as long as this lives.
pub(crate) struct Group(pub(crate) PathBuf);

impl Group {
    fn new(below: &Path) -> io::Result<Self> {
        Self::named(below, &format!("ptree-tui-{}", getpid()))
    }

    pub(crate) fn named(below: &Path, name: &str) -> io::Result<Self> {
        let path = below.join(name);
        fs::create_dir(&path).map(|()| Self(path))
    }

    pub(crate) fn enter(&self) -> io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), "0")
    }

    /// Lets it have so much memory, and none on disk.
    fn limit(&self, memory: &str, swap: &str) -> io::Result<()> {
        fs::write(self.0.join(memory), LIMIT.to_string())?;
        // Where there is no such file, there is nowhere to swap to.
        match fs::write(self.0.join(swap), "0") {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that was waited for may leave its group a little later.
        while let Err(error) = fs::remove_dir(&self.0) {
            if error.kind() != io::ErrorKind::ResourceBusy {
                break;
            }
            std::thread::yield_now();
        }
    }
}

/// Does something where the unified hierarchy is mounted, if need be for the purpose.
pub(crate) fn with_cgroup2(act: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = mounted("cgroup2", |_| true)? {
        return act(&folder);
    }
    let folder = std::env::current_dir()?.join("cgroup2");
    fs::create_dir_all(&folder)?;
    if let Err(error) = mount(Some("none"), &folder, Some("cgroup2"), MsFlags::empty(), None::<&str>) {
        return skipped(&format!("what takes the unified hierarchy: {error}"));
    }
    let done = act(&folder);
    umount2(&folder, MntFlags::MNT_DETACH)?;
    done
}

/// Where a file system is mounted.
pub(crate) fn mounted(kind: &str, is_it: impl Fn(&str) -> bool) -> io::Result<Option<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mut lines = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let found = lines.find(|fields| fields.len() > 3 && fields[2] == kind && is_it(fields[3]));
    Ok(found.map(|fields| fields[1].into()))
}

fn default(name: Signal) -> io::Result<()> {
    // SAFETY: no function is called by a signal.
    unsafe { signal(name, SigHandler::SigDfl) }?;
    Ok(())
}

/// A child that prepares itself, and then waits for its death. With it, what it holds on to.
fn settled(prepare: impl FnOnce() -> io::Result<()>) -> io::Result<(i32, OwnedFd)> {
    settled_unless_dead(prepare).map(|(pid, read, _)| (pid, read))
}

/// The same, and whether it has come so far.
fn settled_unless_dead(prepare: impl FnOnce() -> io::Result<()>) -> io::Result<(i32, OwnedFd, bool)> {
    let (read, write) = pipe()?;
    let pid = sys::child(|| {
        prepare()?;
        nix::unistd::write(&write, b"x")?;
        loop {
            pause();
        }
    })?;
    drop(write);
    let mut word = [0];
    // Or its end, should it die before.
    let read_bytes = nix::unistd::read(&read, &mut word)?;
    Ok((pid, read, read_bytes > 0))
}

/// Waits for a death, and logs where it came from.
fn killed(pid: i32, cause: &str, by: Option<i32>) -> io::Result<()> {
    log::line(&json!({"type": "killed", "pid": pid, "cause": cause, "by": by}))?;
    log::wait(pid)
}

pub(crate) fn skipped(what: &str) -> io::Result<()> {
    log::line(&json!({"type": "skipped", "what": what}))
}
