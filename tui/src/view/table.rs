//! The tree: a heading, and a row for each visible process.

mod hit;

use ptree_core::{Comm, ExitStatus, Lifecycle, Lineage, Origin, Process, Row, RowId, Sort, Summary, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::breadcrumb;
use super::cells::{cut, left, right, skip};
use super::theme::Theme;
use crate::action::{Command, Mode};
use crate::app::{App, Capture};
use crate::columns::width as columns;
use crate::label;

pub(crate) use self::hit::{Hit, hit};

/// Columns that COMMAND has at least, before any other is dropped.
const COMMAND_MIN: usize = 30;
/// How long a new process is marked as such, nanoseconds.
const YOUNG_NS: u64 = 2_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Pid,
    User,
    Start,
    Lifetime,
    Cpu,
    Time,
    Rss,
    Status,
}

/// Left to right.
const COLUMNS: [Column; 8] = [
    Column::Pid,
    Column::User,
    Column::Start,
    Column::Lifetime,
    Column::Cpu,
    Column::Time,
    Column::Rss,
    Column::Status,
];

/// Most important first: those that do not fit any more are left out.
const BY_WORTH: [Column; 8] = [
    Column::Pid,
    Column::Status,
    Column::Lifetime,
    Column::User,
    Column::Cpu,
    Column::Rss,
    Column::Start,
    Column::Time,
];

impl Column {
    fn width(self, app: &App) -> usize {
        match self {
            Self::Pid => app.pid_digits(),
            Self::User | Self::Start | Self::Lifetime => 8,
            Self::Cpu | Self::Rss => 5,
            Self::Time => 7,
            Self::Status => 12,
        }
    }

    fn heading(self, width: usize) -> String {
        match self {
            Self::Pid => right("PID", width),
            Self::User => left("USER", width),
            Self::Start => left("START", width),
            Self::Lifetime => right("LIFETIME", width),
            Self::Cpu => right("CPU", width),
            Self::Time => right("TIME", width),
            Self::Rss => right("RSS", width),
            Self::Status => left("STATUS", width),
        }
    }
}

/// The columns that fit beside COMMAND, left to right, and the columns left for it.
fn fitting(app: &App, width: usize) -> (Vec<Column>, usize) {
    let mut room = width.saturating_sub(COMMAND_MIN);
    let mut chosen = Vec::new();
    for column in BY_WORTH {
        let needed = column.width(app) + 1;
        if needed > room {
            break;
        }
        room -= needed;
        chosen.push(column);
    }
    let columns: Vec<Column> = COLUMNS.into_iter().filter(|column| chosen.contains(column)).collect();
    let used: usize = columns.iter().map(|column| column.width(app) + 1).sum();
    (columns, width.saturating_sub(used))
}

/// Heading and rows.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (columns, command) = fitting(app, usize::from(area.width));
    let mut lines = area.rows();
    let Some(first) = lines.next() else { return };
    let mut heading: Vec<Span<'_>> =
        columns.iter().map(|column| Span::styled(column.heading(column.width(app)) + " ", theme.heading)).collect();
    heading.push(Span::styled("COMMAND", theme.heading));
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
                spans.extend(columns.flat_map(|&column| [cells.cell(column), Span::raw(" ")]));
                cells.command(comm, guides, command, &mut spans);
            }
            (id, _) => {
                let Some(process) = app.tree().get(id.nearest()) else { return };
                let cells = Cells { app, theme, process, row };
                spans.extend(columns.flat_map(|&column| [cells.cell(column), Span::raw(" ")]));
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

struct Cells<'a> {
    app: &'a App,
    theme: &'a Theme,
    process: &'a Process,
    row: &'a Row,
}

/// A row that stands for many.
struct Joined<'a> {
    app: &'a App,
    theme: &'a Theme,
    row: &'a Row,
    summary: Summary,
}

impl Joined<'_> {
    /// What the column says of all of them: the start of the first, the longest life, the CPU time of all.
    fn cell(&self, column: Column) -> Span<'static> {
        let Self { app, theme, summary, .. } = self;
        let width = column.width(app);
        let text = match column {
            Column::Pid | Column::Rss => right("-", width),
            Column::User => left("-", width),
            Column::Start => left(&app.wall().short(summary.first.start_ns, app.shown_ns()), width),
            Column::Lifetime => right(&text::duration(summary.longest_ns), width),
            Column::Cpu | Column::Time => right(&label::duration(summary.cpu_ns, width), width),
            Column::Status if summary.failed > 0 => {
                let failed = left(&format!("{} failed", label::count(summary.failed)), width);
                return Span::styled(failed, theme.tone(label::Tone::Bad));
            }
            Column::Status => left("finished", width),
        };
        Span::styled(text, theme.dim)
    }

    /// Name and number, how many of them can still be looked at, and what the columns mean.
    fn command(&self, comm: Comm, guides: &[bool], width: usize, spans: &mut Vec<Span<'static>>) {
        let (theme, Summary { count, cpu_ns, longest_ns, .. }) = (self.theme, self.summary);
        let mut writer = Writer { room: width, spans };
        let name = format!("{} ×{count}", text::escape(comm.as_bytes()));
        // The number is worth more than the levels above.
        writer.guide(guides, self.row, theme, (width / 2).min(width.saturating_sub(columns(&name))));
        writer.push(name, theme.strong);
        if self.row.folded && u64::from(self.row.hidden) < count {
            writer.push(format!("  {} kept", self.row.hidden), theme.accent);
        }
        let (cpu, longest) = (text::duration(cpu_ns), text::duration(longest_ns));
        writer.push(format!("  CPU {cpu} in all, longest {longest}"), theme.dim);
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
    /// One cell, padded to its column.
    fn cell(&self, column: Column) -> Span<'static> {
        let (process, theme) = (self.process, self.theme);
        let width = column.width(self.app);
        let shown = self.app.shown_ns();
        let base = if self.is_faint() { theme.dim } else { theme.plain };
        match column {
            Column::Pid => {
                let young =
                    process.is_alive() && process.origin == Origin::Forked && process.lifetime_ns(shown) < YOUNG_NS;
                Span::styled(right(&process.key.pid.to_string(), width), if young { theme.good } else { base })
            }
            Column::User => Span::styled(left(&self.app.users().shown(process.creds().uid), width), base),
            Column::Start => Span::styled(left(&self.app.wall().short(process.key.start_ns, shown), width), base),
            Column::Lifetime => Span::styled(right(&text::duration(process.lifetime_ns(shown)), width), base),
            Column::Cpu => Span::styled(right(&self.cpu(width), width), base),
            Column::Time => Span::styled(right(&self.time(width), width), base),
            Column::Rss => Span::styled(right(&self.rss(), width), base),
            Column::Status => {
                let (status, tone) = label::status(process);
                Span::styled(left(&status, width), theme.tone(tone))
            }
        }
    }

    /// Dead, or there only for the sake of a match below it.
    fn is_faint(&self) -> bool {
        !self.process.is_alive() || !self.row.matched
    }

    /// Whether the CPU time of a dead process is known: a zombie still tells it, one that is gone does not.
    fn is_complete(&self) -> bool {
        !matches!(self.process.life(), Lifecycle::Exited { inferred: true, status: ExitStatus::Unknown, .. })
    }

    /// The share of the living, the time of the dead.
    fn cpu(&self, width: usize) -> String {
        match self.process.is_alive() {
            true if self.process.is_measured() => label::percent(self.process.cpu_share()),
            true => "-".to_owned(),
            false => self.time(width),
        }
    }

    fn time(&self, width: usize) -> String {
        match self.process.is_alive() {
            true if !self.process.is_measured() => "-".to_owned(),
            false if !self.is_complete() => "?".to_owned(),
            _ => label::duration(self.process.cost().cpu_ns, width),
        }
    }

    /// The present size of the living, the peak of the dead.
    fn rss(&self) -> String {
        let size = if self.process.is_alive() { self.process.rss_bytes() } else { self.process.cost().max_rss_bytes };
        size.map_or_else(|| "-".to_owned(), text::bytes)
    }

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
