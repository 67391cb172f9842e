//! The page on one process.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::cells::{left, place, spread};
use super::theme::Theme;
use crate::app::{Details, LABELS};
use crate::label::Tone;

/// Title and lines.
pub(super) fn draw(page: &Details, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines = page.lines(area.width);
    let mut rows = area.rows();
    let Some(first) = rows.next() else { return };
    let mut title = vec![Span::styled(page.title(), theme.heading)];
    if page.gone() {
        title.push(Span::styled("  has left the tree: as last known", theme.bad));
    }
    let height = usize::from(area.height - 1);
    let place = place(page.scroll(), height, lines.len());
    spread(title, vec![Span::styled(place, theme.dim)], first, buffer);
    for ((label, value, tone), row) in lines.into_iter().skip(page.scroll()).zip(rows) {
        let line = if tone == Tone::Heading {
            Line::from(Span::styled(label, theme.heading))
        } else {
            let label = left(label, usize::from(LABELS));
            Line::from(vec![Span::styled(label + " ", theme.dim), Span::styled(value, theme.tone(tone))])
        };
        buffer.set_line(row.x, row.y, &line, row.width);
    }
}
