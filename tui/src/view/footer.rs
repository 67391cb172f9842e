//! The bottom of the screen: a message, the filter line, or hints read from the table of commands. While a filter is
//! typed there are two lines, where there is room for them.

use ptree_core::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::cells::{cut, spread};
use super::filter_line::FilterLine;
use super::help;
use super::theme::Theme;
use crate::action::{Command, Mode, Spec, commands};
use crate::app::App;

/// All of it.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    if area.height < 2 {
        let filter = app.mode() == Mode::Filter || app.mode() == Mode::Tree && !app.filter_line().is_empty();
        return bottom(app, theme, area, filter, buffer);
    }
    let (above, below) = (Rect { height: 1, ..area }, Rect { y: area.y + 1, height: 1, ..area });
    let line = FilterLine::new(app, width, 0, false);
    spread(line.spans(app, theme), Vec::new(), above, buffer);
    match line.advice(app, theme, width).filter(|_| app.message().is_none()) {
        Some(advice) => spread(advice, Vec::new(), below, buffer),
        None => bottom(app, theme, below, false, buffer),
    }
}

/// The last line: a message, or hints with the `filter` before them.
fn bottom(app: &App, theme: &Theme, area: Rect, filter: bool, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    if let Some(message) = app.message() {
        let text = text::escape(message.text.as_bytes());
        let style = if message.bad { theme.bad } else { theme.good };
        return spread(vec![Span::styled(cut(&text, width), style)], Vec::new(), area, buffer);
    }
    // As many hints as fit; help and the ways out before all others, at the end. Of two ways to the same, the first.
    let mut hinted = Vec::new();
    let mut is_new = |hint| {
        let is_new = !hinted.contains(&hint);
        hinted.push(hint);
        is_new
    };
    let (last, others): (Vec<_>, Vec<_>) = commands(app.may_act())
        .filter(|spec| {
            !spec.hint.is_empty() && app.key(app.mode(), spec.command).is_some() && app.is_of_use(spec.command)
        })
        .filter(|spec| is_new(spec.hint))
        .partition(|spec| matches!(spec.command, Command::Help | Command::Back | Command::Quit));
    let hint = |spec: &Spec| {
        let key = app.key(app.mode(), spec.command).unwrap_or_default();
        [Span::styled(key, theme.accent), Span::styled(format!(" {}  ", spec.hint), theme.plain)]
    };
    let (last, others): (Vec<_>, Vec<_>) =
        (last.into_iter().map(hint).collect(), others.into_iter().map(hint).collect());
    let columns = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let wanted = |hints: &[[Span<'_>; 2]]| hints.iter().map(|spans| columns(spans)).sum::<usize>();
    let hints = wanted(&last) + if app.mode() == Mode::Filter { wanted(&others) } else { 0 };
    let mut start = Vec::new();
    if app.mode() == Mode::HelpSearch {
        start = help::search_line(app, theme);
    }
    if filter {
        start = FilterLine::new(app, width, hints, true).spans(app, theme);
    }
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
