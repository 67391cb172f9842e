//! What stands in a cell of the table: of a process, or of a row that stands for many.

use std::borrow::Cow;

use ptree_core::{
    ExitStatus, Lifecycle, Lineage, Origin, Process, Row, RowId, Session, Summary, Totals, Tty, cgroup, text,
};
use ratatui::style::Style;
use ratatui::text::Span;

use super::YOUNG_NS;
use crate::app::App;
use crate::column::{Column, Side};
use crate::label;
use crate::screen::theme::Theme;
use crate::view::cells::{left, right};

/// More levels than this are not counted where that takes a step each.
const LEVELS_MAX: usize = 999;

/// Exactly as wide as its column.
fn padded(column: Column, text: &str, width: usize, style: Style) -> Span<'static> {
    let text = match column.spec().side {
        Side::Left => left(text, width),
        Side::Right => right(text, width),
    };
    Span::styled(text, style)
}

/// What is not known, or not there.
fn nothing() -> Cow<'static, str> {
    "-".into()
}

fn bytes(n: Option<u64>) -> Cow<'static, str> {
    n.map_or_else(nothing, |n| text::bytes(n).into())
}

/// Of a sum to which those may be missing of whom it is not known.
fn known(n: u64) -> Cow<'static, str> {
    bytes(Some(n).filter(|&n| n > 0))
}

fn number(n: Option<impl ToString>) -> Cow<'static, str> {
    n.map_or_else(nothing, |n| n.to_string().into())
}

fn counted(n: Option<u32>) -> Cow<'static, str> {
    n.map_or_else(nothing, |n| label::count(n.into()).into())
}

/// Bytes per second.
fn rate(rate: Option<f32>) -> Cow<'static, str> {
    rate.map_or_else(nothing, |rate| label::byte_rate(rate).into())
}

fn escaped(bytes: Option<&[u8]>) -> Cow<'static, str> {
    bytes.map_or_else(nothing, |bytes| text::readable(bytes).into_owned().into())
}

/// The end of a path, which says more than its beginning.
fn end_of(path: Option<&[u8]>, width: usize) -> Cow<'static, str> {
    let path = escaped(path);
    if crate::columns::width(&path) <= width {
        return path;
    }
    format!("…{}", crate::columns::end(&path, width.saturating_sub(1))).into()
}

/// A process and its row.
pub(super) struct Cells<'a> {
    pub(super) app: &'a App,
    pub(super) theme: &'a Theme,
    pub(super) process: &'a Process,
    pub(super) row: &'a Row,
}

impl Cells<'_> {
    /// One cell, padded to its column.
    pub(super) fn cell(&self, column: Column, width: usize) -> Span<'static> {
        let (process, theme, shown) = (self.process, self.theme, self.app.shown_ns());
        let base = if self.is_faint() { theme.dim } else { theme.plain };
        let style = match column {
            Column::Pid
                if process.is_alive() && process.origin == Origin::Forked && process.lifetime_ns(shown) < YOUNG_NS =>
            {
                theme.good
            }
            Column::Status => theme.tone(label::status(process).1),
            Column::TreeFailed if self.totals().is_some_and(|totals| totals.tally.failed > 0) => theme.bad,
            _ => base,
        };
        padded(column, &self.text(column, width), width, style)
    }

    fn text(&self, column: Column, width: usize) -> Cow<'static, str> {
        let (process, app) = (self.process, self.app);
        let (cost, dead) = (process.cost(), !process.is_alive());
        match column {
            Column::Pid => process.key.pid.to_string().into(),
            Column::ParentPid => self.parent_pid(),
            Column::User => app.users().shown(process.creds().uid).into_owned().into(),
            Column::Group => process.creds().gid.to_string().into(),
            Column::Start => app.wall().short(process.key.start_ns, app.shown_ns()).into(),
            Column::End => match process.life() {
                // It was noticed then, and may have been long before.
                Lifecycle::Exited { inferred: true, .. } => "?".into(),
                Lifecycle::Exited { at_ns, .. } => app.wall().short(at_ns, app.shown_ns()).into(),
                Lifecycle::Running => nothing(),
            },
            Column::Lifetime => label::lifetime(process, app.shown_ns()).into(),
            Column::Cpu if !dead && process.is_measured() => label::percent(process.cpu_share()).into(),
            Column::Cpu | Column::Time => self.time(width),
            // The present size of the living, the peak of the dead.
            Column::Rss => bytes(process.rss_bytes().or(cost.max_rss_bytes)),
            Column::Peak => bytes(cost.max_rss_bytes),
            Column::Status => label::status(process).0,
            Column::Threads if process.threads() > 0 => process.threads().to_string().into(),
            Column::Threads => nothing(),
            Column::ThreadsBegun => counted(cost.threads_begun),
            Column::ThreadsMost => counted(cost.threads_most),
            Column::UserTime => self.part_of_time(cost.user_ns, width),
            Column::SystemTime => self.part_of_time(cost.system_ns(), width),
            Column::RunDelay => cost.run_delay_ns.map_or_else(nothing, |ns| label::duration(ns, width).into()),
            Column::Depth => self.depth(),
            Column::Children => label::count(app.tree().child_count(process.key, app.look().lineage) as u64).into(),
            Column::Execs => {
                Some(label::execs(process)).filter(|execs| !execs.is_empty()).map_or_else(nothing, Cow::from)
            }
            Column::Spawned => label::count(process.spawned.into()).into(),
            Column::Read => bytes(cost.read_bytes),
            Column::Written => bytes(cost.write_bytes),
            Column::ReadRate => rate(process.read_rate()),
            Column::WriteRate => rate(process.write_rate()),
            Column::Session => number(process.session().sid),
            Column::ProcessGroup => number(process.session().pgid),
            Column::Terminal => escaped(process.session().tty.as_ref().map(Tty::as_bytes)),
            Column::Nice => number(process.session().nice),
            Column::Login => {
                let shown = |uid| app.users().shown(uid).into_owned().into();
                process.session().login().map_or_else(nothing, shown)
            }
            Column::AuditSession => {
                number(process.session().audit_session.filter(|&number| number != Session::NO_LOGIN))
            }
            Column::MinorFaults if self.is_complete() => label::count(cost.minor_faults).into(),
            Column::MajorFaults if self.is_complete() => label::count(cost.major_faults).into(),
            Column::MinorFaults | Column::MajorFaults => nothing(),
            Column::Cgroup => end_of(process.cgroup(), width),
            Column::Killer => {
                Some(label::killer(process)).filter(|killer| !killer.is_empty()).map_or_else(nothing, Cow::from)
            }
            Column::Unit => escaped(process.cgroup().and_then(cgroup::unit).as_deref()),
            Column::Container => escaped(process.cgroup().and_then(cgroup::container).as_deref()),
            _ => self.totals().map_or_else(nothing, |totals| sum(column, &totals, width)),
        }
    }

    fn totals(&self) -> Option<Totals> {
        self.app.list().rows().totals(self.app.tree(), self.process.key)
    }

    fn parent_pid(&self) -> Cow<'static, str> {
        let parent = match self.app.look().lineage {
            Lineage::Forked => self.process.forker(),
            Lineage::Kernel => self.process.kernel_parent(),
        };
        parent.pid.to_string().into()
    }

    /// Rows know theirs, unless they are of a part of the tree, joined with others, or stand beside each other.
    fn depth(&self) -> Cow<'static, str> {
        let look = self.app.look();
        if look.root.is_none() && !look.flat && look.join_from == 0 {
            return self.row.depth.to_string().into();
        }
        let above = self.app.tree().ancestors(self.process.key, look.lineage).take(LEVELS_MAX + 1).count();
        if above > LEVELS_MAX { format!(">{LEVELS_MAX}").into() } else { above.to_string().into() }
    }

    /// Dead, or there only for the sake of a match below it.
    pub(super) fn is_faint(&self) -> bool {
        !self.process.is_alive() || !self.row.matched
    }

    /// Whether what it cost is known to its end.
    fn is_complete(&self) -> bool {
        matches!(self.process.life(), Lifecycle::Exited { inferred: false, .. })
    }

    /// In user mode or in the kernel; where all of it is not known, neither is.
    fn part_of_time(&self, ns: Option<u64>, width: usize) -> Cow<'static, str> {
        let known = self.process.is_measured() || self.is_complete();
        ns.filter(|_| known).map_or_else(nothing, |ns| label::duration(ns, width).into())
    }

    fn time(&self, width: usize) -> Cow<'static, str> {
        match self.process.life() {
            Lifecycle::Running if !self.process.is_measured() => nothing(),
            // A zombie still tells it, one that is gone does not.
            Lifecycle::Exited { inferred: true, status: ExitStatus::Unknown, .. } => "?".into(),
            _ => label::duration(self.process.cost().cpu_ns, width).into(),
        }
    }
}

/// What a process and all below it come to.
fn sum(column: Column, totals: &Totals, width: usize) -> Cow<'static, str> {
    let tally = &totals.tally;
    match column {
        Column::TreeAlive => label::count(totals.alive).into(),
        Column::TreeFailed => label::count(tally.failed).into(),
        Column::TreeSpawned => label::count(tally.spawned).into(),
        Column::TreeCpu if totals.measured > 0 => label::percent(totals.cpu_share()).into(),
        Column::TreeTime if totals.measured + tally.finished > 0 => label::duration(tally.cpu_ns, width).into(),
        Column::TreeRss => known(totals.rss_bytes),
        Column::TreeRead => known(tally.read_bytes),
        Column::TreeWritten => known(tally.write_bytes),
        _ => nothing(),
    }
}

/// A row that stands for many.
pub(super) struct Joined<'a> {
    pub(super) app: &'a App,
    pub(super) theme: &'a Theme,
    pub(super) row: &'a Row,
    pub(super) summary: Summary,
}

impl Joined<'_> {
    /// What the column says of all of them: the start of the first, the longest life, the CPU time of all.
    pub(super) fn cell(&self, column: Column, width: usize) -> Span<'static> {
        let Self { app, theme, row, summary } = self;
        let mut style = theme.dim;
        let mut failed = |count: u64| {
            if count > 0 {
                style = theme.tone(label::Tone::Bad);
            }
            count
        };
        let text: Cow<'static, str> = match column {
            Column::ParentPid => match row.id {
                RowId::Joined { parent, .. } => parent.pid.to_string().into(),
                RowId::Process(_) => nothing(),
            },
            Column::Start => app.wall().short(summary.first.start_ns, app.shown_ns()).into(),
            Column::Lifetime => text::duration(summary.longest_ns).into(),
            Column::Cpu | Column::Time => label::duration(summary.cpu_ns, width).into(),
            Column::Status if failed(summary.failed) > 0 => format!("{} failed", label::count(summary.failed)).into(),
            Column::Status => "finished".into(),
            Column::TreeFailed => label::count(failed(summary.all.failed)).into(),
            // They are finished, but what lives below them may be hidden by the filter.
            Column::TreeAlive if !app.look().filter.is_empty() => nothing(),
            _ if column.is_sum() => sum(column, &Totals { tally: summary.all, ..Totals::default() }, width),
            _ => nothing(),
        };
        padded(column, &text, width, style)
    }
}
