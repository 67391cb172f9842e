//! How each fact is read of a process, and how a text of a process is compared with one that was typed.
//!
//! Does not know what facts are called.

use std::borrow::Cow;

use super::{Reader, Unit};
use crate::cgroup;
use crate::event::ExitStatus;
use crate::process::{Image, Lifecycle, Process};
use crate::text::Literal;
use crate::tree::Lineage;

pub(super) fn ppid(reader: &Reader<'_>, process: &Process) -> Option<u64> {
    let parent = match reader.context().lineage {
        Lineage::Forked => process.forker(),
        Lineage::Kernel => process.kernel_parent(),
    };
    Some(parent.pid.into())
}

/// The number, where there is no name.
pub(super) fn user<'p>(reader: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    Some(match (reader.context().user)(process.creds().uid) {
        "" => process.creds().uid.to_string().into_bytes().into(),
        name => name.as_bytes().into(),
    })
}

pub(super) fn exe<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    process.program()?.exe().map(Cow::Borrowed)
}

pub(super) fn filename<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    process.program()?.filename().map(Cow::Borrowed)
}

pub(super) fn interp<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    process.program()?.interp().map(Cow::Borrowed)
}

pub(super) fn is_deleted(process: &Process) -> bool {
    process.program().is_some_and(Image::is_deleted)
}

pub(super) fn is_memfd(process: &Process) -> bool {
    process.program().is_some_and(Image::is_memfd)
}

/// Of a process that was found, how many it had started before is not known.
pub(super) fn execs(_: &Reader<'_>, process: &Process) -> Option<u64> {
    (process.are_execs_all() || process.execs() > 0).then(|| process.execs().into())
}

pub(super) fn argv<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    command_line(process).map(Cow::Borrowed)
}

/// The arguments with a NUL between them.
pub(crate) fn command_line(process: &Process) -> Option<&[u8]> {
    let bytes = process.program()?.argv.as_ref()?.as_bytes();
    Some(bytes.strip_suffix(&[0]).unwrap_or(bytes))
}

pub(super) fn container<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    cgroup::container(process.cgroup()?)
}

pub(super) fn unit<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    cgroup::unit(process.cgroup()?)
}

pub(super) fn code(_: &Reader<'_>, process: &Process) -> Option<u64> {
    match process.exit_status()? {
        ExitStatus::Code(code) => Some(code.into()),
        _ => None,
    }
}

/// The number of the signal that killed it.
pub(crate) fn signal(process: &Process) -> Option<u8> {
    match process.exit_status()? {
        ExitStatus::Signal { signal, .. } => Some(signal),
        _ => None,
    }
}

pub(super) fn lifetime(reader: &Reader<'_>, process: &Process) -> Option<u64> {
    Some(process.lifetime_ns(reader.context().now_ns))
}

pub(super) fn cpu(_: &Reader<'_>, process: &Process) -> Option<u64> {
    (process.is_alive() && process.is_measured()).then(|| thousandths(process.cpu_share()))
}

pub(super) fn time(_: &Reader<'_>, process: &Process) -> Option<u64> {
    let known = match process.life() {
        Lifecycle::Running => process.is_measured(),
        Lifecycle::Exited { inferred, status, .. } => !inferred || status != ExitStatus::Unknown,
    };
    known.then(|| process.cost().cpu_ns)
}

pub(super) fn user_time(reader: &Reader<'_>, process: &Process) -> Option<u64> {
    time(reader, process)?;
    process.cost().user_ns
}

pub(super) fn system_time(reader: &Reader<'_>, process: &Process) -> Option<u64> {
    time(reader, process)?;
    process.cost().system_ns()
}

pub(super) fn run_delay(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.cost().run_delay_ns
}

pub(super) fn bytes_read(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.cost().read_bytes
}

pub(super) fn written(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.cost().write_bytes
}

pub(super) fn read_rate(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.read_rate().map(whole_rate)
}

pub(super) fn write_rate(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.write_rate().map(whole_rate)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is never negative")]
pub(super) fn whole_rate(rate: f32) -> u64 {
    rate.round() as u64
}

pub(super) fn threads_begun(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.cost().threads_begun.map(u64::from)
}

pub(super) fn threads_most(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.cost().threads_most.map(u64::from)
}

pub(super) fn tty<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    Some(process.session().tty?.as_bytes().to_vec().into())
}

pub(super) fn nice(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.session().nice.map(|nice| Unit::signed(nice.into()))
}

/// The number, where there is no name.
pub(super) fn login<'p>(reader: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    let uid = process.session().login()?;
    Some(match (reader.context().user)(uid) {
        "" => uid.to_string().into_bytes().into(),
        name => name.as_bytes().into(),
    })
}

pub(super) fn rss(_: &Reader<'_>, process: &Process) -> Option<u64> {
    if process.is_alive() { process.rss_bytes() } else { process.cost().max_rss_bytes }
}

pub(super) fn threads(_: &Reader<'_>, process: &Process) -> Option<u64> {
    (process.is_alive() && process.threads() > 0).then(|| process.threads().into())
}

pub(crate) fn whole(typed: &Literal, text: &[u8]) -> bool {
    typed.is(text)
}

/// All of a path, or its end from a slash on.
pub(crate) fn path(typed: &Literal, text: &[u8]) -> bool {
    let end = text.len().checked_sub(typed.text().len());
    typed.is(text) || end.is_some_and(|end| end > 0 && text[end - 1] == b'/' && typed.is(&text[end..]))
}

/// All of a command line, or one of its arguments.
pub(crate) fn argument(typed: &Literal, text: &[u8]) -> bool {
    typed.is(text) || text.split(|&byte| byte == 0).any(|argument| typed.is(argument))
}

/// How it begins.
pub(crate) fn beginning(typed: &Literal, text: &[u8]) -> bool {
    readable(typed, |typed| text.get(..typed.text().len()).is_some_and(|start| typed.is(start)))
}

/// All of it, or without what follows the last dot.
pub(crate) fn stem(typed: &Literal, text: &[u8]) -> bool {
    let dot = text.iter().rposition(|&byte| byte == b'.');
    readable(typed, |typed| typed.is(text) || dot.is_some_and(|dot| typed.is(&text[..dot])))
}

/// Whether this holds of what was typed, as it is or without the escapes with which `systemctl` writes a name.
fn readable(typed: &Literal, holds: impl Fn(&Literal) -> bool) -> bool {
    let without = || String::from_utf8(cgroup::readable(typed.text().as_bytes()).into_owned()).ok();
    holds(typed) || typed.text().contains('\\') && without().is_some_and(|without| holds(&Literal::new(&without)))
}

pub(super) fn comm<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    Some(process.comm().as_bytes().into())
}

pub(super) fn cgroup<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    process.cgroup().map(Cow::Borrowed)
}

pub(super) fn is_core(process: &Process) -> bool {
    matches!(process.exit_status(), Some(ExitStatus::Signal { core: true, .. }))
}

pub(super) fn is_inferred(process: &Process) -> bool {
    matches!(process.life(), Lifecycle::Exited { inferred: true, .. })
}

pub(super) fn killer<'p>(_: &'p Reader<'_>, process: &'p Process) -> Option<Cow<'p, [u8]>> {
    Some(process.killer()?.words(process.key))
}

/// When it ended, if somebody saw that.
pub(super) fn end(_: &Reader<'_>, process: &Process) -> Option<u64> {
    match process.life() {
        Lifecycle::Exited { inferred: false, at_ns, .. } => Some(at_ns),
        Lifecycle::Exited { inferred: true, .. } | Lifecycle::Running => None,
    }
}

pub(super) fn peak(_: &Reader<'_>, process: &Process) -> Option<u64> {
    process.cost().max_rss_bytes
}

pub(super) fn minor_faults(_: &Reader<'_>, process: &Process) -> Option<u64> {
    is_complete(process).then(|| process.cost().minor_faults)
}

pub(super) fn major_faults(_: &Reader<'_>, process: &Process) -> Option<u64> {
    is_complete(process).then(|| process.cost().major_faults)
}

/// Whether what it cost is known to its end.
fn is_complete(process: &Process) -> bool {
    matches!(process.life(), Lifecycle::Exited { inferred: false, .. })
}

/// Children that it has in the tree, dead ones among them.
pub(super) fn children(reader: &Reader<'_>, process: &Process) -> Option<u64> {
    Some(reader.context().tree.child_count(process.key, reader.context().lineage) as u64)
}

/// A share of one CPU as its unit counts it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is never negative")]
pub(super) fn thousandths(share: f32) -> u64 {
    (f64::from(share) * 100_000.0).round() as u64
}

/// All of it, or the name before the pid.
pub(crate) fn sender(typed: &Literal, text: &[u8]) -> bool {
    let pid = text.windows(2).rposition(|two| two == b" [");
    typed.is(text) || pid.is_some_and(|pid| typed.is(&text[..pid]))
}
