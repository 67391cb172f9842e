//! `ptree-tui snapshot`: the tree once, on standard output: as it is now, or as it was in a recording.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ptree_core::text::duration;
use ptree_core::{Event, Lineage, Look};
use ptree_source::{host, live};

use crate::capture::{self, runtime};
use crate::cli::Common;
use crate::export::Format;
use crate::given;
use crate::label::degraded;
use crate::moment::At;
use crate::recording::{DOUBTFUL_NS, Item, Recording};
use crate::session::Session;
use crate::tell::tell;

/// Measurements of one pass lie no farther apart, nanoseconds.
const TOGETHER_NS: u64 = 50_000_000;

/// Takes the snapshot and prints it.
///
/// # Errors
/// When the kernel cannot be asked or the output cannot be written.
pub fn run(common: &Common, format: &Format) -> Result<ExitCode> {
    let filter = common.filter();
    // A share of CPU time is one of some time: that between two looks.
    let measure = filter.depends().share.then(|| common.live().pass_interval);
    let (batch, lost) = {
        // The ring buffer of the object wants an event loop around it.
        let runtime = runtime()?;
        let _context = runtime.enter();
        live::snapshot(common.live(), measure)?
    };
    let mut session = Session::new(capture::header(&lost), common.engine(), given::zone());
    session.take(&batch, &mut Vec::new());
    session.reach(host::boottime_ns());
    let measured_ns = measure.map(|measure| u64::try_from(measure.as_nanos()).unwrap_or(u64::MAX));
    print(common, format, &session, measured_ns)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the tree as it was at a moment of a recording, or at its end.
///
/// # Errors
/// When it cannot be read, begins after that moment, or the output cannot be written.
pub fn run_from(common: &Common, file: &Path, at: Option<At>, format: &Format) -> Result<ExitCode> {
    let mut recording = Recording::open(file)?;
    let header = recording.header().clone();
    let until_ns = at.as_ref().map(|at| at.boottime_ns(header.anchor, &given::zone())).transpose()?;
    let mut session = Session::new(header, common.engine(), given::zone());
    let mut deltas = Vec::new();
    // When the last two measurements were made.
    let mut measured = [0; 2];
    let outcome = loop {
        let latest_ns = recording.latest_ns();
        match recording.next(|ts_ns| ts_ns.saturating_sub(latest_ns) > DOUBTFUL_NS) {
            Ok(Some(Item::Event { event, .. })) => {
                if until_ns.is_some_and(|until_ns| event.ts_ns() > until_ns) {
                    break Ok(());
                }
                if let Event::Usage(usage) = &*event
                    && usage.ts_ns.saturating_sub(measured[1]) > TOGETHER_NS
                {
                    measured = [measured[1], usage.ts_ns];
                }
                session.event(&event, &mut deltas);
                deltas.clear();
            }
            Ok(Some(Item::Clock(anchor))) => drop(session.clock(anchor)),
            Ok(Some(Item::User(uid, name))) => session.name(uid, &name),
            Ok(None) => {
                if let Some(until_ns) = until_ns.filter(|&until_ns| until_ns > recording.latest_ns()) {
                    let after = duration(until_ns - recording.latest_ns());
                    tell(format_args!("the recording ends {after} before that moment; this is how it was at its end"));
                }
                break Ok(());
            }
            Err(error) => break Err(error),
        }
    };
    session.reach(until_ns.unwrap_or(u64::MAX).min(recording.latest_ns()));
    let left_out = recording.left_out();
    if let Some(report) = left_out.report() {
        tell(report);
    }
    outcome?;
    let measured_ns = (measured[0] > 0).then(|| measured[1] - measured[0]);
    print(common, format, &session, measured_ns)?;
    Ok(if left_out.is_faulty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(common: &Common, format: &Format, session: &Session, measured_ns: Option<u64>) -> Result<()> {
    if let Some(note) = degraded(&session.header().degraded) {
        tell(format_args!("{note}; 'ptree-tui doctor' tells more"));
    }
    // The dead of a recording are not there any more.
    let look = Look { lineage: Lineage::Kernel, filter: common.filter(), dead: false, ..Look::default() };
    let mut out = BufWriter::new(super::output()?);
    session
        .moment(look, measured_ns, |moment| (format.write)(&mut out, moment, common.ascii()))
        .and_then(|()| out.flush())
        .context("writing to standard output")
}
