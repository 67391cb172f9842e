//! The bottom of the screen: a message, the filter line, or hints read from the table of commands. While a filter is
//! typed there are two lines, where there is room for them. A hint can be clicked: what is drawn and what is hit come
//! from the same parts.

use ptree_core::text;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Span;

use super::cells::{cut, spread};
use super::filter_line::FilterLine;
use super::header;
use super::help;
use crate::action::{Command, Mode, Spec, commands};
use crate::app::App;
use crate::keymap::spelled_out;
use crate::measure::width as columns;
use crate::screen::areas::Areas;
use crate::screen::theme::Theme;

/// All of it.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    for (row, parts) in rows(app, theme, area) {
        spread(parts.into_iter().map(|part| part.span).collect(), Vec::new(), row, buffer);
    }
}

/// What a click in this column and row of the screen asks for, if a hint stands there.
pub(super) fn hit(app: &App, areas: &Areas, column: u16, row: u16) -> Option<Command> {
    let place = Position::new(column, row);
    let area = place_of(app, areas);
    let (line, parts) = rows(app, &Theme::mono(), area).into_iter().find(|(line, _)| line.contains(place))?;
    let mut end = line.x;
    let part = parts.into_iter().find(|part| {
        end = end.saturating_add(u16::try_from(part.span.width()).unwrap_or(u16::MAX));
        column < end
    })?;
    part.command
}

/// Where the footer is: on a screen without a header, losses stand before it.
pub(super) fn place_of(app: &App, areas: &Areas) -> Rect {
    if !areas.header.is_empty() {
        return areas.footer;
    }
    let last = areas.body.union(areas.footer).rows().next_back().unwrap_or_default();
    let taken = header::losses_width(app).min(last.width);
    let rest = Rect { x: last.x + taken, width: last.width - taken, ..last };
    areas.footer.intersection(rest)
}

/// Something that stands there.
struct Part {
    span: Span<'static>,
    /// What it hints at.
    command: Option<Command>,
}

impl From<Span<'static>> for Part {
    fn from(span: Span<'static>) -> Self {
        Self { span, command: None }
    }
}

/// The lines, and what stands on them.
fn rows(app: &App, theme: &Theme, area: Rect) -> Vec<(Rect, Vec<Part>)> {
    let width = usize::from(area.width);
    if area.height < 2 {
        let filter = app.mode() == Mode::Filter || app.mode() == Mode::Tree && !app.filter_line().is_empty();
        return vec![(area, bottom(app, theme, width, filter))];
    }
    let (above, below) = (Rect { height: 1, ..area }, Rect { y: area.y + 1, height: 1, ..area });
    let line = FilterLine::new(app, width, 0, false);
    let typed = line.spans(app, theme).into_iter().map(Part::from).collect();
    let under = match line.advice(app, theme, width).filter(|_| app.message().is_none()) {
        Some(advice) => advice.into_iter().map(Part::from).collect(),
        None => bottom(app, theme, width, false),
    };
    vec![(above, typed), (below, under)]
}

/// The last line: a message, or hints with the `filter` before them.
fn bottom(app: &App, theme: &Theme, width: usize, filter: bool) -> Vec<Part> {
    if let Some(message) = app.message() {
        // Who says it has quoted what others wrote, but for the messages of libraries.
        let text = text::harmless(&message.text).replace('\n', " ");
        let style = if message.bad { theme.bad } else { theme.good };
        return vec![Span::styled(cut(&text, width), style).into()];
    }
    if let Some(begun) = app.pending_key() {
        return sequence(app, theme, begun, width);
    }
    // As many hints as fit; help and the ways out before all others, at the end. Of two ways to the same, the first.
    let mut hinted = Vec::new();
    let mut is_new = |hint| {
        let is_new = !hinted.contains(&hint);
        hinted.push(hint);
        is_new
    };
    let (last, others): (Vec<_>, Vec<_>) = commands(app.limits())
        .filter(|spec| {
            !spec.hint.is_empty() && app.key(app.mode(), spec.command).is_some() && app.is_of_use(spec.command)
        })
        .filter(|spec| is_new(spec.hint))
        .partition(|spec| matches!(spec.command, Command::Help | Command::Back | Command::Quit));
    let hint = |spec: &Spec| {
        let key = app.key(app.mode(), spec.command).unwrap_or_default().to_owned();
        let spans = [Span::styled(key, theme.accent), Span::styled(format!(" {}  ", spec.hint), theme.plain)];
        spans.map(|span| Part { span, command: Some(spec.command) })
    };
    let (last, others): (Vec<_>, Vec<_>) =
        (last.into_iter().map(hint).collect(), others.into_iter().map(hint).collect());
    let columns = |parts: &[Part]| parts.iter().map(|part| part.span.width()).sum::<usize>();
    let wanted = |hints: &[[Part; 2]]| hints.iter().map(|parts| columns(parts)).sum::<usize>();
    let hints = wanted(&last) + if app.mode() == Mode::Filter { wanted(&others) } else { 0 };
    let spans = match app.mode() {
        Mode::HelpSearch => help::search_line(app, theme),
        Mode::DetailsSearch => search_line(app, theme),
        _ if filter => FilterLine::new(app, width, hints, true).spans(app, theme),
        _ => Vec::new(),
    };
    let mut parts: Vec<Part> = spans.into_iter().map(Part::from).collect();
    let mut room = width.saturating_sub(columns(&parts) + wanted(&last));
    for hint in others {
        let needed = columns(&hint);
        if needed > room {
            break;
        }
        room -= needed;
        parts.extend(hint);
    }
    parts.extend(last.into_iter().flatten());
    parts
}

/// The beginning of a sequence of keys and what may follow, as far as there is room.
fn sequence(app: &App, theme: &Theme, begun: &str, width: usize) -> Vec<Part> {
    let mut room = width;
    let mut parts = Vec::new();
    let mut push = |text: String, style: Style| {
        let text = cut(&text, room);
        room -= columns(&text).min(room);
        parts.push(Span::styled(text, style).into());
    };
    push(format!("{}…  ", spelled_out(begun)), theme.notice);
    for (command, keys) in app.following_keys() {
        push(keys.join(" "), theme.accent);
        push(format!(" {}  ", command.spec().map(Spec::brief).unwrap_or_default()), theme.plain);
    }
    parts
}

/// The line in which is typed what to look for on the page of a process.
fn search_line(app: &App, theme: &Theme) -> Vec<Span<'static>> {
    let Some(details) = app.details() else { return Vec::new() };
    let found = match details.found() {
        _ if details.search().is_empty() => "  on this page  ".to_owned(),
        (0, _) => "  nowhere on this page  ".to_owned(),
        (lines, at) => format!("  {} of {lines} lines  ", at.unwrap_or(0)),
    };
    vec![
        Span::styled("/", theme.accent),
        Span::styled(text::escape(details.search().as_bytes()).into_owned(), theme.strong),
        Span::styled(" ", theme.selected),
        Span::styled(found, theme.dim),
    ]
}
