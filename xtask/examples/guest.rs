//! The first process of a machine that `cargo xtask vm` boots: runs the steps of `/plan`, sends what they say to the host
//! as it comes, and ends the machine with a verdict.
//!
//! The plan is a line of JSON for each step, `{"name", "argv"}`. So is what is sent: `{"step", "line"}` for each line of
//! output, and `{"step", "status", "ok", "ms"}` at the end of a step. Both ways out are I/O ports that QEMU gives a meaning: no driver
//! is needed. Does not know what the steps are for.

use std::arch::asm;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use nix::mount::{MsFlags, mount};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// QEMU's isa-debugcon: each byte written goes to the host's file.
const DATA_PORT: u16 = 0xe9;
/// QEMU's isa-debug-exit: a byte written ends the machine.
const EXIT_PORT: u16 = 0xf4;
/// All steps went well.
const PASSED: u8 = 16;
/// Some did not.
const FAILED: u8 = 17;

/// Argument of the process that runs the steps. The first process has another task: it buries orphans, as init does.
const STEPS: &str = "steps";

fn main() -> io::Result<ExitCode> {
    if std::env::args().nth(1).as_deref() == Some(STEPS) {
        return steps();
    }
    let file_systems = [
        ("/proc", "proc"),
        ("/sys", "sysfs"),
        ("/dev", "devtmpfs"),
        ("/dev/pts", "devpts"),
        ("/sys/kernel/tracing", "tracefs"),
    ];
    for (what, kind) in file_systems {
        std::fs::create_dir_all(what)?;
        mount(Some(kind), what, Some(kind), MsFlags::empty(), None::<&str>)?;
    }
    let steps = Command::new("/proc/self/exe").arg(STEPS).env("PATH", "/bin").spawn()?;
    let steps = Pid::from_raw(steps.id().cast_signed());
    let passed = loop {
        match wait()? {
            WaitStatus::Exited(pid, code) if pid == steps => break code == 0,
            WaitStatus::Signaled(pid, ..) if pid == steps => break false,
            _ => {}
        }
    };
    write(EXIT_PORT, &[if passed { PASSED } else { FAILED }])?;
    Ok(ExitCode::SUCCESS)
}

fn steps() -> io::Result<ExitCode> {
    let mut passed = true;
    for line in std::fs::read_to_string("/plan")?.lines() {
        let step: Value = serde_json::from_str(line)?;
        passed &= run(&step)?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(step: &Value) -> io::Result<bool> {
    let name = &step["name"];
    let argv: Vec<&str> = step["argv"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some((program, args)) = argv.split_first() else { return Err(io::Error::other("a step without argv")) };
    let (output, input) = io::pipe()?;
    let begun = Instant::now();
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input);
    let mut child = command.spawn()?;
    // It holds the other end of the pipe, which would never be seen to end.
    drop(command);
    for line in BufReader::new(output).split(b'\n') {
        send(&json!({ "step": name, "line": String::from_utf8_lossy(&line?) }))?;
    }
    let status = child.wait()?;
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    send(&json!({ "step": name, "status": status.to_string(), "ok": status.success(), "ms": ms }))?;
    Ok(status.success())
}

fn send(record: &Value) -> io::Result<()> {
    write(DATA_PORT, format!("{record}\n").as_bytes())
}

/// Writes bytes to an I/O port, one after the other. (`/dev/port` would be safe to use, but kernels for clouds lack it.)
fn write(port: u16, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: takes no pointers; allows this thread to use one port.
    nix::errno::Errno::result(unsafe { libc::ioperm(port.into(), 1, 1) })?;
    // SAFETY: reads `bytes`, upwards since the direction flag is clear as the ABI has it, and nothing else; what the
    // port does with them concerns this machine alone, which exists for it.
    unsafe {
        asm!(
            "rep outsb",
            inout("rsi") bytes.as_ptr() => _, inout("rcx") bytes.len() => _, in("dx") port,
            options(nostack, readonly, preserves_flags)
        );
    }
    Ok(())
}
