//! The bottom line: a message, the filter line, or hints read from the table of commands.

use ptree_core::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::cells::{cut, spread, tail};
use super::theme::Theme;
use crate::action::{COMMANDS, Command, Mode, Spec};
use crate::app::App;

/// The line.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    if let Some(message) = app.message() {
        let text = text::escape(message.text.as_bytes());
        let style = if message.bad { theme.bad } else { theme.good };
        return spread(vec![Span::styled(cut(&text, width), style)], Vec::new(), area, buffer);
    }
    // As many hints as fit; help and the ways out before all others, at the end.
    let (last, others): (Vec<_>, Vec<_>) = COMMANDS
        .iter()
        .filter(|spec| !spec.hint.is_empty() && !spec.keys_in(app.mode()).is_empty())
        .partition(|spec| matches!(spec.command, Command::Help | Command::Back | Command::Quit));
    let hint = |spec: &Spec| {
        let key = spec.keys_in(app.mode()).first().copied().unwrap_or_default();
        [Span::styled(key, theme.accent), Span::styled(format!(" {}  ", spec.hint), theme.plain)]
    };
    let (last, others): (Vec<_>, Vec<_>) =
        (last.into_iter().map(hint).collect(), others.into_iter().map(hint).collect());
    let columns = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let wanted = |hints: &[[Span<'_>; 2]]| hints.iter().map(|spans| columns(spans)).sum::<usize>();
    let hints = wanted(&last) + if app.mode() == Mode::Filter { wanted(&others) } else { 0 };
    let mut start = filter_line(app, theme, width, hints);
    if let Some(key) = app.pending_key() {
        start.push(Span::styled(format!("{key}…  "), theme.notice));
    }
    let mut room = width.saturating_sub(columns(&start) + wanted(&last));
    for spans in others {
        let needed = columns(&spans);
        if needed > room {
            break;
        }
        room -= needed;
        start.extend(spans);
    }
    start.extend(last.into_iter().flatten());
    spread(start, Vec::new(), area, buffer);
}

/// The filter as typed, cursor and matches; empty where there is none. Of a long text the end is shown, so that as many
/// columns are left for `hints`, but no less of it than a third of the line.
fn filter_line(app: &App, theme: &Theme, width: usize, hints: usize) -> Vec<Span<'static>> {
    let text = app.look().filter.text();
    if app.mode() != Mode::Filter && (app.mode() != Mode::Tree || text.is_empty()) {
        return Vec::new();
    }
    let after = if text.is_empty() {
        "  name, arguments, pid or user  ".to_owned()
    } else {
        let matches: u32 = app.list().rows().wanted();
        format!("  {matches} match  ")
    };
    let cursor = if app.mode() == Mode::Filter { " " } else { "" };
    let others = "/".len() + cursor.len() + after.len() + hints;
    let typed = tail(&text::escape(text.as_bytes()), width.saturating_sub(others).max(width / 3));
    vec![
        Span::styled("/", theme.accent),
        Span::styled(typed, theme.strong),
        Span::styled(cursor, theme.selected),
        Span::styled(after, theme.dim),
    ]
}
