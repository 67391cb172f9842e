//! An emulated machine from power-on to its verdict.
//!
//! Does not know what runs in it, only how it speaks: see `xtask/examples/guest.rs`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::process;

const QEMU: &str = "qemu-system-x86_64";
/// A machine with nothing to do is through in a second or two with KVM.
pub(super) const TRIAL: Duration = Duration::from_secs(6);

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
    /// It was stopped after so long.
    TimedOut(Duration),
}

impl Ending {
    /// Whether all went well.
    pub(super) fn passed(self) -> bool {
        self == Self::Verdict(true)
    }
}

/// Whether there is an emulator.
pub(super) fn check() -> Result<()> {
    process::output(Command::new(QEMU).arg("--version")).map(drop).context("run `cargo xtask setup --vm`")
}

impl Machine {
    /// Runs it to its end.
    pub(super) fn run(&self) -> Result<Ending> {
        let accelerator: &[&str] = match self.accelerator {
            Accelerator::Kvm => &["-accel", "kvm", "-cpu", "host"],
            Accelerator::Tcg => &["-accel", "tcg,thread=multi", "-cpu", "max"],
        };
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
        while begun.elapsed() < self.limit {
            if let Some(status) = child.try_wait()? {
                return Ok(ending(status.code()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        child.kill()?;
        child.wait()?;
        Ok(Ending::TimedOut(self.limit))
    }

    /// What the guest has said.
    pub(super) fn said(&self) -> Result<String> {
        let bytes = fs::read(&self.output).with_context(|| format!("cannot read '{}'", self.output.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
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
    fn only_the_guest_can_say_that_it_passed() {
        assert!(ending(Some(33)).passed());
        assert_eq!(ending(Some(35)), Ending::Verdict(false));
        for code in [None, Some(0), Some(1), Some(2)] {
            assert_eq!(ending(code), Ending::NoVerdict);
        }
        assert!(!Ending::TimedOut(TRIAL).passed());
    }
}
