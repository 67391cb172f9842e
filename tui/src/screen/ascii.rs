//! A screen for terminals that have nothing but ASCII: what is drawn is replaced cell by cell, so that every column
//! stays where it is and nothing can be forgotten.

use ratatui::buffer::Buffer;
use unicode_segmentation::UnicodeSegmentation;

/// What stands for the marks that are drawn here.
const LIKE: [(&str, char); 31] = [
    ("│", '|'),
    ("├", '|'),
    ("└", '`'),
    ("┤", '|'),
    ("╷", '\''),
    ("━", '='),
    ("✗", 'X'),
    ("─", '-'),
    ("┄", ':'),
    ("▸", '+'),
    ("▾", 'v'),
    ("▴", '^'),
    ("‹", '<'),
    ("›", '>'),
    ("…", '~'),
    ("×", 'x'),
    ("·", '.'),
    ("•", '*'),
    ("↑", '^'),
    ("↓", 'v'),
    ("←", '<'),
    ("→", '>'),
    ("▁", '_'),
    ("▂", '.'),
    ("▃", '-'),
    ("▄", '-'),
    ("▅", '='),
    ("▆", '+'),
    ("▇", '*'),
    ("█", '#'),
    ("µ", 'u'),
];

/// What stands for a symbol that is not ASCII.
fn like(symbol: &str) -> char {
    LIKE.iter().find(|(mark, _)| *mark == symbol).map_or('?', |(_, like)| *like)
}

/// A line of text in nothing but ASCII, of as many columns.
pub(crate) fn simplified(line: &str) -> String {
    let plain = |symbol: &str| match symbol.is_ascii() {
        true => symbol.to_owned(),
        false => like(symbol).to_string().repeat(crate::measure::width(symbol)),
    };
    line.graphemes(true).map(plain).collect()
}

/// Replaces all that is not ASCII; what has no like becomes `?` in each of its columns.
pub(crate) fn simplify(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width).max(1);
    let len = buffer.content.len();
    for at in 0..len {
        let symbol = buffer.content[at].symbol();
        if symbol.is_ascii() {
            continue;
        }
        let like = like(symbol);
        let columns = crate::measure::width(symbol).max(1);
        // The second half of a wide character has had no style: it was hidden.
        let style = buffer.content[at].style();
        for cell in at..(at + columns).min(at + width - at % width) {
            buffer.content[cell].set_char(like).set_style(style);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn columns_stay_and_nothing_but_ascii_is_left() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 16, 2));
        buffer.set_string(0, 0, "│ ├─ └▸ 塩x…e\u{301}", Style::new());
        buffer.set_string(0, 1, "▁▂▃▄▅▆▇█ ×12 👍🏽", Style::new());
        simplify(&mut buffer);
        assert_eq!(buffer, Buffer::with_lines(["| |- `+ ??x~?   ", "_.--=+*# x12 ?? "]));
        assert_eq!(simplified("│  └─ 塩x…e\u{301} 👍🏽"), "|  `- ??x~? ??");
    }
}
