//! The page of keys, read from the table of commands and what is bound to them; what marks and columns of
//! the table mean; and what filters are made of.

use ptree_core::facts::FACTS;
use ptree_core::filter::{PREFIXES, SYNTAX};
use ptree_core::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{cut, left, place, spread};
use crate::action::{Mode, Spec, commands};
use crate::app::App;
use crate::column::COLUMNS;
use crate::measure::width as columns;
use crate::screen::theme::Theme;

/// Columns of the keys.
const KEYS: usize = 18;
/// The same on a screen so narrow that the descriptions need the room.
const FEW_KEYS: usize = 10;

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
];

/// Between two columns of the page.
const GAP: usize = 2;

enum Entry {
    Blank,
    Heading(&'static str),
    Key(String, &'static str),
}

impl Entry {
    /// The columns that it takes, at most.
    fn width(&self) -> usize {
        match self {
            Self::Blank => 0,
            Self::Heading(title) => columns(title),
            Self::Key(_, description) => 1 + KEYS + 1 + columns(description),
        }
    }
}

/// All lines of the help in which something is found, below their headings.
fn entries(app: &App) -> Vec<Entry> {
    let commands = commands(app.limits()).map(|spec| (spec.section, keys(app, spec), spec.description));
    let marks = MARKS.iter().map(|(mark, meaning)| ("Marks", (*mark).to_owned(), *meaning));
    let columns = COLUMNS.iter().map(|spec| ("Columns of the table", spec.heading.to_owned(), spec.about));
    let fields = FACTS.iter().map(|fact| (fact.example, fact.about));
    let prefixes = PREFIXES.iter().map(|(_, meaning, example)| (*example, *meaning));
    let filters = SYNTAX.into_iter().chain(fields).chain(prefixes);
    let filters = filters.map(|(typed, meaning)| ("Filters", typed.to_owned(), meaning));
    let wanted = app.help_search().to_lowercase();
    let found = |text: &str| text.to_lowercase().contains(&wanted);

    let mut entries = Vec::new();
    let mut section = "";
    for (of, keys, description) in commands.chain(marks).chain(columns).chain(filters) {
        if !found(&keys) && !found(description) {
            continue;
        }
        if of != section {
            if !section.is_empty() {
                entries.push(Entry::Blank);
            }
            section = of;
            entries.push(Entry::Heading(section));
        }
        entries.push(Entry::Key(keys, description));
    }
    entries
}

/// Its keys, as in the mode in which it is mostly used.
fn keys(app: &App, spec: &Spec) -> String {
    let of = |mode| app.bindings().keys(mode, spec.command).map(|keys| keys.replace(' ', "")).collect::<Vec<_>>();
    Mode::ALL.into_iter().map(of).find(|keys| !keys.is_empty()).unwrap_or_default().join(" ")
}

/// How far the help can be scrolled in an area.
pub(super) fn scroll_end(app: &App, area: Rect) -> usize {
    let entries = entries(app);
    let height = usize::from(area.height.saturating_sub(1));
    let side_by_side = side_by_side(&entries, area.width);
    let fits = |from: &usize| flow(&entries[*from..], height).len() <= side_by_side;
    let all_but_headings = entries.len().saturating_sub(height * side_by_side);
    (all_but_headings..entries.len()).find(fits).unwrap_or(entries.len().saturating_sub(1))
}

/// How many columns of lines fit into this width.
fn side_by_side(entries: &[Entry], width: u16) -> usize {
    let widest = entries.iter().map(Entry::width).max().unwrap_or(0);
    ((usize::from(width) + GAP) / (widest + GAP)).max(1)
}

/// Cut into columns of so many lines, none of which begins with a blank or ends with a heading.
fn flow(entries: &[Entry], height: usize) -> Vec<&[Entry]> {
    let mut columns = Vec::new();
    let mut rest = entries;
    while !rest.is_empty() && height > 0 {
        let mut end = height.min(rest.len());
        if end > 1 && end < rest.len() && matches!(rest[end - 1], Entry::Heading(_)) {
            end -= 1;
        }
        columns.push(&rest[..end]);
        rest = &rest[end..];
        if let [Entry::Blank, after @ ..] = rest {
            rest = after;
        }
    }
    columns
}

/// The page: lines that run on from one column to the next.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let entries = entries(app);
    let first = Rect { height: 1, ..area };
    let area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let (from, height) = (app.help_scroll(), usize::from(area.height));
    let side_by_side = side_by_side(&entries, area.width);
    let mut title = vec![Span::styled("Keys and marks", theme.strong)];
    if !app.help_search().is_empty() {
        let search = format!("  with '{}'", text::escape(app.help_search().as_bytes()));
        title.push(Span::styled(search, theme.notice));
    }
    let place = place(from, height * side_by_side, entries.len());
    spread(title, vec![Span::styled(place, theme.dim)], first, buffer);
    if entries.is_empty() {
        let nothing = Line::styled("Nothing in the help has this in it.", theme.plain);
        buffer.set_line(area.x, area.y, &nothing, if area.is_empty() { 0 } else { area.width });
    }
    let shown = &entries[from.min(entries.len())..];
    let width = area.width / u16::try_from(side_by_side).unwrap_or(1);
    let widest = entries.iter().map(Entry::width).max().unwrap_or(0);
    let keys = if widest > usize::from(width) { FEW_KEYS } else { KEYS };
    let mut x = area.x;
    // Where there is room for all, the columns are of one length.
    let balanced = entries.len().div_ceil(side_by_side).min(height);
    let each = (balanced..height).find(|each| flow(shown, *each).len() <= side_by_side).unwrap_or(height);
    for entries in flow(shown, each).into_iter().take(side_by_side) {
        column(entries, keys, theme, Rect { x, width, ..area }, buffer);
        x += width;
    }
}

/// The line in which is typed what to look for.
pub(super) fn search_line(app: &App, theme: &Theme) -> Vec<Span<'static>> {
    let found = entries(app).iter().filter(|entry| matches!(entry, Entry::Key(..))).count();
    vec![
        Span::styled("/", theme.accent),
        Span::styled(text::escape(app.help_search().as_bytes()).into_owned(), theme.strong),
        Span::styled(" ", theme.selected),
        Span::styled(format!("  {found} lines  "), theme.dim),
    ]
}

/// One column of lines, with so many columns for the keys.
fn column(entries: &[Entry], width: usize, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    for (entry, row) in entries.iter().zip(area.rows()) {
        let line = match entry {
            Entry::Blank => Line::default(),
            Entry::Heading(title) => Line::styled(*title, theme.heading),
            Entry::Key(keys, description) => Line::from(vec![
                Span::styled(format!(" {} ", left(keys, width)), theme.accent),
                Span::styled(cut(description, usize::from(row.width).saturating_sub(width + 2)), Style::new()),
            ]),
        };
        buffer.set_line(row.x, row.y, &line, row.width);
    }
}
