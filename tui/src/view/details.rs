//! The page on one process.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{left, place, spread};
use crate::app::{self, Details, occurrences};
use crate::label::Tone;
use crate::screen::theme::Theme;

/// Title and lines.
pub(super) fn draw(page: &Details, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines = page.lines();
    let mut rows = area.rows();
    let Some(first) = rows.next() else { return };
    let mut title = vec![Span::styled(page.title(), theme.heading)];
    if let Some(sheet) = page.sheet() {
        title.push(Span::styled(format!("  {}", sheet.title()), theme.strong));
        title.push(Span::styled(if sheet.is_asked() { "  being read …" } else { "" }, theme.dim));
    }
    if page.gone() {
        title.push(Span::styled("  has left the tree: as last known", theme.bad));
    }
    let height = usize::from(area.height - 1);
    let place = place(lines.scroll(), height, lines.len(area.width));
    spread(title, vec![Span::styled(place, theme.dim)], first, buffer);
    let labels = usize::from(lines.labels());
    for ((number, line), row) in (lines.scroll()..).zip(lines.window(area.width, height)).zip(rows) {
        let found = if page.found_at() == Some(number) { theme.selected } else { theme.notice };
        let text = match (line.tone, labels) {
            (Tone::Heading, _) => marked(line.label, 0, page.search(), [theme.heading; 2], found),
            (_, 0) => value(&line, page.search(), theme, found),
            _ => {
                let label = left(line.label, labels - 1) + " ";
                let mut text = marked(&label, 0, page.search(), [theme.dim; 2], found);
                text.extend(value(&line, page.search(), theme, found));
                text
            }
        };
        buffer.set_line(row.x, row.y, &Line::from(text), row.width);
    }
}

fn value(line: &app::Line<'_>, wanted: &str, theme: &Theme, found: Style) -> Vec<Span<'static>> {
    parts(line.value, line.name, &line.marks(wanted), [theme.accent, theme.tone(line.tone)], found)
}

/// A text with what is looked for in it marked.
fn marked(text: &str, name: usize, wanted: &str, styles: [Style; 2], found: Style) -> Vec<Span<'static>> {
    let marks: Vec<_> = occurrences(text, wanted).collect();
    parts(text, name, &marks, styles, found)
}

/// A text in two styles, up to `name` and from there on, and another style where the marks are.
fn parts(
    text: &str,
    name: usize,
    marks: &[std::ops::Range<usize>],
    [first, second]: [Style; 2],
    found: Style,
) -> Vec<Span<'static>> {
    let mut ends: Vec<usize> = marks.iter().flat_map(|mark| [mark.start, mark.end]).collect();
    ends.extend([name, text.len()]);
    ends.sort_unstable();
    let mut from = 0;
    let mut spans = Vec::new();
    for end in ends {
        if end > from {
            let is_marked = marks.iter().any(|mark| mark.contains(&from));
            let style = if from < name { first } else { second };
            spans.push(Span::styled(text[from..end].to_owned(), if is_marked { found } else { style }));
            from = end;
        }
    }
    spans
}
