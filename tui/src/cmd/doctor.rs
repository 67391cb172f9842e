//! `ptree-tui doctor`: what this machine and this user allow, each with a verdict and the way to mend it.

use std::fs;
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ptree_core::engine::Config;
use ptree_source::btf::Btf;
use ptree_source::layout::Layout;
use ptree_source::live::{Kernel, LiveError};
use ptree_source::privilege::{Capabilities, Capability};
use ptree_source::{host, live};
use serde::Serialize;

use crate::capture::runtime;
use crate::cli::{Common, EXIT_PRIVILEGE};

/// Name of the check whose failure has an exit status of its own.
const PRIVILEGES: &str = "privileges";

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// Nothing to do.
    Ok,
    /// Works, with something missing.
    Degraded,
    /// Capture is not possible.
    Bad,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    /// What was found.
    finding: String,
    /// What to do about it; empty when there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    mend: String,
}

impl Check {
    fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, finding: finding.into(), mend: String::new() }
    }

    fn or(verdict: Verdict, name: &'static str, finding: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, verdict, finding: finding.into(), mend: mend.into() }
    }
}

/// Checks everything and prints the verdicts. Fails when capture is not possible.
///
/// # Errors
/// When the output cannot be written.
pub fn run(common: &Common, json: bool) -> Result<ExitCode> {
    let checks = checks(common);
    let mut out = stdout().lock();
    if json {
        serde_json::to_writer(
            &mut out,
            &serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "checks": checks }),
        )?;
        writeln!(out).context("writing to standard output")?;
    } else {
        write_text(&mut out, &checks).context("writing to standard output")?;
    }
    let bad = |check: &Check| check.verdict == Verdict::Bad;
    Ok(if checks.iter().any(|check| bad(check) && check.name == PRIVILEGES) {
        ExitCode::from(EXIT_PRIVILEGE)
    } else if checks.iter().any(bad) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn write_text(out: &mut impl Write, checks: &[Check]) -> std::io::Result<()> {
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Degraded => "limited",
            Verdict::Bad => "FAILED",
        };
        writeln!(
            out,
            "{verdict:>8}  {:<14} {}",
            check.name,
            check.finding.replace('\n', "\n                          ")
        )?;
        for line in check.mend.lines() {
            writeln!(out, "{:>26}-> {line}", "")?;
        }
    }
    Ok(())
}

fn checks(common: &Common) -> Vec<Check> {
    let mut checks = vec![kernel()];
    checks.push(btf());
    checks.push(privileges());
    checks.push(lockdown());
    checks.push(proc_access());
    checks.push(pid_namespace());
    checks.push(memory(&common.engine()));
    checks.extend(programs(common));
    checks
}

/// What the dead may take; the screen's panel of figures (`D`) shows what they do take.
fn memory(config: &Config) -> Check {
    let keep = humantime::format_duration(Duration::from_nanos(config.keep_ns));
    let finding = format!(
        "finished processes stay for {keep}, at most {} and {} ancestors of the living;\ntheir paths and arguments \
         get at most {}",
        config.keep_max,
        config.pinned_max,
        ptree_core::text::bytes(config.keep_bytes),
    );
    Check::ok("memory", finding)
}

fn kernel() -> Check {
    let release = host::header("").kernel;
    match live::check_release(&release) {
        Ok(()) => Check::ok("kernel", release),
        Err(error) => Check::or(Verdict::Bad, "kernel", error.to_string(), "boot a newer kernel"),
    }
}

fn btf() -> Check {
    const NAME: &str = "BTF";
    let blob = match fs::read("/sys/kernel/btf/vmlinux") {
        Ok(blob) => blob,
        Err(error) => {
            return Check::or(
                Verdict::Bad,
                NAME,
                format!("'/sys/kernel/btf/vmlinux': {error}"),
                "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (distributions' kernels are, since 2021)",
            );
        }
    };
    let size = blob.len();
    let layout = Btf::parse(&blob).map_err(LiveError::from).and_then(|btf| Ok(Layout::resolve(&btf)?));
    match layout {
        Ok(layout) => {
            let missing: Vec<String> =
                layout.missing().map(|member| format!("{}.{}", member.strct, member.paths[0])).collect();
            let found = format!(
                "{} of {} members found, {} bytes",
                layout.members.len() - missing.len(),
                layout.members.len(),
                size
            );
            if missing.is_empty() {
                Check::ok(NAME, found)
            } else {
                let finding = format!("{found}; not in this kernel: {}", missing.join(", "));
                Check::or(Verdict::Degraded, NAME, finding, "what they tell is left out; nothing else is affected")
            }
        }
        Err(error) => Check::or(Verdict::Bad, NAME, error.to_string(), "please report this with your kernel's release"),
    }
}

fn privileges() -> Check {
    const NAME: &str = PRIVILEGES;
    let missing = Capabilities::effective().missing();
    let uid = nix::unistd::geteuid();
    if missing.is_empty() {
        return Check::ok(NAME, format!("uid {uid} may load tracing programs"));
    }
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    Check::or(
        Verdict::Bad,
        NAME,
        format!("uid {uid} lacks {}", missing.join(" and ")),
        "run it with sudo, or once: sudo setcap cap_bpf,cap_perfmon+ep /path/to/ptree-tui",
    )
}

fn lockdown() -> Check {
    const NAME: &str = "lockdown";
    match host::lockdown().as_deref() {
        Some("confidentiality") => Check::or(
            Verdict::Bad,
            NAME,
            "mode 'confidentiality' forbids reading kernel memory",
            "boot with lockdown=integrity, or without Secure Boot's confidentiality mode",
        ),
        Some(mode) => Check::ok(NAME, format!("mode '{mode}'")),
        // Built without it, or securityfs is not mounted: if it is in force after all, loading the programs tells.
        None => Check::ok(NAME, "not in force as far as can be seen"),
    }
}

fn proc_access() -> Check {
    const NAME: &str = "/proc";
    let capabilities = Capabilities::effective();
    if capabilities.has(Capability::SysPtrace) {
        Check::ok(NAME, "program paths of all users can be read")
    } else {
        Check::or(
            Verdict::Degraded,
            NAME,
            "program paths of other users' older processes cannot be read",
            "add cap_sys_ptrace to the capabilities",
        )
    }
}

fn pid_namespace() -> Check {
    const NAME: &str = "pid namespace";
    if host::in_initial_pid_namespace() {
        Check::ok(NAME, "the initial one: all processes are seen")
    } else {
        Check::or(
            Verdict::Degraded,
            NAME,
            "a container's: what ran before ptree-tui outside of it is not seen, and lost ends are not repaired",
            "run it on the host, or the container with --pid=host",
        )
    }
}

/// Loads and attaches everything for real, for a moment.
fn programs(common: &Common) -> Vec<Check> {
    let ring = format!("{} KiB", common.ring_buffer >> 10);
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return vec![Check::or(Verdict::Bad, "programs", format!("{error:#}"), "raise the limits")],
    };
    let _context = runtime.enter();
    match Kernel::load(common.ring_buffer) {
        Ok(mut kernel) => {
            let iterator = match kernel.pass() {
                Ok(_) if kernel.undecoded() > 0 => Check::or(
                    Verdict::Bad,
                    "task iterator",
                    format!(
                        "{} records make no sense: program and eBPF object do not belong together",
                        kernel.undecoded()
                    ),
                    "build it again, from one source",
                ),
                Ok(rows) => Check::ok("task iterator", format!("{} processes", rows.len())),
                Err(error) => Check::or(Verdict::Bad, "task iterator", error.to_string(), "please report this"),
            };
            let attached = match kernel.attach() {
                Ok(()) => Check::ok("hooks", "fork, exec and exit attach"),
                Err(error) => Check::or(Verdict::Bad, "hooks", error.to_string(), "please report this"),
            };
            let programs = kernel.verified_instructions().into_iter().map(|(name, count)| match count {
                Some(count) => format!("{name} ({count} instructions verified)"),
                None => name.to_owned(),
            });
            vec![
                Check::ok("ring buffer", ring),
                Check::ok("programs", programs.collect::<Vec<_>>().join(", ")),
                iterator,
                attached,
            ]
        }
        Err(error @ LiveError::RingTooLarge { .. }) => {
            vec![Check::or(Verdict::Bad, "ring buffer", error.to_string(), "try --ring-buffer 1MiB")]
        }
        Err(error) => {
            let mut text = error.to_string();
            // The privileges have a line of their own, with the way to mend them.
            if matches!(error, LiveError::Privilege { .. }) {
                text = "not tried, for lack of privilege".to_owned();
            }
            vec![Check::or(Verdict::Bad, "programs", text, "")]
        }
    }
}
