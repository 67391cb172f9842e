//! The bottom line: a message, the filter line, or hints read from the table of commands.

use ptree_core::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::cells::{cut, spread};
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
    let mut start = Vec::new();
    let filter = app.row_options().filter;
    if app.mode() == Mode::Filter || (app.mode() == Mode::Tree && !filter.text().is_empty()) {
        let matches: u32 = app.list().rows().as_slice().iter().map(|row| u32::from(row.matched) + row.hidden).sum();
        let typed = text::escape(filter.text().as_bytes()).into_owned();
        start.push(Span::styled("/", theme.accent));
        start.push(Span::styled(typed, theme.strong));
        if app.mode() == Mode::Filter {
            start.push(Span::styled(" ", theme.selected));
        }
        if !filter.text().is_empty() {
            start.push(Span::styled(format!("  {matches} match  "), theme.dim));
        } else {
            start.push(Span::styled("  name, arguments, pid or user  ", theme.dim));
        }
    }
    if let Some(key) = app.pending_key() {
        start.push(Span::styled(format!("{key}…  "), theme.notice));
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
    let columns = |spans: &[Span<'_>]| Line::from(spans.to_vec()).width();
    let mut room = width.saturating_sub(columns(&start) + last.iter().map(|spans| columns(spans)).sum::<usize>());
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
