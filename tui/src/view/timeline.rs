//! The tree beside a shared axis of time, on which each row's lifetime is a bar.

use ptree_core::{Lifecycle, Process, Row, RowId, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells::cut;
use super::table;
use crate::app::App;
use crate::label::{self, Tone};
use crate::screen::theme::Theme;

/// With fewer columns there is the tree alone.
const BARS_FROM: u16 = 30;
/// Columns from one label of the axis to the next, at least.
const LABEL_MIN: i128 = 14;

/// All of it.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.width < BARS_FROM {
        return table::draw(app, theme, area, buffer);
    }
    let names = Rect { width: (area.width * 2 / 5).min(90) - 1, ..area };
    table::draw(app, theme, names, buffer);
    let bars = Rect { x: names.right() + 1, width: area.width - names.width - 1, ..area };
    let axis = Axis { range: app.timeline().range(app.shown_ns()), width: i128::from(bars.width) };
    let mut rows = bars.rows();
    let Some(first) = rows.next() else { return };
    axis.draw(app, theme, first, buffer);
    let list = app.list();
    let window = list.offset()..list.offset() + usize::from(area.height.saturating_sub(1));
    list.rows().window(window, 0, |index, row, _| {
        let Some(area) = rows.next() else { return };
        let selected = (index == list.index()).then_some(theme.selected);
        if let Some(style) = selected {
            buffer.set_style(Rect { x: names.right(), width: bars.width + 1, ..area }, style);
        }
        axis.bar(app, theme, row, selected, area, buffer);
    });
}

/// Beside the part of time that is shown.
enum Side {
    Before,
    After,
}

/// A part of time and the columns it is spread over.
struct Axis {
    range: std::ops::Range<i128>,
    width: i128,
}

impl Axis {
    /// The column of a moment, which may lie beside the axis.
    fn column(&self, at_ns: i128) -> i128 {
        let span = (self.range.end - self.range.start).max(1);
        ((at_ns - self.range.start) * self.width).div_euclid(span)
    }

    /// Labels at round distances from the present, or at round times where the axis stands still.
    fn draw(&self, app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        let span = self.range.end - self.range.start;
        let step = step(span * LABEL_MIN / self.width.max(1));
        let follows = app.timeline().follows();
        // What is added to a time so that round numbers stand for round times.
        let shift = if follows { -self.range.end } else { app.wall().shift_ns() };
        let mut at = (self.range.start + shift).div_euclid(step) * step;
        while at - shift <= self.range.end {
            let column = self.column(at - shift);
            let text = match (follows, u64::try_from(at - shift)) {
                (true, _) if at == 0 => "now".to_owned(),
                (true, _) => format!("-{}", label::duration(u64::try_from(-at).unwrap_or(0), 0)),
                (false, Ok(time)) => app.wall().clock(time, step < 1_000_000_000),
                (false, Err(_)) => String::new(),
            };
            // The label of the present ends there; all others begin where they stand.
            let from = if at == 0 && follows { self.width - 3 } else { column };
            let fits = from >= 0 && from + i128::from(u16::try_from(text.len()).unwrap_or(u16::MAX)) < self.width;
            if (fits || at == 0 && follows)
                && let Ok(x) = u16::try_from(from)
            {
                let (tick, text) = if at == 0 && follows { ("", text) } else { ("╷", text) };
                buffer.set_stringn(area.x + x, area.y, format!("{tick}{text}"), usize::from(area.width - x), theme.dim);
            }
            at += step;
        }
    }

    fn bar(&self, app: &App, theme: &Theme, row: &Row, selected: Option<Style>, area: Rect, buffer: &mut Buffer) {
        let style = |style: Style| selected.unwrap_or(style);
        // That a row is blank would say nothing of where its time is.
        let write = |x: u16, mark: char, buffer: &mut Buffer| {
            buffer[(x, area.y)].set_char(mark).set_style(style(theme.dim));
        };
        if let Some(summary) = row.summary {
            let RowId::Joined { .. } = row.id else { return };
            let from = u16::try_from(self.column(i128::from(summary.first.start_ns)).max(0)).unwrap_or(u16::MAX);
            let longest = text::duration(summary.longest_ns);
            let text = format!("├ {} finished, longest {longest}", label::count(summary.count));
            if from >= area.width {
                write(area.right().saturating_sub(1), '›', buffer);
            } else {
                let room = usize::from(area.width - from);
                buffer.set_stringn(area.x + from, area.y, cut(&text, room), room, style(theme.dim));
            }
            return;
        }
        let Some(process) = app.tree().get(row.id.nearest()) else { return };
        match self.beside(process) {
            Some(Side::Before) => return write(area.x, '‹', buffer),
            Some(Side::After) => return write(area.right().saturating_sub(1), '›', buffer),
            None => {}
        }
        let (bar, tone) = self.shape(process);
        let tone = if row.matched { theme.tone(tone) } else { theme.dim };
        for (x, symbol) in (area.x..area.right()).zip(bar) {
            if let Some(symbol) = symbol {
                buffer[(x, area.y)].set_char(symbol).set_style(style(tone));
            }
        }
    }

    /// On which side of the axis a process lived, if all its life lies beside it.
    fn beside(&self, process: &Process) -> Option<Side> {
        let is_over = match process.life() {
            Lifecycle::Running => false,
            Lifecycle::Exited { at_ns, .. } => self.column(i128::from(at_ns)) < 0,
        };
        let is_to_come = i128::from(process.key.start_ns) > self.range.end;
        if is_over { Some(Side::Before) } else { is_to_come.then_some(Side::After) }
    }

    /// The bar of a process, column by column.
    fn shape(&self, process: &Process) -> (impl Iterator<Item = Option<char>>, Tone) {
        let first = self.column(i128::from(process.key.start_ns));
        let (last, end, line, tone) = match process.life() {
            Lifecycle::Running => (self.width, '━', '━', Tone::Good),
            Lifecycle::Exited { at_ns, status, .. } => {
                let (end, tone) = if status.is_failure() { ('✗', Tone::Bad) } else { ('┤', Tone::Dim) };
                (self.column(i128::from(at_ns)), end, '─', tone)
            }
        };
        let shape = (0..self.width).map(move |column| match column {
            _ if column < first || column > last => None,
            _ if column == last && (first < last || end == '✗') => Some(end),
            _ if column == last => Some('│'),
            _ if column == first => Some('├'),
            _ => Some(line),
        });
        (shape, tone)
    }
}

/// The shortest round time that is no shorter than this one, nanoseconds.
fn step(least: i128) -> i128 {
    const S: i128 = 1_000_000_000;
    const STEPS: [i128; 22] = [
        S / 100,
        S / 50,
        S / 20,
        S / 10,
        S / 5,
        S / 2,
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
        30 * S,
        60 * S,
        120 * S,
        300 * S,
        600 * S,
        1800 * S,
        3600 * S,
        7200 * S,
        21_600 * S,
        86_400 * S,
        604_800 * S,
    ];
    STEPS.into_iter().find(|step| *step >= least).unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_lie_in_the_column_that_covers_them() {
        let axis = Axis { range: 0..100, width: 10 };
        assert_eq!([-1, 0, 9, 10, 99, 100].map(|at| axis.column(at)), [-1, 0, 0, 1, 9, 10]);
        let empty = Axis { range: 5..5, width: 0 };
        assert_eq!(empty.column(5), 0);
    }

    #[test]
    fn steps_are_round_and_never_too_short() {
        let s = 1_000_000_000;
        assert_eq!([step(1), step(s), step(s + 1), step(16 * s)], [s / 100, s, 2 * s, 30 * s]);
        assert_eq!(step(10_000_000 * s), 10_000_000 * s);
    }
}
