//! The calls that std and nix lack or cannot make safe; all of this program's `unsafe` but for the storm's code.

use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::os::fd::AsRawFd as _;

use nix::unistd::ForkResult;

use crate::log;
use crate::program::Program;

/// Exit code of a process whose situation could not be made.
pub(crate) const FAILED: u8 = 99;

/// Runs `body` in a new process, which ends with its code, and logs the birth. Only for processes of one thread.
pub(crate) fn child(body: impl FnOnce() -> io::Result<u8>) -> io::Result<i32> {
    // SAFETY: there is only this thread, so the child finds no lock held.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Child => finish(body()),
        ForkResult::Parent { child } => log::fork(child.as_raw()).map(|()| child.as_raw()),
    }
}

/// The same by clone3 with these flags and, if given, this pid. Returns the pid as this process sees it.
///
/// Without the C library's knowledge: the new process must not call what needs its thread id.
pub(crate) fn clone3(flags: c_int, pid: Option<i32>, body: impl FnOnce() -> io::Result<u8>) -> io::Result<i32> {
    clone3_into(flags, pid, None, body)
}

/// The same with the folder of the cgroup to be born into.
pub(crate) fn clone3_into(
    flags: c_int,
    pid: Option<i32>,
    cgroup: Option<&std::fs::File>,
    body: impl FnOnce() -> io::Result<u8>,
) -> io::Result<i32> {
    // SAFETY: plain numbers, for which zero is valid.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = u64::from(flags.cast_unsigned());
    // With CLONE_PARENT it is the forker's own signal, and none may be given.
    args.exit_signal = if flags & libc::CLONE_PARENT == 0 { u64::from(libc::SIGCHLD.cast_unsigned()) } else { 0 };
    if let Some(pid) = &pid {
        args.set_tid = std::ptr::from_ref(pid) as u64;
        args.set_tid_size = 1;
    }
    if let Some(cgroup) = cgroup {
        // Beyond what fits into the flags of clone.
        const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    }
    // SAFETY: without CLONE_VM this is a fork: the child goes on with a copy of this thread's stack and memory, and
    // there is only this thread. `args` and `pid` outlive the call.
    match unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) } {
        -1 => Err(io::Error::last_os_error()),
        0 => finish(body()),
        pid => i32::try_from(pid).map_err(io::Error::other),
    }
}

/// Writes a title over the arguments of this process, as servers do: what they had of room behind it is NUL.
pub(crate) fn overwrite_arguments(title: &[u8]) -> io::Result<()> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    // Of proc(5), fields 48 and 49, where the first behind the name is the third.
    let address = |field: usize| behind_name.split_ascii_whitespace().nth(field - 3)?.parse::<usize>().ok();
    let (Some(start), Some(end)) = (address(48), address(49)) else { return Err(io::Error::other("no arguments")) };
    let area = std::ptr::with_exposed_provenance_mut::<u8>(start);
    // SAFETY: the kernel laid the arguments there for this process to write to; nobody has borrowed them.
    let area = unsafe { std::slice::from_raw_parts_mut(area, end - start) };
    area.fill(0);
    area.get_mut(..title.len()).ok_or_else(|| io::Error::other("too long"))?.copy_from_slice(title);
    Ok(())
}

/// Has the processes that this one makes from now on live in a new pid namespace, the first of them as its init.
pub(crate) fn new_pid_namespace() -> io::Result<()> {
    // SAFETY: takes no pointers.
    nix::errno::Errno::result(unsafe { libc::unshare(libc::CLONE_NEWPID) })?;
    Ok(())
}

/// Takes this process into a new time namespace, whose boot-time clock is so many seconds ahead. Only for processes of one
/// thread.
pub(crate) fn enter_time_namespace(ahead_s: i64) -> io::Result<()> {
    // SAFETY: takes no pointers.
    nix::errno::Errno::result(unsafe { libc::unshare(libc::CLONE_NEWTIME) })?;
    std::fs::write("/proc/self/timens_offsets", format!("boottime {ahead_s} 0\n"))?;
    // So far it is that of children alone, and not all kernels change it with an exec.
    let namespace = std::fs::File::open("/proc/self/ns/time_for_children")?;
    // SAFETY: the descriptor is open; takes no pointers.
    nix::errno::Errno::result(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWTIME) })?;
    Ok(())
}

fn finish(code: io::Result<u8>) -> ! {
    exit_process(code.unwrap_or_else(|error| {
        eprintln!("workload, process {}: {error}", std::process::id());
        FAILED
    }))
}

/// Starts programs the way vfork and exec do: the parent stands still, and lends its memory, until the child execs.
pub(crate) struct Vfork {
    stack: Vec<u128>,
}

impl Vfork {
    /// Ready to start programs, one at a time.
    pub(crate) fn new() -> Self {
        Self { stack: vec![0; 4096] }
    }

    /// Starts a program whose arguments and environment are `pointers`.
    pub(crate) fn spawn(&mut self, program: &Program, pointers: &[Vec<*const c_char>; 2]) -> io::Result<i32> {
        struct Image(*const c_char, *const *const c_char, *const *const c_char);
        extern "C" fn become_it(image: *mut c_void) -> c_int {
            // SAFETY: `image` is what `spawn` passed, and its parent keeps it until this process execs or ends.
            unsafe {
                let Image(path, argv, env) = *image.cast::<Image>();
                libc::execve(path, argv, env);
                libc::_exit(127)
            }
        }
        let mut image = Image(program.path.as_ptr(), pointers[0].as_ptr(), pointers[1].as_ptr());
        let top = self.stack.as_mut_ptr_range().end.cast();
        // What vfork is to the kernel. The function itself cannot be called from Rust: it returns twice.
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the child runs on a stack of its own, aligned as elements are, while this thread stands still; it
        // makes but one system call.
        match unsafe { libc::clone(become_it, top, flags, (&raw mut image).cast()) } {
            -1 => Err(io::Error::last_os_error()),
            pid => Ok(pid),
        }
    }
}

/// Starts a program by posix_spawn.
pub(crate) fn posix_spawn(program: &Program) -> io::Result<i32> {
    let [argv, env] = program.pointers();
    let mut pid = 0;
    // SAFETY: the path ends with NUL, both arrays with a null pointer, and all outlive the call. The strings are not
    // written to, whatever the prototype says.
    let error = unsafe {
        let (argv, env) = (argv.as_ptr().cast::<*mut c_char>(), env.as_ptr().cast::<*mut c_char>());
        libc::posix_spawn(&raw mut pid, program.path.as_ptr(), std::ptr::null(), std::ptr::null(), argv, env)
    };
    if error == 0 { Ok(pid) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// Waits until a child has ended, and leaves it a zombie.
pub(crate) fn wait_ended(pid: i32) -> io::Result<()> {
    let flags = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: plain numbers, for which zero is valid; written to by the call, and not looked at: nix, which would look,
    // takes no real-time signal.
    let result = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PID, pid.cast_unsigned(), &raw mut info, flags)
    };
    nix::errno::Errno::result(result)?;
    Ok(())
}

/// Waits for a child: wait status and resource usage.
pub(crate) fn wait4(pid: i32) -> io::Result<(c_int, libc::rusage)> {
    let mut status = 0;
    // SAFETY: plain numbers, for which zero is valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to valid memory that is written before it is read.
    match unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok((status, usage)),
    }
}

/// Has the signals that the C library keeps for itself end what is executed next, as they would unless whoever started us
/// ignores them: `posix_spawn` does that to its children.
pub(crate) fn default_reserved_signals() -> io::Result<()> {
    for signal in 32..libc::SIGRTMIN() {
        // An action as the kernel has it: all zeroes are the default.
        let default = [0_usize; 8];
        let nothing = std::ptr::null_mut::<usize>();
        // SAFETY: the kernel reads no more of an action than there is, and writes nothing.
        nix::errno::Errno::result(unsafe {
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), nothing, 8_usize)
        })?;
    }
    Ok(())
}

/// Sends a signal by number: nix has no names for real-time ones.
pub(crate) fn kill(pid: i32, signal: c_int) -> io::Result<()> {
    // SAFETY: takes no pointers.
    nix::errno::Errno::result(unsafe { libc::kill(pid, signal) })?;
    Ok(())
}

/// Gives this process a nice value.
pub(crate) fn set_nice(nice: c_int) -> io::Result<()> {
    // SAFETY: takes no pointers.
    nix::errno::Errno::result(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) })?;
    Ok(())
}

/// Ends this process, all threads, at once.
pub(crate) fn exit_process(code: u8) -> ! {
    // SAFETY: takes no pointer and does not return.
    unsafe { libc::_exit(code.into()) }
}

/// Ends this thread alone, at once: nothing of it is unwound or dropped.
pub(crate) fn exit_thread(code: u8) -> ! {
    // SAFETY: what the thread owns is leaked, and nobody joins it.
    unsafe { libc::syscall(libc::SYS_exit, c_int::from(code)) };
    unreachable!("a thread that has ended")
}

/// Touches memory that nobody has: death by SIGSEGV.
pub(crate) fn segfault() -> ! {
    let (access, flags) = (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping of which nothing else knows; the write to it is the purpose, and faults.
    unsafe {
        let memory = libc::mmap(std::ptr::null_mut(), 4096, access, flags, -1, 0);
        memory.cast::<u8>().write_volatile(1);
    }
    exit_process(FAILED)
}

/// Sends a signal to the first thread of a process.
pub(crate) fn tgkill(pid: i32, signal: c_int) -> io::Result<()> {
    // SAFETY: takes no pointers.
    nix::errno::Errno::result(unsafe { libc::syscall(libc::SYS_tgkill, pid, pid, signal) })?;
    Ok(())
}

/// Sends a signal with a value.
pub(crate) fn sigqueue(pid: i32, signal: c_int) -> io::Result<()> {
    // SAFETY: the value is nothing that anybody follows.
    nix::errno::Errno::result(unsafe {
        libc::sigqueue(pid, signal, libc::sigval { sival_ptr: std::ptr::null_mut() })
    })?;
    Ok(())
}

/// Sends a signal through a descriptor of the process.
pub(crate) fn pidfd_send_signal(pid: i32, signal: c_int) -> io::Result<()> {
    // SAFETY: no pointer but a null one; the descriptor goes with this process.
    nix::errno::Errno::result(unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, 0, 0)
    })?;
    Ok(())
}

/// Sends this thread a signal.
pub(crate) fn raise(signal: c_int) -> io::Result<()> {
    // SAFETY: takes no pointers.
    nix::errno::Errno::result(unsafe { libc::raise(signal) })?;
    Ok(())
}

/// Has a signal do nothing.
pub(crate) fn handle(signal: nix::sys::signal::Signal) -> io::Result<()> {
    extern "C" fn nothing(_: c_int) {}
    // SAFETY: the function does nothing, which may be done at any time.
    unsafe { nix::sys::signal::signal(signal, nix::sys::signal::SigHandler::Handler(nothing)) }?;
    Ok(())
}

/// Has SIGUSR1 come soon, by a timer.
pub(crate) fn timer() -> io::Result<()> {
    // SAFETY: plain numbers, for which zero is valid; all pointers are to them. The timer goes with this process.
    nix::errno::Errno::result(unsafe {
        let mut event: libc::sigevent = std::mem::zeroed();
        (event.sigev_notify, event.sigev_signo) = (libc::SIGEV_SIGNAL, libc::SIGUSR1);
        let mut timer: libc::timer_t = std::mem::zeroed();
        let mut when: libc::itimerspec = std::mem::zeroed();
        when.it_value.tv_nsec = 1_000_000;
        match libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) {
            0 => libc::timer_settime(timer, 0, &raw const when, std::ptr::null_mut()),
            error => error,
        }
    })?;
    Ok(())
}

/// Has SIGALRM come soon, by the older kind of timer.
pub(crate) fn alarm() -> io::Result<()> {
    // SAFETY: plain numbers, for which zero is valid.
    nix::errno::Errno::result(unsafe {
        let mut when: libc::itimerval = std::mem::zeroed();
        when.it_value.tv_usec = 1_000;
        libc::setitimer(libc::ITIMER_REAL, &raw const when, std::ptr::null_mut())
    })?;
    Ok(())
}

/// Makes this the terminal of this session.
pub(crate) fn take_terminal(terminal: &impl std::os::fd::AsRawFd) -> io::Result<()> {
    // SAFETY: takes a number.
    nix::errno::Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) })?;
    Ok(())
}

/// Closes a descriptor that is somebody else's in the process this one is a copy of.
pub(crate) fn close(fd: c_int) -> io::Result<()> {
    // SAFETY: whoever owns it here is never dropped: this process ends without.
    nix::errno::Errno::result(unsafe { libc::close(fd) })?;
    Ok(())
}

/// Takes so many bytes of memory for good.
pub(crate) fn occupy(bytes: usize) -> io::Result<()> {
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping of which nothing else knows, written to within its bounds.
    unsafe {
        let memory = libc::mmap(std::ptr::null_mut(), bytes, access, flags, -1, 0);
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        for page in (0..bytes).step_by(4096) {
            memory.cast::<u8>().add(page).write_volatile(1);
        }
    }
    Ok(())
}
