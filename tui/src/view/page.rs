//! A page of figures: a title, headings, and a line for each of what it lists.

use ptree_core::Spawn;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::cells::{cut, left, place, right, spread};
use super::table;
use crate::app::page::{Page, Value};
use crate::app::{App, View};
use crate::label;
use crate::screen::areas::PAGE_HEAD;
use crate::screen::theme::Theme;

/// Columns that the last one has at least, before others are dropped from the right.
const LAST_MIN: usize = 12;

/// All of it.
pub(super) fn draw(app: &App, page: &Page, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut rows = area.rows();
    let Some(first) = rows.next() else { return };
    let (title, about) = title(app);
    let height = usize::from(area.height.saturating_sub(PAGE_HEAD));
    let place = place(page.offset(), height, page.lines().len());
    // Not by half: what Enter does comes before the rest.
    let room = usize::from(area.width).saturating_sub(title.len() + 2 + place.len());
    let about = [about, about.rsplit("; ").next().unwrap_or_default()].into_iter().find(|about| about.len() <= room);
    let about = format!("  {}", about.unwrap_or_default());
    let title = vec![Span::styled(title, theme.strong), Span::styled(about, theme.dim)];
    spread(title, vec![Span::styled(place, theme.dim)], first, buffer);
    let Some(second) = rows.next() else { return };
    let widths = fitting(page, usize::from(area.width));
    let headings = widths.iter().map(|&(column, width)| {
        let mark = if page.sort().column == column { table::way(page.descends()) } else { "" };
        let text = format!("{}{mark}", page.columns()[column].heading);
        let is_last = column + 1 == page.columns().len();
        Span::styled(if is_last { left(&text, width) } else { right(&text, width) + " " }, theme.heading)
    });
    buffer.set_line(second.x, second.y, &Line::from_iter(headings), second.width);
    if page.lines().is_empty() {
        if let Some(row) = rows.next() {
            let text = cut(&nothing(app), usize::from(area.width));
            buffer.set_line(row.x, row.y, &Line::styled(text, theme.dim), row.width);
        }
        return;
    }
    for ((index, line), row) in page.lines().iter().enumerate().skip(page.offset()).zip(rows) {
        let mut text = String::new();
        for &(column, width) in &widths {
            let value = shown(app, &line.values[column], width);
            text += &if column + 1 == page.columns().len() { left(&value, width) } else { right(&value, width) + " " };
        }
        let style = match (index == page.index(), line.faint) {
            (true, _) => theme.selected,
            (false, true) => theme.dim,
            (false, false) => theme.plain,
        };
        buffer.set_style(row, style);
        buffer.set_line(row.x, row.y, &Line::styled(text, style), row.width);
    }
}

/// What the page is, and what Enter does in it.
fn title(app: &App) -> (&'static str, &'static str) {
    match app.view() {
        View::Churn if app.churn_by_name() => {
            ("Churn by name", "CPU is that of finished children; Enter shows its processes")
        }
        View::Churn => ("Churn by launcher", "CPU is that of finished children; Enter goes there"),
        View::Users => ("Users", "Enter shows one's processes alone"),
        View::Alerts => ("Alerts", "Enter goes to the culprit"),
        View::Tree | View::Flat | View::Timeline => ("", ""),
    }
}

/// Why there is no line.
fn nothing(app: &App) -> String {
    match app.view() {
        View::Churn => "Nothing has been launched yet.".to_owned(),
        View::Users => "No user is known yet.".to_owned(),
        View::Tree | View::Flat | View::Timeline => String::new(),
        View::Alerts => {
            format!("No alert so far: one is raised at {} forks/s.", label::rate(app.alert_limit(Spawn::Processes)))
        }
    }
}

/// The columns that fit beside the last, and their widths.
fn fitting(page: &Page, width: usize) -> Vec<(usize, usize)> {
    let Some((_, others)) = page.columns().split_last() else { return Vec::new() };
    let mut room = width.saturating_sub(LAST_MIN);
    let mut fitting = Vec::new();
    for (index, column) in others.iter().enumerate() {
        let needed = usize::from(column.width) + 1;
        if needed > room {
            break;
        }
        room -= needed;
        fitting.push((index, usize::from(column.width)));
    }
    let used: usize = fitting.iter().map(|(_, width)| width + 1).sum();
    fitting.push((others.len(), width.saturating_sub(used)));
    fitting
}

fn shown(app: &App, value: &Value, width: usize) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Id(id) => id.to_string(),
        Value::Count(count) => label::count(*count),
        Value::Rate(per_s) => label::rate(*per_s),
        Value::Span(ns) => label::duration(*ns, width),
        Value::Moment(at_ns) => app.wall().short(*at_ns, app.now_ns()),
        Value::Share(share) => format!("{:.0}%", share * 100.0),
        Value::None => "-".to_owned(),
    }
}
