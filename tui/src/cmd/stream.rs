//! `ptree-tui stream`: events on standard output, one JSON object a line.

use std::io::{BufWriter, StdoutLock, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ptree_core::filter::Context;
use ptree_core::{AlertLevel, Config, Delta, Engine, Event, Filter, Lineage, ProcKey};
use ptree_source::live::LiveOptions;
use ptree_source::{host, ndjson};
use rustc_hash::FxHashMap;

use crate::capture::{Capture, Until};
use crate::cli::Common;

/// Runs until `duration` is over, a signal comes, or the reader goes away. With `usage`, what the living use is written as
/// well.
///
/// # Errors
/// When the kernel cannot be captured or the output cannot be written.
pub fn run(common: &Common, duration: Option<Duration>, usage: bool) -> Result<ExitCode> {
    let options = LiveOptions { details_first: true, ..common.live() };
    print(common, usage, Capture::start(options, Until { duration, signals: true })?, "live")
}

/// Prints what is captured; `source` says in the first line what that is, `usage` whether measurements are.
///
/// # Errors
/// When the capture fails or the output cannot be written.
pub fn print(common: &Common, usage: bool, mut capture: Capture, source: &str) -> Result<ExitCode> {
    let written = write(common, usage, &mut capture, source);
    // A failed capture explains a short output better than the output does.
    capture.finish()?;
    written?;
    Ok(ExitCode::SUCCESS)
}

fn write(common: &Common, usage: bool, capture: &mut Capture, source: &str) -> Result<()> {
    let mut out = BufWriter::with_capacity(256 << 10, super::output()?);
    ndjson::write_header(&mut out, &capture.header, source).context("writing to standard output")?;
    out.flush().context("writing to standard output")?;

    let filter = common.filter();
    // Nobody looks at the dead here; alerts want those of the last seconds.
    let mut engine = Engine::new(Config { keep_ns: 5_000_000_000, keep_max: 2_000, ..common.engine() });
    let mut deltas = Vec::new();
    let mut told = FxHashMap::default();
    while let Some(batch) = capture.batches.blocking_recv() {
        // A filter may keep us from writing, and so from noticing, for long.
        if reader_is_gone(out.get_ref()) {
            break;
        }
        if let Some(anchor) = batch.clock {
            ndjson::write_clock(&mut out, anchor).context("writing to standard output")?;
        }
        for (uid, name) in batch.users {
            ndjson::write_user(&mut out, uid, &name).context("writing to standard output")?;
            engine.name_user(uid, &name);
        }
        for event in &batch.events {
            deltas.clear();
            engine.ingest(event, &mut deltas);
            let asked_for = usage || !matches!(event, Event::Usage(_));
            if asked_for && (filter.is_empty() || is_wanted(&engine, &filter, event)) {
                ndjson::write_event(&mut out, event).context("writing to standard output")?;
            }
            write_alerts(&mut out, event.ts_ns(), &deltas, &mut told)?;
        }
        deltas.clear();
        let now_ns = host::boottime_ns();
        engine.tick(now_ns, &mut deltas);
        write_alerts(&mut out, now_ns, &deltas, &mut told)?;
        out.flush().context("writing to standard output")?;
    }
    Ok(())
}

/// Writes an alert when it is raised, when it names another culprit, and when it is over; `told` is whom those that last
/// named when they were written.
fn write_alerts(
    out: &mut impl Write,
    ts_ns: u64,
    deltas: &[Delta],
    told: &mut FxHashMap<u64, Option<ProcKey>>,
) -> Result<()> {
    for delta in deltas {
        let Delta::Alert(alert) = delta else { continue };
        let named = match alert.level() {
            AlertLevel::Raised => told.insert(alert.id, alert.culprit),
            AlertLevel::Cleared => told.remove(&alert.id).and(None),
        };
        if named != Some(alert.culprit) {
            ndjson::write_alert(out, ts_ns, alert, &alert.to_string()).context("writing to standard output")?;
        }
    }
    Ok(())
}

/// Whether nobody holds the other end of standard output any more.
fn reader_is_gone(stdout: &StdoutLock<'_>) -> bool {
    let mut polled = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    poll(&mut polled, PollTimeout::ZERO).is_ok()
        && polled[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLERR | PollFlags::POLLHUP))
}

/// Whether an event is of a process that matches, as it is known with this event; losses concern everybody.
fn is_wanted(engine: &Engine, filter: &Filter, event: &Event) -> bool {
    let Some(key) = key(event) else { return true };
    let user = |uid| engine.users().get(uid);
    let (tree, lineage) = (engine.tree(), Lineage::default());
    let context = Context { tree, lineage, now_ns: engine.now_ns(), user: &user };
    tree.get(key).is_some_and(|process| filter.matches(&context, process))
}

const fn key(event: &Event) -> Option<ProcKey> {
    Some(match event {
        Event::Process(found) => found.task.key,
        Event::Fork(fork) => fork.task.key,
        Event::Exec(exec) => exec.task.key,
        Event::Exit(exit) => exit.key,
        Event::Usage(usage) => usage.key,
        Event::Creds { key, .. } | Event::Comm { key, .. } | Event::Title { key, .. } | Event::Parent { key, .. } => {
            *key
        }
        Event::Lost { .. } => return None,
    })
}
