//! The tree: a heading, and a row for each visible process.

mod cell;
mod hit;

use std::cmp::Reverse;

use ptree_core::{Comm, Fact, Lineage, Origin, Row, RowId, Sort, Summary, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::breadcrumb;
use super::cells::{cut, left, right, skip};
use crate::action::{Command, Mode};
use crate::app::{App, Capture};
use crate::column::{Column, Side};
use crate::label;
use crate::measure::width as columns;
use crate::screen::theme::Theme;

use self::cell::{Cells, Joined};
pub(super) use self::hit::hit;

/// Columns that COMMAND has at least, before any other is dropped.
const COMMAND_MIN: usize = 30;
/// Columns of a command that guides leave for its name.
const NAME_MIN: usize = 12;
/// Levels that have room in guides at least, before any is drawn two columns wide.
const NARROW_MIN: usize = 8;
/// Columns before what is said beside COMMAND.
const GAP: usize = 2;
/// Columns that are kept for the way to a subtree; with less, nothing is said that could be told from its beginning.
const TRAIL_MIN: usize = 8;
/// How long a new process is marked as such, nanoseconds.
const YOUNG_NS: u64 = 2_000_000_000;

/// The word above a column and the gap behind it, in which a mark stands where rows are sorted by the column.
fn heading(app: &App, column: Column, sort: Sort) -> String {
    let (spec, width) = (column.spec(), app.column_width(column));
    let mark = mark(sort, spec.fact);
    match spec.side {
        Side::Left => left(&format!("{}{mark}", spec.heading), width + 1),
        Side::Right => format!("{}{}", right(spec.heading, width), if mark.is_empty() { " " } else { mark }),
    }
}

/// What stands beside a heading where rows are sorted by it, unless that is as usual.
fn mark(sort: Sort, by: Fact) -> &'static str {
    match sort {
        _ if by != sort.by || sort == Sort::default() => "",
        sort => way(sort.descends()),
    }
}

/// The mark of an order: with the most at the top, or with the least.
pub(super) const fn way(descends: bool) -> &'static str {
    if descends { "▾" } else { "▴" }
}

/// The columns that fit beside COMMAND, left to right, and the columns left for it.
pub(super) fn fitting(app: &App, screen: usize) -> (Vec<Column>, usize) {
    let mut by_worth: Vec<Column> = app.filled_columns().collect();
    by_worth.sort_by_key(|column| Reverse(column.spec().worth));
    let mut room = screen.saturating_sub(COMMAND_MIN);
    let fits = |column: &&Column| {
        let rest = room.checked_sub(app.column_width(**column) + 1);
        room = rest.unwrap_or(room);
        rest.is_some()
    };
    // Most important first: after the one that does not fit, none is worth enough.
    let fitting: Vec<Column> = by_worth.iter().take_while(fits).copied().collect();
    let columns: Vec<Column> = app.filled_columns().filter(|column| fitting.contains(column)).collect();
    let used: usize = columns.iter().map(|column| app.column_width(*column) + 1).sum();
    (columns, screen.saturating_sub(used))
}

/// Heading and rows.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (columns, command) = fitting(app, usize::from(area.width));
    let mut lines = area.rows();
    let Some(first) = lines.next() else { return };
    let sort = app.look().sort;
    let mut heading: Vec<Span<'_>> =
        columns.iter().map(|column| Span::styled(heading(app, *column, sort), theme.heading)).collect();
    let name = format!("COMMAND{}", mark(sort, Fact::Name));
    let room = command.saturating_sub(self::columns(&name));
    heading.push(Span::styled(name, theme.heading));
    about(app, theme, &columns, room, &mut heading);
    buffer.set_line(first.x, first.y, &Line::from(heading), first.width);

    let list = app.list();
    if list.rows().is_empty() {
        return empty(app, theme, area, buffer);
    }
    let window = list.offset()..list.offset() + usize::from(area.height.saturating_sub(1));
    // More levels than there are columns cannot be drawn.
    list.rows().window(window, command, |index, row, guides| {
        let Some(line) = lines.next() else { return };
        let mut spans = Vec::new();
        let shown = &columns;
        let columns = columns.iter();
        match (row.id, row.summary) {
            (RowId::Joined { comm, .. }, Some(summary)) => {
                let cells = Joined { app, theme, row, summary };
                spans
                    .extend(columns.flat_map(|&column| [cells.cell(column, app.column_width(column)), Span::raw(" ")]));
                cells.command(comm, guides, command, shown, &mut spans);
            }
            (id, _) => {
                let Some(process) = app.tree().get(id.nearest()) else { return };
                let cells = Cells { app, theme, process, row };
                spans
                    .extend(columns.flat_map(|&column| [cells.cell(column, app.column_width(column)), Span::raw(" ")]));
                cells.command(guides, command, &mut spans);
            }
        }
        if index == list.index() {
            buffer.set_style(line, theme.selected);
            spans = spans.into_iter().map(|span| Span::styled(span.content, theme.selected)).collect();
        }
        buffer.set_line(line.x, line.y, &Line::from(spans), line.width);
    });
}

/// How the tree is looked at, and the way to what is shown alone, which may be long: order and shape, where they are not as
/// usual, come before it, all else behind it.
fn about(app: &App, theme: &Theme, columns: &[Column], mut room: usize, spans: &mut Vec<Span<'static>>) {
    let way = |room: usize| breadcrumb::trail(app, room.saturating_sub(GAP)).map(|trail| format!("  {trail}"));
    let least = way(0).map_or(0, |_| TRAIL_MIN);
    let by = app.look().sort.by;
    let is_marked = by == Fact::Name || columns.iter().any(|column| column.fact() == by);
    // Before a way, what a heading tells already can wait.
    let first = |brief| said(&arranged(app, brief, least == 0 || !is_marked));
    let fits = |words: &String| self::columns(words) + least <= room;
    let mut first = [first(false), first(true)].into_iter().find(fits).unwrap_or_else(|| first(true));
    let mut rest = options(app);
    let way = way(room.saturating_sub(self::columns(&first)));
    if way.is_none() && !first.is_empty() && !rest.is_empty() {
        first += &format!(", {}", std::mem::take(&mut rest).join(", "));
    }
    let pieces = [(first, theme.dim), (way.unwrap_or_default(), theme.strong), (said(&rest), theme.dim)];
    for (text, style) in pieces {
        // A word cut off at its beginning would say nothing.
        if room >= TRAIL_MIN && !text.trim_end().is_empty() {
            let text = cut(&text, room);
            room -= self::columns(&text).min(room);
            spans.push(Span::styled(text, style));
        }
    }
}

/// Words behind a gap, if there are any.
fn said(words: &[String]) -> String {
    if words.is_empty() { String::new() } else { format!("  {}", words.join(", ")) }
}

/// In what order and shape rows are shown, where it is not the usual one; `brief` where there is little room.
fn arranged(app: &App, brief: bool, sort: bool) -> Vec<String> {
    let look = app.look();
    let shape = match look.lineage {
        _ if look.flat => Some(if brief { "one list" } else { "all as one list" }),
        Lineage::Forked => None,
        Lineage::Kernel => Some("by kernel parent"),
    };
    sorted(look.sort, brief).filter(|_| sort).into_iter().chain(shape.map(str::to_owned)).collect()
}

/// What else rows do not tell themselves of how they are looked at.
fn options(app: &App) -> Vec<String> {
    let look = app.look();
    let mut words = Vec::new();
    let mut say = |holds: bool, word: &str| words.extend(holds.then(|| word.to_owned()));
    say(look.lineage == Lineage::Forked && !look.flat, "by forker");
    say(look.join_from == 0 && !look.flat, "none joined");
    say(!look.dead, "dead hidden");
    say(look.kernel, "kernel threads");
    words.extend(Some(app.tagged()).filter(|&tagged| tagged > 0).map(|tagged| format!("{tagged} tagged")));
    words.extend(look.filter.uid().map(|uid| format!("only {}", app.users().shown(uid))));
    words.extend((app.sideways() > 0).then(|| "scrolled".to_owned()));
    words
}

/// How siblings are sorted, where that is not the usual way.
fn sorted(sort: Sort, brief: bool) -> Option<String> {
    let (begin, way) = (if brief { "" } else { "sorted " }, if sort.reversed { " reversed" } else { "" });
    (sort != Sort::default()).then(|| format!("{begin}by {}{way}", sort.by.name()))
}

/// Says why there is no row.
fn empty(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let filter = &app.look().filter;
    let key = |command| app.key(app.mode(), command).or(app.key(Mode::Tree, command)).unwrap_or("?");
    let drop = if app.mode() == Mode::Filter { Command::CancelFilter } else { Command::ClearFilter };
    let lines = if !filter.text().is_empty() && !app.tree().is_empty() {
        let nothing = format!("Nothing matches '{}'.", text::readable(filter.text().as_bytes()));
        [nothing, format!("{} drops the filter.", key(drop))]
    } else {
        match app.capture() {
            Capture::Waiting => {
                ["Looking at what is running…".to_owned(), "Processes appear as soon as they are known.".to_owned()]
            }
            Capture::Running => {
                let (dead, kernel) = (key(Command::Dead), key(Command::Kernel));
                ["No process to show.".to_owned(), format!("{dead} shows the dead, {kernel} kernel threads.")]
            }
            Capture::Ended(Ok(())) => ["The capture ended without any process.".to_owned(), String::new()],
            Capture::Ended(Err(error)) => ["The capture failed:".to_owned(), error.clone()],
        }
    };
    let keys = format!("{} tells all keys, {} leaves.", key(Command::Help), key(Command::Quit));
    let middle = area.y + area.height / 2;
    let lines = lines.iter().zip([theme.plain; 2]).chain([(&keys, theme.dim)]);
    for ((text, style), y) in lines.zip(middle..area.bottom()) {
        let line = Line::styled(cut(text, usize::from(area.width)), style).centered();
        ratatui::widgets::Widget::render(line, Rect { y, height: 1, ..area }, buffer);
    }
}

impl Joined<'_> {
    /// Name and number, what failed below, how many of them can still be looked at, and what none of the columns `shown`
    /// tells of all of them.
    fn command(&self, comm: Comm, guides: &[bool], width: usize, shown: &[Column], spans: &mut Vec<Span<'static>>) {
        let (theme, Summary { count, cpu_ns, longest_ns, failed, all, .. }) = (self.theme, self.summary);
        let mut writer = Writer { room: width, spans };
        let name = format!("{} ×{count}", text::readable(comm.as_bytes()));
        writer.guide(guides, self.row, theme, guide_room(width));
        writer.push(name, theme.strong);
        // What the filter leaves out below them is not to be found by unfolding.
        if all.failed > failed && self.app.look().filter.is_empty() {
            writer.push(format!("  {} failed below", label::count(all.failed - failed)), theme.bad);
        }
        if self.row.folded && u64::from(self.row.hidden) < count {
            writer.push(format!("  {} kept", self.row.hidden), theme.accent);
        }
        let is_shown = |any: &[Column]| any.iter().any(|column| shown.contains(column));
        let mut figures = Vec::new();
        if !is_shown(&[Column::Cpu, Column::Time]) {
            figures.push(format!("CPU {} in all", text::duration(cpu_ns)));
        }
        if all.cpu_ns > cpu_ns && !is_shown(&[Column::TreeTime]) {
            figures.push(format!("CPU {} with those below", text::duration(all.cpu_ns)));
        }
        if !is_shown(&[Column::Lifetime]) {
            figures.push(format!("longest {}", text::duration(longest_ns)));
        }
        if !figures.is_empty() {
            writer.push(format!("  {}", figures.join(", ")), theme.dim);
        }
    }
}

/// Puts pieces of text into a line as long as there is room.
struct Writer<'a> {
    room: usize,
    spans: &'a mut Vec<Span<'static>>,
}

impl Writer<'_> {
    fn push(&mut self, text: impl Into<String>, style: Style) {
        let text = cut(&text.into(), self.room);
        self.room -= columns(&text).min(self.room);
        self.spans.push(Span::styled(text, style));
    }

    /// The lines that lead to a row, and its fold mark.
    fn guide(&mut self, guides: &[bool], row: &Row, theme: &Theme, room: usize) {
        let folded = row.folded && row.has_children;
        let guide = guide(guides, row, folded, room);
        let (line, mark) = guide.split_at(guide.len() - if folded { "▸ ".len() } else { 0 });
        self.push(line, theme.dim);
        self.push(mark, theme.accent);
    }
}

impl Cells<'_> {
    /// Guides, fold mark, name and arguments.
    fn command(&self, guides: &[bool], width: usize, spans: &mut Vec<Span<'static>>) {
        let (theme, process, row) = (self.theme, self.process, self.row);
        let mut writer = Writer { room: width, spans };
        writer.guide(guides, row, theme, guide_room(width));
        // Behind the name it would read like an argument, and be cut off with a long one.
        if row.folded && row.has_children {
            writer.push(format!("+{} ", row.hidden), theme.accent.remove_modifier(Modifier::DIM));
        }

        let faint = self.is_faint();
        let sideways = self.app.sideways();
        let program = label::program(process);
        let past = sideways.saturating_sub(columns(&program));
        let arguments = label::arguments(process, past + width);
        let name_style = if faint { theme.dim } else { theme.strong };
        if self.app.is_tagged(process.key) {
            writer.push("*", theme.notice);
        }
        if process.origin == Origin::Inferred {
            writer.push("~", theme.bad);
        }
        writer.push(skip(&program, sideways), name_style);
        if !arguments.is_empty() {
            let gap = if past == 0 { " " } else { "" };
            writer.push(format!("{gap}{}", skip(&arguments, past)), if faint { theme.dim } else { theme.plain });
        }
    }
}

/// Columns that guides may take of those of a command.
fn guide_room(command: usize) -> usize {
    (command / 2).max(command.saturating_sub(NAME_MIN))
}

/// The lines that lead to a row, given the guides of the levels next to it: two columns for each level near the root, one
/// for each of the others. How wide a level is goes by the room alone, not by what else is on the screen: so whoever is
/// below another stands to its right, and nothing moves sideways when deep rows come and go. Where even so they would take
/// more than `room` columns, the levels next to the root give way to their number.
fn guide(guides: &[bool], row: &Row, folded: bool, room: usize) -> String {
    /// What the mark of levels left out takes.
    const NUMBER: usize = 6;
    let mut text = String::new();
    if row.depth > 0 {
        // The outermost guide would join the roots, which are not drawn as siblings.
        let above = row.depth as usize - 1;
        // Besides the row's own, which takes two where it is narrow.
        let columns = room.saturating_sub(2);
        let wide = columns.saturating_sub(NARROW_MIN) / 2;
        let fits = above <= columns - wide;
        let shown = if fits { above } else { columns.saturating_sub(NUMBER) };
        if !fits {
            text = format!("{:<4}┄ ", above - shown);
        }
        for (level, &runs) in guides[guides.len().saturating_sub(shown)..].iter().enumerate() {
            text.push(if runs { '│' } else { ' ' });
            text.push_str(if fits && level < wide { " " } else { "" });
        }
        text.push(if row.last { '└' } else { '├' });
        text.push_str(match (folded, fits && above < wide) {
            (true, _) => "",
            (false, true) => "─ ",
            (false, false) => " ",
        });
    }
    if folded {
        text.push_str("▸ ");
    }
    text
}

#[cfg(test)]
mod tests {
    use ptree_core::ProcKey;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn row(depth: u32) -> Row {
        let id = RowId::Process(ProcKey::SWAPPER);
        Row { id, depth, has_children: true, folded: false, last: true, matched: true, hidden: 0, summary: None }
    }

    #[test]
    fn guides_grow_with_depth_and_stay_within_their_room() {
        let shown = |depth: u32, folded| guide(&vec![true; depth as usize], &row(depth), folded, 18);
        assert_eq!([shown(0, false), shown(0, true)], ["", "▸ "]);
        assert_eq!([shown(1, false), shown(1, true)], ["└─ ", "└▸ "]);
        assert_eq!([shown(4, false), shown(5, false)], ["│ │ │ └─ ", "│ │ │ │ └ "]);
        assert_eq!([shown(6, false), shown(6, true)], ["│ │ │ │ │└ ", "│ │ │ │ │└▸ "]);
        assert_eq!(shown(13, false), "│ │ │ │ ││││││││└ ");
        assert_eq!(shown(14, false), "3   ┄ ││││││││││└ ");
        for depth in 0..12 {
            assert!(shown(depth, false).width() < shown(depth + 1, false).width(), "a child stands to the right");
        }
        for depth in 13..2000 {
            assert_eq!(shown(depth, false).width(), 18);
        }
        assert_eq!(guide(&[true; 9], &row(9), false, 0), "8   ┄ └ ", "however narrow it gets");
    }
}
