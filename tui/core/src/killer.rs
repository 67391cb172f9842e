//! Who or what ended a process by a signal, and why: what can be believed of what the kernel says with a signal.
//!
//! Whoever ran when a signal was sent need not have sent it: timers fire in whatever process is interrupted, a terminal's
//! keys are read by a thread of the kernel. Does not know how any of it is shown.

use std::borrow::Cow;

use crate::event::{Comm, ProcKey};

/// Why a signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillCause {
    /// A process sent it.
    User,
    /// A key was pressed on the terminal, or it was hung up.
    Terminal,
    /// A timer of the process itself ran out.
    Timer,
    /// It did what its hardware, or a filter of its system calls, does not allow.
    Fault,
    /// The kernel had another reason.
    Kernel,
    /// Memory ran out.
    Oom,
}

impl KillCause {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::User, Self::Terminal, Self::Timer, Self::Fault, Self::Kernel, Self::Oom];

    /// A word for it that does not change: it stands in streams.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Terminal => "terminal",
            Self::Timer => "timer",
            Self::Fault => "fault",
            Self::Kernel => "kernel",
            Self::Oom => "oom",
        }
    }

    /// The cause that is called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// A process that had a hand in it, as it was at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The process.
    pub key: ProcKey,
    /// Name.
    pub comm: Comm,
    /// Effective user id.
    pub uid: u32,
}

/// What ended a process by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Killer {
    /// Why.
    pub cause: KillCause,
    /// Who sent it; for [`KillCause::Oom`], who asked for memory when there was none left. `None` where a process had no
    /// hand in it.
    pub sender: Option<Sender>,
}

/// What the kernel says with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// A code: `siginfo.si_code`.
    Code(i32),
    /// Nothing: whoever runs sends it, without more.
    Nothing,
    /// That it sends the signal itself.
    Kernel,
    /// That it does so for lack of memory.
    Memory,
}

/// `si_code` of kill and the like, of sigqueue, and of signals to one thread, as raise and abort send.
const BY_A_PROCESS: [i32; 3] = [0, -1, -6];
const SI_TIMER: i32 = -2;
const SI_KERNEL: i32 = 128;

const SIGHUP: u8 = 1;
const SIGINT: u8 = 2;
const SIGQUIT: u8 = 3;
const SIGILL: u8 = 4;
const SIGTRAP: u8 = 5;
const SIGBUS: u8 = 7;
const SIGFPE: u8 = 8;
const SIGKILL: u8 = 9;
const SIGSEGV: u8 = 11;
const SIGALRM: u8 = 14;
const SIGTSTP: u8 = 20;
const SIGVTALRM: u8 = 26;
const SIGPROF: u8 = 27;
const SIGSYS: u8 = 31;

impl Killer {
    /// Who or what it was to the process that it killed: `cron.sh [812]`, `itself`, `terminal`, `OOM`.
    #[must_use]
    pub fn words(&self, victim: ProcKey) -> Cow<'static, [u8]> {
        match self.sender {
            _ if self.cause == KillCause::Oom => b"OOM".into(),
            Some(sender) if sender.key == victim => b"itself".into(),
            Some(sender) => [sender.comm.as_bytes(), format!(" [{}]", sender.key.pid).as_bytes()].concat().into(),
            None => self.cause.name().as_bytes().into(),
        }
    }

    /// What ended `victim` by `signal`, of which the kernel says this much, while `current` ran.
    #[must_use]
    pub fn judge(victim: ProcKey, signal: u8, says: Says, current: Sender) -> Self {
        let code = match says {
            Says::Code(code) => code,
            Says::Nothing => 0,
            Says::Kernel | Says::Memory => SI_KERNEL,
        };
        let cause = match (says, signal) {
            (Says::Memory, _) => KillCause::Oom,
            // Who writes to a pipe that nobody reads, or too much into a file, is told by itself. To kill a whole control
            // group, itself in it, takes a process.
            (Says::Nothing, _) if current.key == victim && signal != SIGKILL => KillCause::Kernel,
            _ if BY_A_PROCESS.contains(&code) => KillCause::User,
            _ if code == SI_TIMER => KillCause::Timer,
            (_, SIGALRM | SIGVTALRM | SIGPROF) if code == SI_KERNEL => KillCause::Timer,
            (_, SIGHUP | SIGINT | SIGQUIT | SIGTSTP) if code == SI_KERNEL => KillCause::Terminal,
            (_, SIGSEGV | SIGBUS | SIGILL | SIGFPE | SIGTRAP | SIGSYS) if code > 0 => KillCause::Fault,
            _ => KillCause::Kernel,
        };
        let sender = match cause {
            KillCause::User | KillCause::Oom => Some(current),
            KillCause::Terminal | KillCause::Timer | KillCause::Fault | KillCause::Kernel => None,
        };
        Self { cause, sender }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VICTIM: ProcKey = ProcKey::new(7, 70);

    fn judge(signal: u8, says: Says, by: u32) -> (KillCause, Option<u32>) {
        let current = Sender { key: ProcKey::new(by, u64::from(by) * 10), comm: Comm::new(b"x"), uid: 0 };
        let killer = Killer::judge(VICTIM, signal, says, current);
        (killer.cause, killer.sender.map(|sender| sender.key.pid))
    }

    /// As seen on running kernels, case by case.
    #[test]
    fn whoever_runs_is_believed_to_be_the_sender_only_where_the_kernel_says_so() {
        use KillCause::{Fault, Kernel, Oom, Terminal, Timer, User};
        for (what, signal, says, by, wants) in [
            ("kill", 15, Says::Code(0), 3, (User, Some(3))),
            ("tgkill", 10, Says::Code(-6), 3, (User, Some(3))),
            ("abort", 6, Says::Code(-6), 7, (User, Some(7))),
            ("sigqueue", 12, Says::Code(-1), 3, (User, Some(3))),
            ("timer_create", 15, Says::Code(-2), 0, (Timer, None)),
            ("setitimer", 14, Says::Kernel, 3, (Timer, None)),
            ("setitimer, code told", 27, Says::Code(128), 3, (Timer, None)),
            ("interrupt key", 2, Says::Kernel, 4, (Terminal, None)),
            ("hang-up", 1, Says::Kernel, 4, (Terminal, None)),
            ("segmentation fault", 11, Says::Code(1), 7, (Fault, None)),
            ("general protection", 11, Says::Code(128), 7, (Fault, None)),
            ("a forbidden system call", 31, Says::Code(1), 7, (Fault, None)),
            ("kill -SEGV", 11, Says::Code(0), 3, (User, Some(3))),
            ("a broken pipe", 13, Says::Nothing, 7, (Kernel, None)),
            ("kill -PIPE", 13, Says::Code(0), 3, (User, Some(3))),
            ("a file too large", 25, Says::Nothing, 7, (Kernel, None)),
            ("death of the parent", 15, Says::Nothing, 3, (User, Some(3))),
            ("cgroup.kill", 9, Says::Nothing, 3, (User, Some(3))),
            ("cgroup.kill of one's own", 9, Says::Nothing, 7, (User, Some(7))),
            ("limit of CPU time", 9, Says::Kernel, 7, (Kernel, None)),
            ("out of memory", 9, Says::Memory, 3, (Oom, Some(3))),
            ("asynchronous I/O", 29, Says::Code(-5), 3, (Kernel, None)),
        ] {
            assert_eq!(judge(signal, says, by), wants, "{what}");
        }
    }

    #[test]
    fn causes_have_names_of_their_own() {
        for cause in KillCause::ALL {
            assert_eq!(KillCause::named(cause.name()), Some(cause));
        }
        assert_eq!(KillCause::named("murder"), None);
    }
}
