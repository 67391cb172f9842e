//! `ptree-tui doctor --layout`: which members of the kernel's structs are read, and where they are in this kernel or in
//! another one.
//!
//! Knows BTF only: nothing is loaded, so it needs no privilege.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ptree_source::host;
use ptree_source::layout::{Found, Layout, Lookup, Need, Resolved};
use ptree_source::live::BtfFile;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::cmd;
use crate::measure::width;

/// Prints the layout. Fails when a kernel with it cannot be captured.
///
/// # Errors
/// When there is no BTF, or the output cannot be written.
pub fn run(common: &Common, json: bool) -> Result<ExitCode> {
    let file = BtfFile::read(common.btf())?;
    let layout = Layout::of(&file.btf()?, |field| common.pretend_missing().iter().any(|name| name == field));
    let kernel = common.btf().is_none().then(|| host::header("").kernel);
    let mut out = Vec::new();
    if json {
        writeln!(out, "{}", object(&layout, file.path(), kernel.as_deref()))
    } else {
        text(&mut out, &layout, file.path(), kernel.as_deref())
    }
    .context("writing to memory")?;
    cmd::print(&out)?;
    Ok(if layout.check().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn object(layout: &Layout, path: &str, kernel: Option<&str>) -> Value {
    let members: Vec<Value> = layout.members.iter().map(member).collect();
    let structs = layout.structs.iter().map(|(name, size)| ((*name).to_owned(), json!(size)));
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "btf": path,
        "kernel": kernel,
        "usable": layout.check().is_ok(),
        "degraded": layout.lost().map(|part| part.name()).collect::<Vec<_>>(),
        "structs": structs.collect::<serde_json::Map<_, _>>(),
        "members": members,
    })
}

fn member(row: &Resolved) -> Value {
    let (status, found) = match &row.lookup {
        Lookup::Found(found) => ("found", Some(found)),
        Lookup::Unfit(found) => ("unfit", Some(found)),
        Lookup::Absent => ("absent", None),
    };
    let mut object = json!({
        "field": row.member.field,
        "name": row.name(),
        "status": status,
        "vital": row.member.need == Need::Vital,
    });
    if let Need::For(part) = row.member.need {
        object["part"] = part.name().into();
    }
    if let Some(Found { era, ty, offset, size, .. }) = found {
        object["type"] = ty.as_str().into();
        object["offset"] = (*offset).into();
        object["size"] = (*size).into();
        if !era.is_empty() {
            object["era"] = (*era).into();
        }
    }
    if let Some(instead) = instead(row) {
        object["instead"] = instead.into();
    }
    object
}

/// What is done without it, when it cannot be read.
fn instead(row: &Resolved) -> Option<String> {
    match (&row.lookup, row.member.need) {
        (Lookup::Found(_), _) => None,
        (_, Need::Vital) => Some("nothing: such a kernel is refused".to_owned()),
        (_, Need::For(part)) => Some(format!("{}: {}", part.name(), part.without())),
    }
}

fn text(out: &mut impl Write, layout: &Layout, path: &str, kernel: Option<&str>) -> std::io::Result<()> {
    let kernel = kernel.map(|kernel| format!(", Linux {kernel}")).unwrap_or_default();
    writeln!(out, "BTF in '{path}'{kernel}")?;
    let columns = |text: &dyn Fn(&Resolved) -> usize| layout.members.iter().map(text).max().unwrap_or(0);
    let names = columns(&|row| row.name().len());
    let types = columns(&|row| match &row.lookup {
        Lookup::Found(found) | Lookup::Unfit(found) => width(&found.ty),
        Lookup::Absent => 0,
    });
    for (strct, size) in &layout.structs {
        match size {
            Some(size) => writeln!(out, "\nstruct {strct}: {size} bytes")?,
            None => writeln!(out, "\nstruct {strct}: NOT FOUND")?,
        }
        for row in layout.members.iter().filter(|row| row.member.strct == *strct) {
            line(out, row, names, types)?;
        }
    }
    writeln!(out)?;
    match layout.check() {
        Err(error) => writeln!(out, "Not usable: {error}"),
        Ok(()) if layout.lost().next().is_none() => writeln!(out, "Usable: nothing is missing."),
        Ok(()) => {
            let lost: Vec<&str> = layout.lost().map(|part| part.name()).collect();
            writeln!(out, "Usable, but for: {}", lost.join(", "))
        }
    }
}

fn line(out: &mut impl Write, row: &Resolved, names: usize, types: usize) -> std::io::Result<()> {
    let name = row.name();
    match &row.lookup {
        Lookup::Found(Found { ty, offset, size, era, .. }) => {
            let pad = types - width(ty);
            let era = if era.is_empty() { String::new() } else { format!("  {era}") };
            writeln!(out, "  {name:names$}  {ty}{:pad$}  at {offset:>5}  {size:>4} bytes{era}", "")
        }
        Lookup::Unfit(found) => {
            writeln!(
                out,
                "  {name:names$}  NOT USED, it is '{}'; instead: {}",
                found.ty,
                instead(row).unwrap_or_default()
            )
        }
        Lookup::Absent => writeln!(out, "  {name:names$}  NOT FOUND; instead: {}", instead(row).unwrap_or_default()),
    }
}
