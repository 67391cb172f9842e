//! The lists from which columns and sorts are chosen, below as many rows of the tree as show what comes of it.

use ptree_core::Fact;
use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::cells::{left, place, right, spread};
use super::table;
use crate::action::Mode;
use crate::app::App;
use crate::column::Column;
use crate::screen::areas::{Areas, Chooser};
use crate::screen::theme::Theme;

/// Columns of the names, the longest of which is `audit-session`.
const NAME: usize = 14;
/// Columns of the headings.
const HEADING: usize = 10;

/// The list that is open.
pub(super) fn draw(app: &App, theme: &Theme, areas: &Areas, buffer: &mut Buffer) {
    let Chooser { rows, list } = areas.chooser();
    table::draw(app, theme, rows, buffer);
    let mut lines = list.rows();
    let Some(first) = lines.next() else { return };
    let (title, about, entries) = match app.mode() {
        Mode::Sorts => ("Sort by", "", sorts(app, theme)),
        _ => ("Columns", "left to right, before COMMAND", columns(app, theme, usize::from(list.width))),
    };
    let cursor = app.chooser();
    let place = place(cursor.offset(), usize::from(list.height - 1), entries.len());
    let title = vec![Span::styled(title, theme.strong), Span::styled(format!("  {about}"), theme.dim)];
    spread(title, vec![Span::styled(place, theme.dim)], first, buffer);
    for ((index, mut line), row) in entries.into_iter().enumerate().skip(cursor.offset()).zip(lines) {
        if index == cursor.index() {
            buffer.set_style(row, theme.selected);
            line = Line::from_iter(line.spans.into_iter().map(|span| Span::styled(span.content, theme.selected)));
        }
        buffer.set_line(row.x, row.y, &line, row.width);
    }
}

fn columns(app: &App, theme: &Theme, screen: usize) -> Vec<Line<'static>> {
    let fitting = table::fitting(app, screen).0;
    let entry = |column: Column| {
        let (spec, shown) = (column.spec(), app.columns().is_shown(column));
        let (name, mark) = if shown { (theme.plain, "[x] ") } else { (theme.dim, "[ ] ") };
        let why_not = match () {
            () if column.is_blank(&app.header().degraded) => "not on this kernel; ",
            () if shown && !fitting.contains(&column) => "no room for it; ",
            () => "",
        };
        Line::from(vec![
            Span::styled(mark, theme.accent),
            Span::styled(left(spec.heading, HEADING), if shown { theme.heading } else { theme.dim }),
            Span::styled(left(spec.name, NAME), name),
            Span::styled(right(&app.column_width(column).to_string(), 3) + "  ", name),
            Span::styled(why_not, theme.bad),
            Span::styled(spec.about, theme.dim),
        ])
    };
    app.columns().all().map(entry).collect()
}

fn sorts(app: &App, theme: &Theme) -> Vec<Line<'static>> {
    let now = app.look().sort;
    let entry = |fact: Fact| {
        let mark = if fact == now.by { format!(" {}  ", table::way(now.descends())) } else { " ".repeat(4) };
        let heading = match Column::of(fact) {
            Some(column) => column.spec().heading,
            None if fact == Fact::Name => "COMMAND",
            None => "",
        };
        Line::from(vec![
            Span::styled(mark, theme.accent),
            Span::styled(left(heading, HEADING), theme.heading),
            Span::styled(left(fact.name(), NAME), theme.plain),
            Span::styled(fact.spec().about, theme.dim),
        ])
    };
    Fact::sorts().map(entry).collect()
}
