//! The eBPF programs of ptree-tui, one file a hook. `cargo xtask ebpf` compiles them into `assets/`; for the host this
//! is an empty program, so that the workspace builds with stable Rust alone.
//!
//! Knows the wire records and the table of offsets ([`ptree_common`]); nothing here knows what user space does with
//! them.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
// The target has no atomic type that can be added to, though the machine can do it.
#![cfg_attr(target_arch = "bpf", feature(core_intrinsics), expect(internal_features, reason = "for atomic_xadd alone"))]

#[cfg(target_arch = "bpf")]
mod cgroup;
#[cfg(target_arch = "bpf")]
mod copies;
#[cfg(target_arch = "bpf")]
mod exec;
#[cfg(target_arch = "bpf")]
mod exit;
#[cfg(target_arch = "bpf")]
mod fork;
#[cfg(target_arch = "bpf")]
mod iter;
#[cfg(target_arch = "bpf")]
mod kernel;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod path;
#[cfg(target_arch = "bpf")]
mod signal;
#[cfg(target_arch = "bpf")]
mod task;
#[cfg(target_arch = "bpf")]
mod threads;

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: no code here can panic; the verifier refuses a program in which this could be reached.
    unsafe { core::hint::unreachable_unchecked() }
}

/// Needed by the tracing helpers, which the kernel gives to GPL-compatible programs only.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(not(target_arch = "bpf"))]
fn main() {}
