//! What stands in a cell of the table: of a process, or of a row that stands for many.

use std::borrow::Cow;

use ptree_core::facts::{Reader, Unit, Value};
use ptree_core::{ExitStatus, Lifecycle, Origin, Process, Row, RowId, Summary, Totals, text};
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

fn escaped(bytes: Option<&[u8]>) -> Cow<'static, str> {
    bytes.map_or_else(nothing, |bytes| text::readable(bytes).into_owned().into())
}

/// The end of a path, which says more than its beginning.
fn end_of(path: Option<&[u8]>, width: usize) -> Cow<'static, str> {
    let path = escaped(path);
    if crate::measure::width(&path) <= width {
        return path;
    }
    format!("…{}", crate::measure::end(&path, width.saturating_sub(1))).into()
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
            Column::State => theme.tone(label::status(process).1),
            Column::TreeFailed if self.totals().is_some_and(|totals| totals.tally.failed > 0) => theme.bad,
            _ => base,
        };
        padded(column, &self.text(column, width), width, style)
    }

    fn text(&self, column: Column, width: usize) -> Cow<'static, str> {
        let (process, app) = (self.process, self.app);
        match column {
            Column::User => app.users().shown(process.creds().uid).into_owned().into(),
            Column::End => match process.life() {
                // It was noticed then, and may have been long before.
                Lifecycle::Exited { inferred: true, .. } => "?".into(),
                Lifecycle::Exited { inferred: false, .. } | Lifecycle::Running => self.plain(column, width),
            },
            Column::Lifetime => label::lifetime(process, app.shown_ns()).into(),
            // Of the dead, all CPU time.
            Column::Cpu if process.is_alive() => self.plain(column, width),
            Column::Cpu | Column::Time => self.time(width),
            Column::State => label::status(process).0,
            Column::Depth => self.depth(),
            Column::Execs => {
                Some(label::execs(process)).filter(|execs| !execs.is_empty()).map_or_else(nothing, Cow::from)
            }
            Column::Login => {
                let shown = |uid| app.users().shown(uid).into_owned().into();
                process.session().login().map_or_else(nothing, shown)
            }
            Column::AuditSession if process.session().login().is_none() => nothing(),
            Column::Cgroup => end_of(process.cgroup(), width),
            column => self.plain(column, width),
        }
    }

    /// A fact as its unit is written.
    fn plain(&self, column: Column, width: usize) -> Cow<'static, str> {
        let app = self.app;
        let user = |uid| app.users().get(uid);
        let reader = Reader::new(app.context(&user));
        match column.fact().read(&reader, self.process) {
            None => nothing(),
            Some(Value::Figure(Unit::Instant, ns)) => app.wall().short(ns, app.shown_ns()).into(),
            Some(Value::Figure(unit, figure)) => label::figure(unit, figure, width),
            Some(Value::Text(bytes)) => text::readable(&bytes).into_owned().into(),
            Some(Value::Word(word)) => word,
            Some(Value::Flag(flag)) => if flag { "yes" } else { "no" }.into(),
        }
    }

    fn totals(&self) -> Option<Totals> {
        self.app.list().rows().totals(self.app.tree(), self.process.key)
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

    fn time(&self, width: usize) -> Cow<'static, str> {
        match self.process.life() {
            Lifecycle::Running if !self.process.is_measured() => nothing(),
            // A zombie still tells it, one that is gone does not.
            Lifecycle::Exited { inferred: true, status: ExitStatus::Unknown, .. } => "?".into(),
            _ => label::duration(self.process.cost().cpu_ns, width).into(),
        }
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
            Column::State if failed(summary.failed) > 0 => format!("{} failed", label::count(summary.failed)).into(),
            Column::State => "finished".into(),
            Column::TreeFailed => label::count(failed(summary.all.failed)).into(),
            // They are finished, but what lives below them may be hidden by the filter.
            Column::TreeAlive if !app.look().filter.is_empty() => nothing(),
            _ if column.is_sum() => {
                let fact = column.fact();
                let sum = fact.sum(&Totals { tally: summary.all, ..Totals::default() });
                sum.map_or_else(nothing, |sum| label::figure(fact.unit(), sum, width))
            }
            _ => nothing(),
        };
        padded(column, &text, width, style)
    }
}
