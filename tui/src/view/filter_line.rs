//! The line in which a filter is typed, and below it what is wrong with it or what it could become.

use ptree_core::text::readable;
use ratatui::style::Modifier;
use ratatui::text::Span;

use super::cells::cut;
use crate::action::{Command, Mode};
use crate::app::App;
use crate::measure::{end, width as columns};
use crate::screen::theme::Theme;

/// More completions than this are no choice.
const CHOICE_MAX: usize = 12;

/// A filter as it is shown.
pub(super) struct FilterLine {
    /// What is in sight of it, with `…` before it if that is not all: before, in and after the part that is wrong.
    parts: [String; 3],
    /// What is said behind it.
    after: String,
}

impl FilterLine {
    /// Of a long text the end is shown, so that as many columns are left for `hints`, but no less of it than three tenths of
    /// the line. Where it is `alone`, without advice below, it says itself what is wrong.
    pub(super) fn new(app: &App, width: usize, hints: usize, alone: bool) -> Self {
        let line = app.filter_line();
        let wrong = app.filter_error().map_or(line.len()..line.len(), |error| error.range());
        let after = match app.filter_error() {
            _ if line.is_empty() => "  a text, or as in comm=make cpu>50%  ".to_owned(),
            Some(error) if alone => format!("  {}  ", error.message()),
            Some(_) => String::new(),
            None => match app.list().rows().wanted() {
                1 => "  1 match  ".to_owned(),
                count => format!("  {count} matches  "),
            },
        };
        let cursor = if app.mode() == Mode::Filter { " " } else { "" };
        let others = "/".len() + cursor.len() + columns(&after) + hints;
        let room = width.saturating_sub(others).max(width * 3 / 10);
        let mut parts = [0..wrong.start, wrong.clone(), wrong.end..line.len()]
            .map(|range| readable(line.as_bytes().get(range).unwrap_or_default()).into_owned());
        let mut excess = parts.iter().map(|part| columns(part)).sum::<usize>().saturating_sub(room);
        if excess > 0 {
            // One column more, for the mark.
            excess += 1;
            for part in &mut parts {
                let kept = end(part, columns(part).saturating_sub(excess)).to_owned();
                excess = excess.saturating_sub(columns(part) - columns(&kept));
                *part = kept;
            }
            parts[0].insert(0, '…');
        }
        Self { parts, after }
    }

    pub(super) fn spans(&self, app: &App, theme: &Theme) -> Vec<Span<'static>> {
        let wrong = theme.bad.add_modifier(Modifier::UNDERLINED);
        let [before, place, behind] = self.parts.clone();
        let cursor = if app.mode() == Mode::Filter { " " } else { "" };
        vec![
            Span::styled("/", theme.accent),
            Span::styled(before, theme.strong),
            Span::styled(place, wrong),
            Span::styled(behind, theme.strong),
            Span::styled(cursor, theme.selected),
            Span::styled(self.after.clone(), theme.dim),
        ]
    }

    /// What stands below the line, if there is something to say: the error with carets under its place, unless what is
    /// typed may yet become something.
    pub(super) fn advice(&self, app: &App, theme: &Theme, width: usize) -> Option<Vec<Span<'static>>> {
        let offer = offer(app, theme);
        match app.filter_error() {
            Some(error) if offer.is_none() || !error.is_unfinished() => {
                let style = if error.is_unfinished() { theme.dim } else { theme.bad };
                Some(vec![Span::styled(self.pointed_out(error.message(), width), style)])
            }
            _ => offer,
        }
    }

    /// Carets under the place, and the message on that side of them on which it has room; where it has none, the message
    /// alone: the place is underlined as well.
    fn pointed_out(&self, message: &str, width: usize) -> String {
        let [before, place, _] = &self.parts;
        let indent = "/".len() + columns(before);
        let carets = "^".repeat(columns(place).max(1));
        let needed = columns(message) + 1;
        if indent + carets.len() + needed <= width {
            format!("{}{carets} {message}", " ".repeat(indent))
        } else if needed <= indent {
            format!("{}{message} {carets}", " ".repeat(indent - needed))
        } else {
            cut(message, width)
        }
    }
}

/// What the last word could become, where that is a choice.
fn offer(app: &App, theme: &Theme) -> Option<Vec<Span<'static>>> {
    let completion = app.completion();
    let typed = app.filter_line().get(completion.range.clone())?;
    let one = |text: String| Span::styled(text, theme.strong);
    let key = app.key(Mode::Filter, Command::Complete).map_or_else(String::new, |key| format!("{key} "));
    let key = Span::styled(key, theme.accent);
    match &completion.candidates[..] {
        [only] if only.text == typed && only.description.is_empty() => None,
        [only] if only.text == typed => Some(vec![one(format!("{}  ", only.text)), about(only.description, theme)]),
        [only] => Some(vec![key, one(format!("{}  ", only.text)), about(only.description, theme)]),
        [] => None,
        more if more.len() <= CHOICE_MAX => {
            let names: Vec<_> = more.iter().map(|candidate| candidate.text.as_ref()).collect();
            Some(vec![key, one(names.join("  "))])
        }
        _ => None,
    }
}

fn about(description: &'static str, theme: &Theme) -> Span<'static> {
    Span::styled(description, theme.dim)
}
