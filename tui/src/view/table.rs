//! The tree: a heading, and a row for each visible process.

mod cell;
mod hit;

use std::cmp::Reverse;

use ptree_core::{Comm, Lineage, Origin, Row, RowId, Sort, SortKey, Summary, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::breadcrumb;
use super::cells::{cut, left, right, skip};
use super::theme::Theme;
use crate::action::{Command, Mode};
use crate::app::{App, Capture};
use crate::column::{Column, Side};
use crate::columns::width as columns;
use crate::label;

use self::cell::{Cells, Joined};
pub(crate) use self::hit::{Hit, hit};

/// Columns that COMMAND has at least, before any other is dropped.
const COMMAND_MIN: usize = 30;
/// How long a new process is marked as such, nanoseconds.
const YOUNG_NS: u64 = 2_000_000_000;

/// Columns of the screen that a column takes.
pub(super) fn width(app: &App, column: Column) -> usize {
    match (app.columns().width(column), column.spec().width) {
        (Some(width), _) => width.into(),
        (None, 0) => app.pid_digits(),
        (None, width) => width.into(),
    }
}

/// The word above a column and the gap behind it, in which a mark stands where rows are sorted by the column.
fn heading(app: &App, column: Column, sort: Sort) -> String {
    let (spec, width) = (column.spec(), width(app, column));
    let mark = mark(sort, spec.sort);
    match spec.side {
        Side::Left => left(&format!("{}{mark}", spec.heading), width + 1),
        Side::Right => format!("{}{}", right(spec.heading, width), if mark.is_empty() { " " } else { mark }),
    }
}

/// What stands beside a heading where rows are sorted by it, unless that is as usual.
fn mark(sort: Sort, by: Option<SortKey>) -> &'static str {
    match sort {
        _ if by != Some(sort.by) || sort == Sort::default() => "",
        Sort { reversed: false, .. } => "▾",
        Sort { reversed: true, .. } => "▴",
    }
}

/// The columns that fit beside COMMAND, left to right, and the columns left for it.
pub(super) fn fitting(app: &App, screen: usize) -> (Vec<Column>, usize) {
    let wanted = || app.columns().shown().iter().copied().filter(|column| !column.is_blank(&app.header().degraded));
    let mut by_worth: Vec<Column> = wanted().collect();
    by_worth.sort_by_key(|column| Reverse(column.spec().worth));
    let mut room = screen.saturating_sub(COMMAND_MIN);
    let fits = |column: &&Column| {
        let rest = room.checked_sub(width(app, **column) + 1);
        room = rest.unwrap_or(room);
        rest.is_some()
    };
    // Most important first: after the one that does not fit, none is worth enough.
    let fitting: Vec<Column> = by_worth.iter().take_while(fits).copied().collect();
    let columns: Vec<Column> = wanted().filter(|column| fitting.contains(column)).collect();
    let used: usize = columns.iter().map(|column| width(app, *column) + 1).sum();
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
    heading.push(Span::styled(format!("COMMAND{}", mark(sort, Some(SortKey::Name))), theme.heading));
    let trail = breadcrumb::trail(app, command.saturating_sub(9));
    let room = command.saturating_sub(7 + trail.as_ref().map_or(0, |trail| crate::columns::width(trail) + 2));
    heading.extend(trail.map(|trail| Span::styled(format!("  {trail}"), theme.strong)));
    // A word cut off at its beginning would say nothing.
    if room >= 8 {
        heading.push(Span::styled(cut(&shown(app), room), theme.dim));
    }
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
        let columns = columns.iter();
        match (row.id, row.summary) {
            (RowId::Joined { comm, .. }, Some(summary)) => {
                let cells = Joined { app, theme, row, summary };
                spans.extend(columns.flat_map(|&column| [cells.cell(column, width(app, column)), Span::raw(" ")]));
                cells.command(comm, guides, command, &mut spans);
            }
            (id, _) => {
                let Some(process) = app.tree().get(id.nearest()) else { return };
                let cells = Cells { app, theme, process, row };
                spans.extend(columns.flat_map(|&column| [cells.cell(column, width(app, column)), Span::raw(" ")]));
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

/// How the tree is looked at, where that is not told by the rows themselves.
fn shown(app: &App) -> String {
    let options = app.look();
    let sort = sorted(options.sort);
    // What is not as usual comes first, where there is room for it.
    let mut words: Vec<&str> = sort.as_deref().into_iter().collect();
    words.push(match options.lineage {
        _ if options.flat => "all as one list",
        Lineage::Forked => "by forker",
        Lineage::Kernel => "by kernel parent",
    });
    if options.join_from == 0 && !options.flat {
        words.push("none joined");
    }
    if !options.dead {
        words.push("dead hidden");
    }
    if options.kernel {
        words.push("kernel threads");
    }
    let tagged = Some(app.tagged()).filter(|&tagged| tagged > 0).map(|tagged| format!("{tagged} tagged"));
    words.extend(tagged.as_deref());
    let user = options.filter.uid().map(|uid| format!("only {}", app.users().shown(uid)));
    words.extend(user.as_deref());
    if app.sideways() > 0 {
        words.push("scrolled");
    }
    format!("  {}", words.join(", "))
}

/// How siblings are sorted, where that is not the usual way.
fn sorted(sort: Sort) -> Option<String> {
    let way = if sort.reversed { " reversed" } else { "" };
    (sort != Sort::default()).then(|| format!("sorted by {}{way}", sort.by.name()))
}

/// Says why there is no row.
fn empty(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let filter = &app.look().filter;
    let key = |command| app.key(app.mode(), command).or(app.key(Mode::Tree, command)).unwrap_or("?");
    let drop = if app.mode() == Mode::Filter { Command::CancelFilter } else { Command::ClearFilter };
    let lines = if !filter.text().is_empty() && !app.tree().is_empty() {
        let nothing = format!("Nothing matches '{}'.", text::escape(filter.text().as_bytes()));
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
    /// Name and number, how many of them can still be looked at, and what the columns mean.
    fn command(&self, comm: Comm, guides: &[bool], width: usize, spans: &mut Vec<Span<'static>>) {
        let (theme, Summary { count, cpu_ns, longest_ns, failed, all, .. }) = (self.theme, self.summary);
        let mut writer = Writer { room: width, spans };
        let name = format!("{} ×{count}", text::escape(comm.as_bytes()));
        // The number is worth more than the levels above.
        writer.guide(guides, self.row, theme, (width / 2).min(width.saturating_sub(columns(&name))));
        writer.push(name, theme.strong);
        if self.row.folded && u64::from(self.row.hidden) < count {
            writer.push(format!("  {} kept", self.row.hidden), theme.accent);
        }
        // What the filter leaves out below them is not to be found by unfolding.
        if all.failed > failed && self.app.look().filter.is_empty() {
            writer.push(format!("  {} failed below", label::count(all.failed - failed)), theme.bad);
        }
        let (cpu, longest) = (text::duration(cpu_ns), text::duration(longest_ns));
        let below = match all.cpu_ns {
            more if more > cpu_ns => format!(" ({} with those below)", text::duration(more)),
            _ => String::new(),
        };
        writer.push(format!("  CPU {cpu} in all{below}, longest {longest}"), theme.dim);
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
        writer.guide(guides, row, theme, width / 2);
        let folded = row.folded && row.has_children;

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
        if folded {
            writer.push(format!(" +{}", row.hidden), theme.accent.remove_modifier(Modifier::DIM));
        }
        if !arguments.is_empty() {
            let gap = if past == 0 || folded { " " } else { "" };
            writer.push(format!("{gap}{}", skip(&arguments, past)), if faint { theme.dim } else { theme.plain });
        }
    }
}

/// The lines that lead to a row, given the guides of the levels next to it. Where they would take more than `room` columns, the levels next to the root give way
/// to their number.
fn guide(guides: &[bool], row: &Row, folded: bool, room: usize) -> String {
    let mut text = String::new();
    if row.depth > 0 {
        // The outermost guide would join the roots, which are not drawn as siblings.
        let above = row.depth as usize - 1;
        // Two columns a level and three for the row's own; the number takes six, three levels' worth.
        let levels = room.saturating_sub(3) / 2;
        let shown = if above > levels { levels.saturating_sub(3) } else { above };
        if shown < above {
            text = format!("{:<4}┄ ", above - shown);
        }
        for &runs in &guides[guides.len().saturating_sub(shown)..] {
            text.push_str(if runs { "│ " } else { "  " });
        }
        text.push(if row.last { '└' } else { '├' });
        text.push_str(if folded { "" } else { "─ " });
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
        let shown = |depth: u32, folded| guide(&vec![true; depth as usize], &row(depth), folded, 15);
        assert_eq!([shown(0, false), shown(0, true)], ["", "▸ "]);
        assert_eq!([shown(1, false), shown(1, true)], ["└─ ", "└▸ "]);
        assert_eq!(shown(7, false), "│ │ │ │ │ │ └─ ");
        assert_eq!(shown(8, false), "4   ┄ │ │ │ └─ ");
        assert_eq!(shown(9, false), "5   ┄ │ │ │ └─ ");
        for depth in 0..2000 {
            assert_eq!(shown(depth, false).width(), (depth as usize * 2 + 1).min(15) - usize::from(depth == 0));
        }
        assert_eq!(guide(&[true; 9], &row(9), false, 0), "8   ┄ └─ ", "however narrow it gets");
    }
}
