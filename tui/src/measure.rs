//! How many columns a text takes on the terminal: by grapheme, as ratatui draws it. A grapheme can be two columns wide
//! or none, and is not always as wide as its characters together.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The columns of a text.
#[must_use]
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The longest beginning of at most `most` columns, and its columns.
#[must_use]
pub fn start(text: &str, most: usize) -> (&str, usize) {
    let (at, columns) = fit(text.graphemes(true), most);
    (&text[..at], columns)
}

/// At most `width` columns of a text; what is cut off is marked by `…`.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    match (start(text, width).0, width) {
        (all, _) if all.len() == text.len() => text.to_owned(),
        (_, 0) => String::new(),
        _ => start(text, width - 1).0.to_owned() + "…",
    }
}

/// Exactly `columns` columns, text at the left.
#[must_use]
pub fn left(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let pad = columns.saturating_sub(width(&text));
    text + &" ".repeat(pad)
}

/// The longest end of at most `most` columns.
#[must_use]
pub fn end(text: &str, most: usize) -> &str {
    &text[text.len() - fit(text.graphemes(true).rev(), most).0..]
}

/// Bytes and columns of the first graphemes that fit.
fn fit<'a>(graphemes: impl Iterator<Item = &'a str>, most: usize) -> (usize, usize) {
    let (mut bytes, mut columns) = (0, 0);
    for grapheme in graphemes {
        let wide = grapheme.width();
        if columns + wide > most {
            break;
        }
        columns += wide;
        bytes += grapheme.len();
    }
    (bytes, columns)
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn columns_are_those_that_ratatui_draws() {
        for text in ["abc", "漢字", "e\u{301}x", "❤\u{fe0f}a", "👍🏽!", "🇩🇪🇫🇷", "\u{301}", "각", "क्षि"]
        {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
            let (drawn, _) = buffer.set_stringn(0, 0, text, 40, Style::new());
            assert_eq!(width(text), usize::from(drawn), "{text}");
            for most in 0..10 {
                let (drawn, _) = buffer.set_stringn(0, 0, text, most, Style::new());
                assert_eq!(start(text, most).1, usize::from(drawn), "{most} of {text}");
            }
        }
    }

    #[test]
    fn beginning_and_end_never_split_a_grapheme() {
        assert_eq!(start("a👍🏽b", 2), ("a", 1));
        assert_eq!(start("a👍🏽b", 3), ("a👍🏽", 3));
        assert_eq!([end("a👍🏽b", 2), end("a👍🏽b", 3), end("ab", 9), end("ab", 0)], ["b", "👍🏽b", "ab", ""]);
    }
}
