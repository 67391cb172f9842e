//! An emulated machine from power-on to its verdict.
//!
//! Does not know what runs in it, only how it speaks: see `xtask/examples/guest.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::process;

const QEMU: &str = "qemu-system-x86_64";
/// A machine with nothing to do is through in a second or two with KVM.
pub(super) const TRIAL: Duration = Duration::from_secs(6);
/// What a kernel says of a CPU that has done one and the same thing for some twenty seconds; either may be missing.
const LOCKUP: [&str; 2] = ["soft lockup", "rcu: INFO: "];
/// For so long afterwards the guest has to have said nothing: a CPU may come out of it. Without it, it may just be slow.
const SILENCE: Duration = Duration::from_secs(30);

/// Who executes a machine's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accelerator {
    /// The processor.
    Kvm,
    /// QEMU.
    Tcg,
}

/// A machine to be run.
pub(super) struct Machine {
    pub(super) vmlinuz: PathBuf,
    pub(super) initramfs: PathBuf,
    pub(super) accelerator: Accelerator,
    /// It is stopped when it takes longer.
    pub(super) limit: Duration,
    /// Where to write what the kernel says.
    pub(super) console: PathBuf,
    /// Where to write what the guest says.
    pub(super) output: PathBuf,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By the guest's verdict: whether all went well.
    Verdict(bool),
    /// Without one: the kernel panicked, most likely.
    NoVerdict,
    /// It was stopped: its kernel reported CPUs that hang, and nothing else came any more.
    Hung,
    /// It was stopped after so long.
    TimedOut(Duration),
}

impl Ending {
    /// Whether all went well.
    pub(super) fn passed(self) -> bool {
        self == Self::Verdict(true)
    }
}

/// The emulator, by name and version.
pub(super) fn version() -> Result<String> {
    let said = process::output(Command::new(QEMU).arg("--version")).context("run `cargo xtask setup --vm`")?;
    let first = said.lines().next().unwrap_or_default();
    Ok(first.replace("emulator version ", ""))
}

impl Machine {
    /// Runs it to its end.
    pub(super) fn run(&self) -> Result<Ending> {
        let accelerator: &[&str] = match self.accelerator {
            Accelerator::Kvm => &["-accel", "kvm", "-cpu", "host"],
            Accelerator::Tcg => &["-accel", "tcg,thread=multi", "-cpu", "max"],
        };
        // Those of an earlier boot would be taken for this one's until QEMU begins them anew.
        for old in [&self.console, &self.output].into_iter().filter(|path| path.exists()) {
            fs::remove_file(old).with_context(|| format!("cannot remove '{}'", old.display()))?;
        }
        let path = |path: &PathBuf| path.to_str().map(str::to_owned).context("QEMU wants names that are UTF-8");
        let mut command = Command::new(QEMU);
        command
            .args(accelerator)
            .args(["-machine", "q35", "-smp", "2", "-m", "512M", "-nodefaults", "-display", "none", "-no-reboot"])
            // Loud enough for the stacks of what hangs.
            .args(["-append", "console=ttyS0 panic=-1 loglevel=5"])
            .arg("-kernel")
            .arg(&self.vmlinuz)
            .arg("-initrd")
            .arg(&self.initramfs)
            .args(["-serial", &format!("file:{}", path(&self.console)?)])
            .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"])
            .args(["-chardev", &format!("file,id=output,path={}", path(&self.output)?)])
            .args(["-device", "isa-debugcon,iobase=0xe9,chardev=output"])
            .stdin(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start '{QEMU}'"))?;
        let begun = Instant::now();
        let mut heard = Heard::default();
        let why = loop {
            if let Some(status) = child.try_wait()? {
                return Ok(ending(status.code()));
            }
            if begun.elapsed() >= self.limit {
                break Ending::TimedOut(self.limit);
            }
            thread::sleep(Duration::from_millis(50));
            // QEMU may not have made the files yet.
            let bytes = fs::metadata(&self.output).map_or(0, |file| file.len());
            if heard.hangs(bytes, &self.console().unwrap_or_default(), Instant::now()) {
                break Ending::Hung;
            }
        };
        child.kill()?;
        child.wait()?;
        Ok(why)
    }

    /// What the guest has said.
    pub(super) fn said(&self) -> Result<String> {
        text(&self.output)
    }

    /// What its kernel has said.
    pub(super) fn console(&self) -> Result<String> {
        text(&self.console)
    }
}

/// What was heard last of the guest, and of CPUs that hang since then.
#[derive(Default)]
struct Heard {
    /// What the guest had said, bytes.
    bytes: u64,
    /// What its kernel had said by then, bytes.
    console: usize,
    /// When its kernel was first seen to tell of such CPUs since.
    lockup: Option<Instant>,
}

impl Heard {
    /// Whether there has been nothing for too long since CPUs hang. `bytes` are what the guest has said by now.
    fn hangs(&mut self, bytes: u64, console: &str, now: Instant) -> bool {
        if bytes != self.bytes {
            *self = Self { bytes, console: console.len(), lockup: None };
        }
        let since = console.get(self.console..).unwrap_or(console);
        if LOCKUP.iter().any(|lockup| since.contains(lockup)) {
            return now - *self.lockup.get_or_insert(now) >= SILENCE;
        }
        false
    }
}

fn text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A guest's verdict of N ends QEMU with the status 2N + 1. It says 16 or 17, since QEMU's own failures end with 1.
fn ending(code: Option<i32>) -> Ending {
    match code {
        Some(33) => Ending::Verdict(true),
        Some(35) => Ending::Verdict(false),
        _ => Ending::NoVerdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_hangs_that_tells_of_it_and_of_nothing_else() {
        let lockup = "[   36.5] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:9]\n";
        let stall = "[   24.3] rcu: INFO: rcu_sched self-detected stall on CPU\n";
        let (begun, mut heard) = (Instant::now(), Heard::default());
        let mut hangs = |bytes, console: &str, second| heard.hangs(bytes, console, begun + Duration::from_secs(second));
        assert!(!hangs(0, "", 1), "no file yet");
        assert!(!hangs(6, "[    0.8] mtrr\n", 2) && !hangs(6, "[    0.8] mtrr\n", 100), "it is just slow");
        let first = "[    0.8] mtrr\n".to_owned() + lockup;
        assert!(!hangs(6, &first, 101) && !hangs(6, &first, 130), "it may come out of it");
        assert!(!hangs(14, &first, 131) && !hangs(14, &first, 200), "it has come out of it");
        let second = first + stall;
        assert!(!hangs(14, &second, 201) && hangs(14, &second, 231));
        assert!(!hangs(20, &second, 232));
    }

    #[test]
    fn only_the_guest_can_say_that_it_passed() {
        assert!(ending(Some(33)).passed());
        assert_eq!(ending(Some(35)), Ending::Verdict(false));
        for code in [None, Some(0), Some(1), Some(2)] {
            assert_eq!(ending(code), Ending::NoVerdict);
        }
        assert!(!Ending::TimedOut(TRIAL).passed());
    }
}
