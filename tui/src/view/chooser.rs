//! The lists from which columns and sorts are chosen, below as many rows of the tree as show what comes of it.

use ptree_core::SortKey;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::cells::{left, place, right, spread};
use super::table;
use super::theme::Theme;
use crate::action::Mode;
use crate::app::App;
use crate::column::{COLUMNS, Column};

/// From this height on, rows of the tree stay in sight above the list.
const ROWS_FROM: u16 = 14;
/// Columns of the names, the longest of which is `minor-faults`.
const NAME: usize = 13;
/// Columns of the headings.
const HEADING: usize = 10;
/// Columns of the mark at the left.
const MARK: u16 = 4;

/// Where the rows stay, and where the list is.
fn areas(area: Rect) -> (Rect, Rect) {
    let above = if area.height < ROWS_FROM { 0 } else { (area.height / 3).min(12) };
    let (rows, list) =
        (Rect { height: above, ..area }, Rect { y: area.y + above, height: area.height - above, ..area });
    (rows, list)
}

/// Rows of the tree that stay in sight below their heading; `None` where none do.
pub(crate) fn rows(area: Rect) -> Option<u16> {
    areas(area).0.height.checked_sub(1).filter(|&rows| rows > 0)
}

/// Lines of the list that fit below its title.
pub(crate) fn lines(area: Rect) -> u16 {
    areas(area).1.height.saturating_sub(1)
}

/// The line that stands at a place of the screen, by index, and whether its mark does.
pub(crate) fn hit(app: &App, area: Rect, column: u16, row: u16) -> Option<(usize, bool)> {
    let (_, list) = areas(area);
    if !list.contains(Position::new(column, row)) || row == list.y {
        return None;
    }
    let index = app.chooser().offset() + usize::from(row - list.y - 1);
    let len = if app.mode() == Mode::Sorts { SortKey::ALL.len() } else { COLUMNS.len() };
    (index < len).then_some((index, column < list.x + MARK))
}

/// How wide a column is, be it shown or not.
pub(crate) fn width(app: &App, column: Column) -> u16 {
    u16::try_from(table::width(app, column)).unwrap_or(u16::MAX)
}

/// The list that is open.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (rows, list) = areas(area);
    table::draw(app, theme, rows, buffer);
    let mut lines = list.rows();
    let Some(first) = lines.next() else { return };
    let (title, about, entries) = match app.mode() {
        Mode::Sorts => ("Sort by", "", sorts(app, theme)),
        _ => ("Columns", "left to right, before COMMAND", columns(app, theme, usize::from(area.width))),
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
            Span::styled(right(&table::width(app, column).to_string(), 3) + "  ", name),
            Span::styled(why_not, theme.bad),
            Span::styled(spec.about, theme.dim),
        ])
    };
    app.columns().all().map(entry).collect()
}

fn sorts(app: &App, theme: &Theme) -> Vec<Line<'static>> {
    let now = app.look().sort;
    let entry = |key: SortKey| {
        let mark = if key == now.by { format!(" {}  ", table::way(now.descends())) } else { " ".repeat(4) };
        let column = COLUMNS.iter().find(|spec| spec.sort == Some(key)).map_or("COMMAND", |spec| spec.heading);
        Line::from(vec![
            Span::styled(mark, theme.accent),
            Span::styled(left(column, HEADING), theme.heading),
            Span::styled(key.name(), theme.plain),
        ])
    };
    SortKey::ALL.into_iter().map(entry).collect()
}
