//! `ptree-tui snapshot`: the tree once, on standard output.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ptree_core::{Engine, Lineage, Look, Rows};
use ptree_source::{host, live};

use crate::app::Wall;
use crate::capture::{self, runtime};
use crate::cli::Common;
use crate::export::{Format, Moment};
use crate::given;
use crate::label::degraded;
use crate::tell::tell;

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
    let header = capture::header(&lost);
    if let Some(note) = degraded(&header.degraded) {
        tell(format_args!("{note}; 'ptree-tui doctor' tells more"));
    }
    let now_ns = host::boottime_ns();
    let mut engine = Engine::new(common.engine());
    for (uid, name) in &batch.users {
        engine.name_user(*uid, name);
    }
    let mut deltas = Vec::new();
    for event in &batch.events {
        engine.ingest(event, &mut deltas);
        deltas.clear();
    }
    let user = |uid| engine.users().get(uid);
    let look = Look { lineage: Lineage::Kernel, filter, now_ns, ..Look::default() };
    let mut rows = Rows::new(look);
    rows.want_totals(true);
    rows.refresh(engine.tree(), user);
    let measured_ns = measure.map(|measure| u64::try_from(measure.as_nanos()).unwrap_or(u64::MAX));
    let wall = Wall::new(header.anchor, given::zone());
    let (header, tree) = (&header, engine.tree());
    let moment = Moment { header, tree, rows: &rows, now_ns, wall: &wall, measured_ns, user: &user };

    let mut out = BufWriter::new(super::output()?);
    (format.write)(&mut out, &moment, common.ascii())
        .and_then(|()| out.flush())
        .context("writing to standard output")?;
    Ok(ExitCode::SUCCESS)
}
