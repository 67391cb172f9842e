//! Cycles of fork, exec, exit and wait from two processes: so many at full speed, or so many a second.
//!
//! The program that a cycle starts is as small as can be, so that the kernel's share is all there is: it ends with the
//! number in its only argument, modulo 256. It is assembled into this program and written out as a file of its own.

use std::arch::global_asm;
use std::ffi::CString;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::program::Program;
use crate::sys::{self, Vfork};
use crate::{is_told, log, until_told};

/// Processes that run cycles.
const WORKERS: u32 = 2;
/// Name of the small program, in the working directory.
const PROGRAM: &str = "./storm-child";

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".pushsection .rodata.storm_child, \"a\"",
    "storm_child_begin:",
    "    mov rsi, [rsp + 16]", // argv[1]
    "    xor edi, edi",
    "2:  movzx eax, byte ptr [rsi]",
    "    test al, al",
    "    jz 3f",
    "    imul edi, edi, 10",
    "    lea edi, [rdi + rax - 0x30]",
    "    inc rsi",
    "    jmp 2b",
    "3:  mov eax, 231", // exit_group
    "    syscall",
    "storm_child_end:",
    ".popsection",
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".pushsection .rodata.storm_child, \"a\"",
    "storm_child_begin:",
    "    ldr x1, [sp, #16]", // argv[1]
    "    mov w0, #0",
    "    mov w3, #10",
    "2:  ldrb w2, [x1], #1",
    "    cbz w2, 3f",
    "    sub w2, w2, #0x30",
    "    madd w0, w0, w3, w2",
    "    b 2b",
    "3:  mov w8, #94", // exit_group
    "    svc #0",
    "storm_child_end:",
    ".popsection",
);

/// The machine code above.
fn code() -> &'static [u8] {
    unsafe extern "C" {
        #[link_name = "storm_child_begin"]
        static BEGIN: u8;
        #[link_name = "storm_child_end"]
        static END: u8;
    }
    let (begin, end) = (&raw const BEGIN, &raw const END);
    // SAFETY: the labels are the bounds of read-only data in this program.
    unsafe { std::slice::from_raw_parts(begin, end.offset_from_unsigned(begin)) }
}

/// An executable of one segment: the headers, and the code behind them.
fn executable(code: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const ELF_HEADER: u16 = 64;
    const PROGRAM_HEADER: u16 = 56;
    const EXECUTABLE: u16 = 2;
    const LOAD: u32 = 1;
    const READ_EXECUTE: u32 = 5;
    const MACHINE: u16 = if cfg!(target_arch = "x86_64") { 62 } else { 183 };
    let start = u64::from(ELF_HEADER + PROGRAM_HEADER);
    let size = start + code.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(); // 64 bits, little-endian
    let fields: [&[u8]; 23] = [
        &EXECUTABLE.to_le_bytes(),
        &MACHINE.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &(BASE + start).to_le_bytes(),
        &u64::from(ELF_HEADER).to_le_bytes(), // where the program header is
        &0_u64.to_le_bytes(),
        &0_u32.to_le_bytes(),
        &ELF_HEADER.to_le_bytes(),
        &PROGRAM_HEADER.to_le_bytes(),
        &1_u16.to_le_bytes(), // program headers
        &0_u16.to_le_bytes(), // section headers: size, number, names
        &0_u16.to_le_bytes(),
        &0_u16.to_le_bytes(),
        &LOAD.to_le_bytes(),
        &READ_EXECUTE.to_le_bytes(),
        &0_u64.to_le_bytes(), // from where in the file
        &BASE.to_le_bytes(),
        &BASE.to_le_bytes(),
        &size.to_le_bytes(),
        &size.to_le_bytes(),
        &0x1_0000_u64.to_le_bytes(), // the largest page of any machine
        &[],
        code,
    ];
    fields.iter().for_each(|field| file.extend_from_slice(field));
    file
}

/// Runs so many cycles. With `stay_every`, each worker has a child that stays until told at every so many cycles;
/// with 0 none.
pub(crate) fn run(cycles: u32, stay_every: u32) -> io::Result<()> {
    write_program()?;
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let serials = (worker..cycles).step_by(WORKERS as usize);
        workers.push(sys::child(|| {
            let stayers = work(serials, stay_every)?;
            log::line(&json!({"type": "settled"}))?;
            until_told()?;
            stayers.into_iter().try_for_each(log::wait)?;
            Ok(91)
        })?);
    }
    workers.into_iter().try_for_each(log::wait)
}

/// Runs so many cycles a second, or as many as can be with 0, until told; they are not logged.
pub(crate) fn spawns(per_s: u32) -> io::Result<()> {
    write_program()?;
    let workers = (0..WORKERS).map(|_| {
        sys::child(|| {
            let (mut vfork, program) = (Vfork::new(), storm_child()?);
            let program = Program { argv: vec![c"storm-child".into(), c"0".into()], ..program };
            let begun = Instant::now();
            for cycle in 0_u32.. {
                if cycle % 16 == 0 && is_told()? {
                    break;
                }
                if per_s > 0 {
                    let due = Duration::from_secs(u64::from(WORKERS) * u64::from(cycle)) / per_s;
                    thread::sleep(due.saturating_sub(begun.elapsed()));
                }
                sys::wait4(vfork.spawn(&program, &program.pointers())?)?;
            }
            Ok(0)
        })
    });
    workers.collect::<io::Result<Vec<_>>>()?.into_iter().try_for_each(log::wait)
}

/// The cycles of one worker; logs them together at the end: `[pid, serial, wait status]` each.
fn work(serials: impl Iterator<Item = u32>, stay_every: u32) -> io::Result<Vec<i32>> {
    let mut vfork = Vfork::new();
    let (mut cycles, mut stayers) = (Vec::new(), Vec::new());
    for serial in serials {
        let program =
            Program { argv: vec![c"storm-child".into(), CString::new(serial.to_string())?], ..storm_child()? };
        let pid = vfork.spawn(&program, &program.pointers())?;
        let (status, _) = sys::wait4(pid)?;
        cycles.push((pid, serial, status));
        if stay_every > 0 && cycles.len() % stay_every as usize == 0 {
            stayers.push(sys::child(|| until_told().map(|()| 92))?);
        }
    }
    log::line(&json!({"type": "cycles", "pid": log::stat("self")?.pid, "cycles": cycles}))?;
    Ok(stayers)
}

fn write_program() -> io::Result<()> {
    let mut options = std::fs::File::options();
    options.create(true).truncate(true).write(true).mode(0o755);
    io::Write::write_all(&mut options.open(PROGRAM)?, &executable(code()))
}

fn storm_child() -> io::Result<Program> {
    Program::new(PROGRAM, [""; 0])
}
