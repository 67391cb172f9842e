//! The ends that nothing of ours comes after: a fault, an abort, a lack of memory. A signal handler gives the terminal back
//! and says what is known; it does nothing but what such a handler may (`signal-safety(7)`).
//!
//! Here are the other signals, too, whose default action would leave the terminal as it is, and which no safe call lets us
//! watch for: they become others that the loop of events knows. Does not know what is on the terminal.

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::IntoRawFd as _;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Once, OnceLock};

use libc::{c_int, c_void, sigaction, siginfo_t, termios};

/// The signals of faults, and of an end that the program makes of itself. The kernel sends the first four again if the
/// handler returns.
const FATAL: [c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS, libc::SIGABRT];
const COMING_AGAIN: usize = 4;
/// To the kernel; C libraries keep the first few for themselves.
const FIRST_REAL_TIME: c_int = 32;

/// Rust aborts where an allocation fails. So do panics within panics; but these have told already.
const LACK: &str = "ptree-tui: too little memory is left: the machine has no more, or a limit allows no more \
    ('ulimit -v', 'ulimit -d'); raise the limit, keep the dead for a shorter time ('--keep'), or take a \
    recording of fewer processes\n";
const FAULT: &str = "ptree-tui: a fault that it cannot go on from; unless memory is lacking ('ulimit -v'), this is a \
    mistake in the program, please report it\n";

/// How the terminal was before it was first taken, and what undoes what was written to it.
struct Terminal {
    fd: c_int,
    before: termios,
    undo: &'static [u8],
}

static TERMINAL: OnceLock<Terminal> = OnceLock::new();
/// The terminal is not as it was.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Why it ends has been told already.
static TOLD: AtomicBool = AtomicBool::new(false);
/// The thread by which it ends.
static ENDING: AtomicI32 = AtomicI32::new(0);
/// What was done before about [`FATAL`]: Rust tells which thread has no stack left.
static BEFORE: OnceLock<[sigaction; FATAL.len()]> = OnceLock::new();

/// Watches for such ends from here on, in every thread.
pub fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        BEFORE.get_or_init(|| FATAL.map(action_of));
        for signal in FATAL {
            // On a stack of its own where there is one: that of the thread may be what is lacking.
            handle(signal, end, libc::SA_ONSTACK);
        }
        for signal in [libc::SIGTTIN, libc::SIGTTOU] {
            handle(signal, stop, libc::SA_RESTART);
        }
        for signal in libc::SIGRTMIN()..=libc::SIGRTMAX() {
            handle(signal, terminate, libc::SA_RESTART);
        }
        for signal in FIRST_REAL_TIME..libc::SIGRTMIN() {
            handle_reserved(signal, libc::SIGRTMIN());
        }
    });
}

/// Remembers how the terminal is set, before it is taken for the first time, and what to write to standard output to
/// have it back.
///
/// # Errors
/// When there is no terminal for the keys.
pub fn remember(undo: &'static str) -> io::Result<()> {
    if TERMINAL.get().is_some() {
        return Ok(());
    }
    // SAFETY: it takes a number and changes nothing.
    let is_input = (unsafe { libc::isatty(libc::STDIN_FILENO) }) == 1;
    // It stays open to the end.
    let fd = if is_input { libc::STDIN_FILENO } else { File::open("/dev/tty")?.into_raw_fd() };
    // SAFETY: all zeroes are a value of this struct of numbers, which the call fills in; the descriptor is open.
    let (before, got) = unsafe {
        let mut before: termios = mem::zeroed();
        let got = libc::tcgetattr(fd, &raw mut before);
        (before, got)
    };
    if got != 0 {
        return Err(io::Error::last_os_error());
    }
    let _ = TERMINAL.set(Terminal { fd, before, undo: undo.as_bytes() });
    Ok(())
}

/// Tells whether the terminal is taken from here on.
pub fn set_taken(taken: bool) {
    TAKEN.store(taken, Ordering::SeqCst);
}

/// An end that follows needs no explanation any more.
pub fn set_told() {
    TOLD.store(true, Ordering::SeqCst);
}

fn action_of(signal: c_int) -> sigaction {
    // SAFETY: all zeroes are the default action, without flags; the call changes nothing and writes to nothing else.
    unsafe {
        let mut action: sigaction = mem::zeroed();
        sigaction(signal, ptr::null(), &raw mut action);
        action
    }
}

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

fn handle(signal: c_int, handler: Handler, flags: c_int) {
    // SAFETY: the handler has the signature that SA_SIGINFO wants, and each does nothing but atomic loads and stores and
    // calls that are allowed in handlers.
    unsafe {
        let mut action: sigaction = mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags | libc::SA_SIGINFO;
        libc::sigfillset(&raw mut action.sa_mask);
        libc::sigdelset(&raw mut action.sa_mask, libc::SIGALRM);
        sigaction(signal, &raw const action, ptr::null_mut());
    }
}

/// Does about a signal that the C library keeps for itself, and whose action it lets nobody set, what is done about another
/// one; but not where the library has done something about it already.
fn handle_reserved(signal: c_int, like: c_int) {
    /// An action as the kernel has it, the handler first (`rt_sigaction(2)`): no architecture has a longer one.
    type Raw = [usize; 8];
    /// Bytes of a set of signals in the kernel.
    const SET: usize = 8;
    let (mut own, mut other): (Raw, Raw) = ([0; 8], [0; 8]);
    // SAFETY: the kernel writes and reads no more than an action, which has room in each array, and one that it has given
    // out is taken for another signal as it is, with the library's way back from the handler.
    unsafe {
        let null = ptr::null_mut::<Raw>();
        let got = libc::syscall(libc::SYS_rt_sigaction, signal, null, &raw mut own, SET) == 0
            && libc::syscall(libc::SYS_rt_sigaction, like, null, &raw mut other, SET) == 0;
        if got && own[0] == libc::SIG_DFL {
            libc::syscall(libc::SYS_rt_sigaction, signal, &raw const other, null, SET);
        }
    }
}

/// Whether a process has sent a signal, and not the kernel; and whether that was this one.
fn sender(info: *mut siginfo_t) -> (bool, bool) {
    // SAFETY: the kernel hands a valid one to the handler, and with these codes it holds the sender's number.
    unsafe {
        let sent = (*info).si_code <= 0;
        (sent, sent && (*info).si_pid() == libc::getpid())
    }
}

extern "C" fn end(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    let (sent, own) = sender(info);
    // SAFETY: of what is called, all may be called in a handler; the pointers are to statics, and to what is on this stack.
    unsafe {
        let thread = libc::gettid();
        match ENDING.compare_exchange(0, thread, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => {}
            Err(first) if first == thread => {}
            // It would end before the terminal has been given back.
            Err(_) => loop {
                libc::pause();
            },
        }
        // The terminal may take no output.
        let default: sigaction = mem::zeroed();
        sigaction(libc::SIGALRM, &raw const default, ptr::null_mut());
        libc::alarm(1);
        if TAKEN.swap(false, Ordering::SeqCst)
            && let Some(terminal) = TERMINAL.get()
        {
            libc::tcsetattr(terminal.fd, libc::TCSANOW, &raw const terminal.before);
            write(libc::STDOUT_FILENO, terminal.undo);
        }
        let why = match signal {
            libc::SIGABRT if own => Some(LACK),
            _ if sent => None,
            _ => Some(FAULT),
        };
        if let Some(why) = why
            && !TOLD.swap(true, Ordering::SeqCst)
        {
            write(libc::STDERR_FILENO, why.as_bytes());
        }
        let again = FATAL.iter().position(|&of| of == signal).filter(|&at| !sent && at < COMING_AGAIN);
        if let Some(before) = again.and_then(|at| BEFORE.get()?.get(at)) {
            sigaction(signal, before, ptr::null_mut());
        } else {
            sigaction(signal, &raw const default, ptr::null_mut());
            // It comes when this handler has returned.
            libc::raise(signal);
        }
    }
}

/// What comes of a signal by which the kernel stops those who use a terminal that others have is done at once: nothing of
/// ours is on it then. Where somebody sends one, it is as if it were SIGTSTP, which gives the terminal back first.
extern "C" fn stop(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    let signal = if sender(info).0 { libc::SIGTSTP } else { libc::SIGSTOP };
    // SAFETY: may be called in a handler, and fails for no signal that there is: so the number of the last error stays.
    unsafe { libc::raise(signal) };
}

/// Real-time signals mean nothing here, so they end the program, in an orderly way.
extern "C" fn terminate(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: as above.
    unsafe { libc::raise(libc::SIGTERM) };
}

/// # Safety
/// None is needed of the caller beyond a descriptor that may be written to.
unsafe fn write(fd: c_int, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: pointer and length are those of a slice.
        let written = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => bytes = bytes.get(written..).unwrap_or_default(),
            // There is nowhere left to tell that.
            Ok(_) | Err(_) => return,
        }
    }
}
