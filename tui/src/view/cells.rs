//! Text cut and padded to columns, and lines whose ends are spread.
//!
//! All widths here are columns.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

pub(super) use crate::measure::{cut, left};
use crate::measure::{start, width as columns};

/// The text without its first columns; a wide character across the edge goes too.
pub(super) fn skip(text: &str, columns: usize) -> &str {
    let (head, width) = start(text, columns);
    let rest = &text[head.len()..];
    if width == columns { rest } else { &rest[rest.graphemes(true).next().map_or(0, str::len)..] }
}

/// Exactly `width` columns, text at the right.
pub(super) fn right(text: &str, width: usize) -> String {
    let text = cut(text, width);
    " ".repeat(width.saturating_sub(columns(&text))) + &text
}

/// Where a page of `len` lines stands that shows `height` of them from line `from` on: `1-20 of 54 ↓`, the arrows for
/// what is out of sight. Empty when nothing is.
pub(super) fn place(from: usize, height: usize, len: usize) -> String {
    if len <= height {
        return String::new();
    }
    let to = (from + height).min(len);
    let up = if from > 0 { " ↑" } else { "" };
    let down = if to < len { " ↓" } else { "" };
    format!("{}-{to} of {len}{up}{down}", from + 1)
}

/// Writes spans from the left edge and others up to the right edge; where both do not fit, the left ones win.
pub(super) fn spread(left: Vec<Span<'_>>, right: Vec<Span<'_>>, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let (left, right) = (Line::from(left), Line::from(right));
    let room = usize::from(area.width).saturating_sub(left.width());
    buffer.set_line(area.x, area.y, &left, area.width);
    if right.width() <= room {
        #[expect(clippy::cast_possible_truncation, reason = "no wider than the area")]
        let width = right.width() as u16;
        buffer.set_line(area.right() - width, area.y, &right, width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_respects_wide_and_combining_characters() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("漢字漢字", 4), "漢…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("a👍🏽b", 3), "a…");
        assert_eq!(cut("❤\u{fe0f}", 1), "…", "two columns, though its first character alone takes one");
        assert_eq!(skip("👍🏽b", 1), "b");
        assert_eq!(skip("漢字ab", 1), "字ab");
        assert_eq!(skip("漢字ab", 2), "字ab");
        assert_eq!(skip("ab", 5), "");
        assert_eq!(left("漢", 3), "漢 ");
        assert_eq!(right("漢字", 3), "漢…");
        assert_eq!(right("7", 3), "  7");
        assert_eq!(place(0, 20, 54), "1-20 of 54 ↓");
        assert_eq!(place(5, 20, 54), "6-25 of 54 ↑ ↓");
        assert_eq!(place(34, 20, 54), "35-54 of 54 ↑");
        assert_eq!(place(0, 20, 20), "");
    }
}
