//! The pages on acting: what can be done, to whom it would be, and to whom it could not.

use ptree_core::{ProcKey, Process};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use rustc_hash::FxHashSet;

use super::cells::{cut, left, place, right, spread};
use crate::action::Mode;
use crate::app::{ActPage, App, Choice, choices};
use crate::label;
use crate::screen::theme::Theme;

/// Columns of a choice's name, the longest of which is `Freeze and kill`.
const NAME: usize = 16;
/// Columns of a process's name where others stand behind it.
const COMMAND_MIN: usize = 20;

/// The page that is open.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    match (app.mode(), app.act_page(), app.failures()) {
        (Mode::Acts, Some(page), _) => choose(app, page, theme, area, buffer),
        (Mode::Confirm, Some(page), _) => confirm(app, page, theme, area, buffer),
        (Mode::Report, _, Some(failures)) => {
            let mut rows = area.rows();
            let Some(first) = rows.next() else { return };
            let rest = place(failures.scroll, usize::from(area.height - 1), failures.list.len());
            spread(title(&failures.what, theme), vec![Span::styled(rest, theme.dim)], first, buffer);
            for (failed, row) in failures.list.iter().skip(failures.scroll).zip(rows) {
                let why = Span::styled(format!("  {}", failed.why), theme.bad);
                buffer.set_line(row.x, row.y, &Line::from(vec![Span::raw(failed.name.as_str()), why]), row.width);
            }
        }
        _ => {}
    }
}

fn title(text: &str, theme: &Theme) -> Vec<Span<'static>> {
    vec![Span::styled(text.to_owned(), theme.strong)]
}

/// `make [1001]`, `make [1001] and all below it: 12 processes`, `3 tagged processes`.
fn meant(app: &App, page: &ActPage) -> String {
    let count = page.whom().len() + page.protected().len();
    let name = |key: ProcKey| app.engine_tree().get(key).map_or_else(|| key.pid.to_string(), label::name_and_pid);
    match (page.roots(), page.with_subtree()) {
        ([one], false) => name(*one),
        ([one], true) => format!("{} and all below: {}", name(*one), processes(count)),
        (many, false) => format!("{} tagged", processes(many.len())),
        (many, true) => format!("{} tagged and all below: {}", many.len(), processes(count)),
    }
}

fn processes(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

fn choose(app: &App, page: &ActPage, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let choices = choices(page.typed());
    let mut rows = area.rows();
    let Some(first) = rows.next() else { return };
    let width = usize::from(area.width);
    let place = place(page.scroll(), usize::from(area.height).saturating_sub(2), choices.len());
    let heading = cut(&meant(app, page), width.saturating_sub(place.len() + 5));
    spread(title(&format!("To {heading}"), theme), vec![Span::styled(place, theme.dim)], first, buffer);
    let Some(second) = rows.next() else { return };
    let typed = if page.typed().is_empty() {
        Span::styled("type a name or a number", theme.dim)
    } else {
        Span::styled(page.typed(), theme.plain)
    };
    let none = if choices.is_empty() { "  there is no such thing" } else { "" };
    let line = vec![Span::styled("> ", theme.accent), typed, Span::styled(none, theme.bad)];
    buffer.set_line(second.x, second.y, &Line::from(line), second.width);
    for ((index, choice), row) in choices.into_iter().enumerate().skip(page.scroll()).zip(rows) {
        let number = choice.number().map(|number| number.to_string()).unwrap_or_default();
        let mut line = Line::from(vec![
            Span::styled(right(&number, 4), theme.accent),
            Span::raw(format!("  {} ", left(&choice.name(), NAME))),
            Span::styled(choice.about(), theme.dim),
        ]);
        if index == page.index() {
            buffer.set_style(row, theme.selected);
            line = line.style(theme.selected);
        }
        buffer.set_line(row.x, row.y, &line, row.width);
    }
}

/// `Send SIGTERM (15) to`, `Freeze`.
fn deed(choice: Choice) -> String {
    match choice.number() {
        Some(number) => format!("Send {} ({number}) to", choice.name()),
        None => choice.name(),
    }
}

fn confirm(app: &App, page: &ActPage, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(choice) = page.choice() else { return };
    let mut rows = area.rows();
    let Some(first) = rows.next() else { return };
    let tree = app.engine_tree();
    let width = usize::from(area.width);
    let place = place(page.scroll(), usize::from(area.height).saturating_sub(2), page.whom().len());
    let question = cut(&format!("{} {}?", deed(choice), meant(app, page)), width.saturating_sub(place.len() + 1));
    spread(title(&question, theme), vec![Span::styled(place, theme.dim)], first, buffer);
    let Some(second) = rows.next() else { return };
    let line = account(app, page, choice, theme, usize::from(second.width));
    spread(line, Vec::new(), second, buffer);
    let user = |process: &Process| app.users().shown(process.creds().uid);
    for (&key, row) in page.whom().iter().skip(page.scroll()).zip(rows) {
        let Some(process) = tree.get(key) else { continue };
        let pid = right(&key.pid.to_string(), app.pid_digits());
        let mut line = vec![Span::raw(format!("{pid} "))];
        if width > app.pid_digits() + 25 + COMMAND_MIN {
            let (status, tone) = label::status(process);
            line.push(Span::raw(format!("{} ", left(&user(process), 8))));
            line.push(Span::styled(format!("{} ", left(&status, 12)), theme.tone(tone)));
        } else {
            line.push(Span::raw(format!("{} ", left(&user(process), 8))));
        }
        let arguments = label::arguments(process, width);
        line.push(Span::styled(label::program(process), theme.strong));
        line.push(Span::raw(format!(" {arguments}")));
        buffer.set_line(row.x, row.y, &Line::from(line), row.width);
    }
}

/// The line below the question: how many of how many users, and who is left out or hit although protected.
fn account(app: &App, page: &ActPage, choice: Choice, theme: &Theme, width: usize) -> Vec<Span<'static>> {
    let tree = app.engine_tree();
    let users: FxHashSet<u32> =
        page.whom().iter().filter_map(|&key| tree.get(key)).map(|process| process.creds().uid).collect();
    let mut line = match (page.whom().len(), users.len()) {
        (0, _) => vec![Span::styled("Nobody is left to do it to.", theme.bad)],
        (1, _) => Vec::new(),
        (count, 1) => vec![Span::raw(format!("{count} processes of one user."))],
        (count, users) => vec![Span::raw(format!("{count} processes of {users} users."))],
    };
    if !line.is_empty() {
        line.push(Span::raw(" "));
    }
    if let [(key, why), others @ ..] = page.protected() {
        let name = tree.get(*key).map_or_else(|| key.pid.to_string(), label::name_and_pid);
        let more = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
        let how = if choice.may_hit_protected() { " unless !" } else { "" };
        let out = page.protected().len();
        let used: usize = line.iter().map(Span::width).sum();
        let text = format!("{out} left out{how}: {name} ({why}){more}");
        line.push(Span::styled(cut(&text, width.saturating_sub(used)), theme.notice));
    } else if page.meets_protected() {
        line.push(Span::styled("Even those that are protected!", theme.alert));
    }
    line
}
