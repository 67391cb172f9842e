//! Which columns are shown, in what order and how wide.

use std::fmt::Write as _;

use super::{COLUMNS, Column};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    shown: Vec<Column>,
    /// Where they are not the usual ones.
    widths: Vec<(Column, u16)>,
}

impl Default for Chosen {
    fn default() -> Self {
        let usual = COLUMNS.iter().filter(|spec| spec.usual);
        Self { shown: usual.map(|spec| spec.column).collect(), widths: Vec::new() }
    }
}

impl Chosen {
    /// The narrowest and the widest that a column can be made.
    pub const WIDTHS: std::ops::RangeInclusive<u16> = 3..=200;

    /// Those shown, left to right.
    #[must_use]
    pub fn shown(&self) -> &[Column] {
        &self.shown
    }

    /// All columns: those shown, then the others.
    pub fn all(&self) -> impl Iterator<Item = Column> {
        let others = COLUMNS.iter().map(|spec| spec.column).filter(|column| !self.is_shown(*column));
        self.shown.iter().copied().chain(others)
    }

    /// Whether it is among those shown.
    #[must_use]
    pub fn is_shown(&self, column: Column) -> bool {
        self.shown.contains(&column)
    }

    /// Shows these and no others. One that comes twice stays where it came first.
    pub fn show(&mut self, columns: impl IntoIterator<Item = Column>) {
        self.shown.clear();
        for column in columns {
            if !self.is_shown(column) {
                self.shown.push(column);
            }
        }
    }

    /// Shows it, as the last, or hides it.
    pub fn toggle(&mut self, column: Column) {
        if self.is_shown(column) {
            self.shown.retain(|shown| *shown != column);
        } else {
            self.shown.push(column);
        }
    }

    /// Changes places with its neighbour to the right, or to the left, if it has one.
    pub fn shift(&mut self, column: Column, right: bool) {
        let Some(at) = self.shown.iter().position(|shown| *shown == column) else { return };
        let Some(other) = at.checked_add_signed(if right { 1 } else { -1 }) else { return };
        if other < self.shown.len() {
            self.shown.swap(at, other);
        }
    }

    /// How wide somebody has made it, columns of the screen.
    #[must_use]
    pub fn width(&self, column: Column) -> Option<u16> {
        self.widths.iter().find(|(of, _)| *of == column).map(|(_, width)| *width)
    }

    /// Makes it as wide as this, or nearly: see [`Chosen::WIDTHS`].
    pub fn set_width(&mut self, column: Column, width: u16) {
        self.widths.retain(|(of, _)| *of != column);
        self.widths.push((column, width.clamp(*Self::WIDTHS.start(), *Self::WIDTHS.end())));
        self.widths.sort_unstable_by_key(|(of, _)| *of as usize);
    }

    /// As lines of the configuration, without the heading of their section.
    #[must_use]
    pub fn written(&self) -> String {
        let names: Vec<_> = self.shown.iter().map(|column| format!("\"{}\"", column.spec().name)).collect();
        let mut lines = format!("show = [{}]\n", names.join(", "));
        let widths: Vec<_> =
            self.widths.iter().map(|(column, width)| format!("{} = {width}", column.spec().name)).collect();
        let _ = match widths.as_slice() {
            [] => writeln!(lines, "widths = {{}}"),
            widths => writeln!(lines, "widths = {{ {} }}", widths.join(", ")),
        };
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_shown_hidden_and_moved() {
        let mut chosen = Chosen::default();
        chosen.show([Column::Pid, Column::TreeCpu, Column::Pid]);
        assert_eq!(chosen.shown(), [Column::Pid, Column::TreeCpu]);
        chosen.toggle(Column::Read);
        chosen.toggle(Column::Pid);
        assert_eq!(chosen.shown(), [Column::TreeCpu, Column::Read]);
        for (column, right) in
            [(Column::Read, false), (Column::Read, false), (Column::TreeCpu, true), (Column::Pid, true)]
        {
            chosen.shift(column, right);
            assert_eq!(chosen.shown(), [Column::Read, Column::TreeCpu], "no further than the ends");
        }
        assert_eq!(chosen.all().count(), COLUMNS.len());
        assert_eq!(chosen.all().nth(2), Some(Column::Pid));
    }

    #[test]
    fn widths_stay_within_reason_and_are_written_with_the_names() {
        let mut chosen = Chosen::default();
        chosen.show([Column::User, Column::TreeTime]);
        assert_eq!(chosen.written(), "show = [\"user\", \"tree-time\"]\nwidths = {}\n");
        for (column, width) in [(Column::TreeTime, 900), (Column::User, 0), (Column::User, 12)] {
            chosen.set_width(column, width);
        }
        assert_eq!(chosen.written(), "show = [\"user\", \"tree-time\"]\nwidths = { user = 12, tree-time = 200 }\n");
    }
}
