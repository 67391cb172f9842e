//! `ptree-tui doctor`: what this machine and this user allow, each with a verdict and the way to mend it.

pub mod layout;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use ptree_core::engine::Config;
use ptree_core::text::harmless;
use ptree_source::host::{self, TimeNamespace};
use ptree_source::layout::{Layout, Lookup};
use ptree_source::live::{BtfFile, Kernel, LiveError, Reading};
use ptree_source::privilege::{self, Capabilities, Capability};
use ptree_source::{Part, limits, live, procfs};
use serde::Serialize;

use crate::capture::runtime;
use crate::cli::{Common, EXIT_PRIVILEGE};
use crate::cmd;

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
        Self::or(Verdict::Ok, name, finding, "")
    }

    fn or(verdict: Verdict, name: &'static str, finding: impl Into<String>, mend: impl Into<String>) -> Self {
        // It may be what a library says of a file or of the kernel.
        let [finding, mend] = [finding.into(), mend.into()].map(|text| harmless(&text).into_owned());
        Self { name, verdict, finding, mend }
    }
}

/// Checks everything and prints the verdicts. Fails when capture is not possible.
///
/// # Errors
/// When the output cannot be written.
pub fn run(common: &Common, json: bool) -> Result<ExitCode> {
    let checks = checks(common);
    let text = if json {
        format!("{}\n", serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "checks": checks }))
    } else {
        text(&checks)
    };
    cmd::print(text.as_bytes())?;
    let bad = |check: &Check| check.verdict == Verdict::Bad;
    Ok(if checks.iter().any(|check| bad(check) && check.name == PRIVILEGES) {
        ExitCode::from(EXIT_PRIVILEGE)
    } else if checks.iter().any(bad) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn text(checks: &[Check]) -> String {
    let mut out = String::new();
    for (n, check) in checks.iter().enumerate() {
        let verdict = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Degraded => "limited",
            Verdict::Bad => "FAILED",
        };
        let finding = check.finding.replace('\n', "\n                          ");
        out += &format!("{verdict:>8}  {:<14} {finding}\n", check.name);
        // What stands in the way of many is told below the last of them.
        let is_told_later = check.mend.starts_with(FIRST_MEND) && checks[n + 1..].iter().any(|c| c.mend == check.mend);
        for line in check.mend.lines().filter(|_| !is_told_later) {
            out += &format!("{:>26}-> {line}\n", "");
        }
    }
    out
}

fn checks(common: &Common) -> Vec<Check> {
    let limits = limits(common);
    // The rest takes as much as a capture does.
    let (btf, layout) = if limits.verdict == Verdict::Ok { btf(common) } else { (behind(&limits, "BTF"), None) };
    let (programs, kernel_side) = programs(common);
    let mut checks =
        vec![kernel(), limits, btf, privileges(), lockdown(), proc_access(), pid_namespace(), time_namespace()];
    checks.push(memory(&common.engine()));
    checks.extend(programs);
    let in_the_way = checks.iter().find(|check| check.verdict == Verdict::Bad).map_or("", |check| check.name);
    let parts = Part::ALL.map(|part| self::part(part, layout.as_ref(), kernel_side.as_ref(), in_the_way));
    checks.extend(parts);
    checks
}

/// Whether a part of what is shown can be had. What stands in the way of everything has a line of its own, and is named;
/// whether the kernel has what the part takes is said all the same.
fn part(part: Part, layout: Option<&Layout>, kernel: Option<&Kernel>, in_the_way: &str) -> Check {
    let (name, without) = (part.name(), part.without());
    let lacking: Vec<String> = layout.into_iter().flat_map(|layout| layout.lacking(part)).collect();
    if layout.is_none() || kernel.is_none() && lacking.is_empty() {
        return Check::or(Verdict::Bad, name, part.tells(), first_mend(in_the_way));
    }
    if let Some(refusal) = kernel.and_then(|kernel| kernel.refused().iter().find(|refusal| refusal.part == part)) {
        let finding = format!("{without}\n{}", refusal.error.to_string().trim_end());
        Check::or(Verdict::Degraded, name, finding, part.wants())
    } else if lacking.is_empty() && kernel.is_some_and(|kernel| kernel.degraded().contains(&part)) {
        Check::or(Verdict::Degraded, name, format!("{}: {without}", part.tells()), part.wants())
    } else if lacking.is_empty() {
        Check::ok(name, part.tells())
    } else {
        let finding = format!("{}: {without}\nnot in this kernel: {}", part.tells(), lacking.join(", "));
        Check::or(Verdict::Degraded, name, finding, part.wants())
    }
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
    Check::ok("history", finding)
}

/// How a mend begins that is another check's.
const FIRST_MEND: &str = "first mend";

fn first_mend(in_the_way: &str) -> String {
    format!("{FIRST_MEND} '{in_the_way}' above")
}

fn behind(in_the_way: &Check, name: &'static str) -> Check {
    Check::or(Verdict::Bad, name, "not tried", first_mend(in_the_way.name))
}

fn limits(common: &Common) -> Check {
    const NAME: &str = "limits";
    match limits::check(common.live().ring_bytes) {
        Ok(()) => Check::ok(NAME, "open files and memory are enough"),
        Err(error) => Check::or(Verdict::Bad, NAME, error.to_string(), ""),
    }
}

fn kernel() -> Check {
    let release = host::release();
    match live::check_release(&release) {
        Ok(()) => Check::ok("kernel", release),
        Err(error) => Check::or(Verdict::Bad, "kernel", error.to_string(), "boot a newer kernel"),
    }
}

fn btf(common: &Common) -> (Check, Option<Layout>) {
    const NAME: &str = "BTF";
    let bad = |error: &LiveError, mend| Check::or(Verdict::Bad, NAME, error.to_string(), mend);
    let file = match BtfFile::read(common.btf()) {
        Ok(file) => file,
        Err(error @ LiveError::NoSys { .. }) => return (bad(&error, ""), None),
        Err(error @ LiveError::NoBtf { .. }) => {
            let mend =
                "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y; if this is one, give a copy of its BTF with --btf";
            return (bad(&error, mend), None);
        }
        Err(error) => return (bad(&error, "give another file with --btf, or leave it out"), None),
    };
    let layout = match file.btf() {
        Ok(btf) => Layout::of(&btf, |field| common.pretend_missing().iter().any(|name| name == field)),
        Err(error) => return (bad(&error, "give this kernel's with --btf FILE"), None),
    };
    if let Err(error) = layout.check() {
        return (bad(&error.into(), ""), None);
    }
    if let Err(error) = file.is_of_this_kernel() {
        return (bad(&error, ""), None);
    }
    let found = layout.members.iter().filter(|row| matches!(row.lookup, Lookup::Found(_))).count();
    let finding = format!("{found} of {} members found, {} bytes", layout.members.len(), file.bytes().len());
    // What is missing without them is said part by part.
    (Check::ok(NAME, finding), Some(layout))
}

fn privileges() -> Check {
    const NAME: &str = PRIVILEGES;
    let missing = Capabilities::effective().missing();
    let uid = nix::unistd::geteuid();
    if !host::in_initial_user_namespace() {
        return Check::or(
            Verdict::Bad,
            NAME,
            format!("uid {uid} of a user namespace: its capabilities do not count with the kernel"),
            "run it outside of the user namespace, and not in a rootless container",
        );
    }
    if missing.is_empty() {
        return Check::ok(NAME, format!("uid {uid} may load tracing programs"));
    }
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    Check::or(
        Verdict::Bad,
        NAME,
        format!("uid {uid} lacks {}", missing.join(" and ")),
        format!("run it with sudo, or once: sudo setcap cap_bpf,cap_perfmon+ep {}", privilege::program()),
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
    if !procfs::shows_others() {
        return Check::or(
            Verdict::Degraded,
            NAME,
            "it is not mounted, or does not show the processes of others",
            Part::Details.wants(),
        );
    }
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
    } else if host::pid_namespace().is_none() {
        Check::or(Verdict::Degraded, NAME, "it cannot be told which one this is", Part::Details.wants())
    } else {
        Check::or(
            Verdict::Degraded,
            NAME,
            "a container's: what ran before ptree-tui outside of it is not seen, and lost ends are not repaired",
            "run it on the host, or the container with --pid=host",
        )
    }
}

fn time_namespace() -> Check {
    const NAME: &str = "time namespace";
    match TimeNamespace::own() {
        TimeNamespace::Initial => Check::ok(NAME, "the initial one"),
        TimeNamespace::Ahead(ns) => {
            let span = ptree_core::text::duration(ns.unsigned_abs());
            let way = if ns < 0 { "behind" } else { "ahead" };
            Check::ok(NAME, format!("another, whose boot time is {span} {way}: the kernel's own is shown"))
        }
        TimeNamespace::Unknown => Check::or(
            Verdict::Degraded,
            NAME,
            "another, and the kernel does not tell by how much its boot time differs: times, rates and arguments may be wrong",
            "run it outside, or in one where '/proc/self/timens_offsets' can be read",
        ),
    }
}

/// Loads and attaches everything for real, for a moment.
fn programs(common: &Common) -> (Vec<Check>, Option<Kernel>) {
    const NAME: &str = "programs";
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return (vec![Check::or(Verdict::Bad, NAME, format!("{error:#}"), "raise the limits")], None),
    };
    let _context = runtime.enter();
    let mut reading = Reading::default();
    let tried = Kernel::load(&common.live()).and_then(|mut kernel| {
        let rows = reading.pass(&mut kernel)?;
        kernel.attach()?;
        Ok((kernel, rows.len()))
    });
    let (kernel, processes) = match tried {
        Ok(tried) => tried,
        Err(error) => return (vec![refused(&error)], None),
    };
    let programs = kernel.verified_instructions().into_iter().map(|(name, count)| match count {
        Some(count) => format!("{name} ({count} instructions verified)"),
        None => name.to_owned(),
    });
    let finding = programs.collect::<Vec<_>>().join(", ");
    let programs = match kernel.refused().len() {
        0 => Check::ok(NAME, finding),
        _ => Check::or(Verdict::Degraded, NAME, finding, "what stands in for the others is said below"),
    };
    let from = if kernel.has(Part::Running) { "the task iterator" } else { "/proc" };
    let mut checks = vec![
        Check::ok("ring buffer", format!("{} KiB", common.live().ring_bytes >> 10)),
        programs,
        Check::ok("processes", format!("{processes}, from {from}")),
    ];
    if reading.undecoded() > 0 {
        let finding = format!("{} records make no sense: they are not of this program", reading.undecoded());
        checks.push(Check::or(Verdict::Bad, "records", finding, "build the program again, from one source"));
    }
    (checks, Some(kernel))
}

fn refused(error: &LiveError) -> Check {
    match error {
        LiveError::RingTooLarge { .. } => {
            Check::or(Verdict::Bad, "ring buffer", error.to_string(), "try --ring-buffer 1MiB")
        }
        // These have a line of their own, with the way to mend them.
        LiveError::Limit(_) => Check::or(Verdict::Bad, "programs", "not tried", first_mend("limits")),
        LiveError::Privilege { .. } | LiveError::UserNamespace => {
            Check::or(Verdict::Bad, "programs", "not tried, for lack of privilege", "")
        }
        LiveError::NoBtf { .. }
        | LiveError::BtfFile { .. }
        | LiveError::Btf { .. }
        | LiveError::OtherBtf(_)
        | LiveError::Layout(_) => Check::or(Verdict::Bad, "programs", "not tried, for lack of BTF", ""),
        error => Check::or(Verdict::Bad, "programs", error.to_string(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_of_many_is_told_once() {
        let part = |name| Check::or(Verdict::Bad, name, "not tried", first_mend("privileges"));
        let checks = [
            Check::or(Verdict::Bad, "privileges", "none", "run it as root"),
            part("forks"),
            part("execs"),
            Check::or(Verdict::Degraded, "details", "fewer", "mount it"),
            part("exits"),
        ];
        let told = text(&checks);
        assert_eq!(told.matches("first mend 'privileges' above").count(), 1, "{told}");
        assert!(told.trim_end().ends_with("-> first mend 'privileges' above"), "{told}");
        assert!(told.contains("-> run it as root") && told.contains("-> mount it"), "{told}");
    }
}
