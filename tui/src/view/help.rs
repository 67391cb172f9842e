//! The page of keys, read from the table of commands; and what marks in the tree mean.

use ptree_core::filter::{FIELDS, PREFIXES, SYNTAX};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{left, place, spread};
use super::theme::Theme;
use crate::action::{Mode, Spec, commands};
use crate::app::App;
use crate::columns::width as columns;

/// Columns of the keys.
const KEYS: usize = 20;

/// What the marks in the tree mean.
const MARKS: &[(&str, &str)] = &[
    ("▸ +3", "folded: three processes are hidden below"),
    ("12  ┄", "so many levels near the root are left out"),
    ("*", "tagged"),
    ("~", "its fork was not seen"),
    ("?", "not known: nobody saw its end"),
    ("-", "not measured yet"),
    ("green PID", "younger than two seconds"),
    ("faint", "dead, or shown only for a match below it"),
    ("CPU", "share of one CPU; of the dead, all CPU time"),
    ("RSS", "memory in use; of the dead, its peak"),
];

/// The part that begins the second column.
const SECOND: &str = "Marks";

enum Entry {
    Blank,
    Heading(&'static str),
    Key(String, &'static str),
}

/// All lines of the help.
fn entries(may_act: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut section = "";
    for spec in commands(may_act) {
        if spec.section != section {
            if !section.is_empty() {
                entries.push(Entry::Blank);
            }
            section = spec.section;
            entries.push(Entry::Heading(section));
        }
        entries.push(Entry::Key(keys(spec), spec.description));
    }
    entries.extend([Entry::Blank, Entry::Heading(SECOND)]);
    entries.extend(MARKS.iter().map(|(mark, meaning)| Entry::Key((*mark).to_owned(), meaning)));
    entries.extend([Entry::Blank, Entry::Heading("Filters")]);
    let fields = FIELDS.iter().map(|field| (field.example, field.description));
    let prefixes = PREFIXES.iter().map(|(_, meaning, example)| (*example, *meaning));
    let filters = SYNTAX.into_iter().chain(fields).chain(prefixes);
    entries.extend(filters.map(|(typed, meaning)| Entry::Key(typed.to_owned(), meaning)));
    entries
}

/// Its keys, as in the mode in which it is mostly used.
fn keys(spec: &Spec) -> String {
    let keys = Mode::ALL.into_iter().map(|mode| spec.keys_in(mode)).find(|keys| !keys.is_empty());
    keys.unwrap_or_default().iter().map(|key| key.replace(' ', "")).collect::<Vec<_>>().join(" ")
}

/// How far the help can be scrolled in an area.
#[must_use]
pub(crate) fn scroll_end(may_act: bool, area: Rect) -> usize {
    let entries = entries(may_act);
    let height = usize::from(area.height.saturating_sub(1));
    if second_column(&entries, area.width, height).is_some() { 0 } else { entries.len().saturating_sub(height) }
}

/// The entry that begins the second column, where both columns fit; there is but one where they do not.
fn second_column(entries: &[Entry], width: u16, height: usize) -> Option<usize> {
    let half = entries.iter().position(|entry| matches!(entry, Entry::Heading(SECOND)))?;
    let wide = |entry: &Entry| match entry {
        Entry::Key(_, description) => KEYS + 3 + columns(description) > usize::from(width / 2),
        _ => false,
    };
    (half.max(entries.len() - half) <= height && !entries.iter().any(wide)).then_some(half)
}

/// The page.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let entries = entries(app.may_act());
    let first = Rect { height: 1, ..area };
    let area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let (from, height) = (app.help_scroll(), usize::from(area.height));
    let second = second_column(&entries, area.width, height);
    let place = if second.is_none() { place(from, height, entries.len()) } else { String::new() };
    let title = "Keys and marks";
    spread(vec![Span::styled(title, theme.strong)], vec![Span::styled(place, theme.dim)], first, buffer);
    let Some(half) = second else { return column(&entries[from.min(entries.len())..], theme, area, buffer) };
    let width = area.width / 2;
    column(&entries[..half], theme, Rect { width, ..area }, buffer);
    column(&entries[half..], theme, Rect { x: area.x + width, width: area.width - width, ..area }, buffer);
}

fn column(entries: &[Entry], theme: &Theme, area: Rect, buffer: &mut Buffer) {
    for (entry, row) in entries.iter().zip(area.rows()) {
        let line = match entry {
            Entry::Blank => Line::default(),
            Entry::Heading(title) => Line::styled(*title, theme.heading),
            Entry::Key(keys, description) => Line::from(vec![
                Span::styled(format!("  {} ", left(keys, KEYS)), theme.accent),
                Span::styled(*description, Style::new()),
            ]),
        };
        buffer.set_line(row.x, row.y, &line, row.width);
    }
}
