//! What is drawn at a place of the table.

use ptree_core::Fact;
use ratatui::layout::{Position, Rect};

use super::{fitting, guide, guide_room};
use crate::action::Hit;
use crate::app::App;
use crate::measure;

/// What stands in this column and row of the screen, if `area` is that of the table.
pub(crate) fn hit(app: &App, area: Rect, column: u16, row: u16) -> Option<Hit> {
    if !area.contains(Position::new(column, row)) {
        return None;
    }
    let x = usize::from(column - area.x);
    let (columns, command) = fitting(app, usize::from(area.width));
    let mut end = 0;
    let hit_column = columns.iter().find(|column| {
        end += app.column_width(**column) + 1;
        x < end
    });
    if row == area.y {
        return match hit_column {
            Some(&column) => Some(Hit::Heading(column.fact())),
            // Beyond the word it says how the rows are looked at.
            None => (x < end + "COMMAND".len()).then_some(Hit::Heading(Fact::Name)),
        };
    }
    let rows = app.list().rows();
    let index = app.list().offset() + usize::from(row - area.y - 1);
    let drawn = rows.get(index)?;
    let mut mark = 0..0;
    if drawn.has_children {
        rows.window(index..index + 1, command, |_, row, guides| {
            let width = measure::width(&guide(guides, row, row.folded, guide_room(command)));
            // The levels above have their own rows.
            mark = end + width.saturating_sub(3)..end + width;
        });
    }
    Some(if mark.contains(&x) { Hit::Mark(index) } else { Hit::Row(index) })
}
