//! Which characters do not print as themselves: controls, formatting without a shape of its own, fillers, and code points
//! that are no characters.
//!
//! One table, in order. The tests go through all of Unicode and compare it with what others say.

/// First and last of each run. What is assigned to nobody is in it where it is set aside for what does not show.
const HIDDEN: [(char, char); 29] = [
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    // Soft hyphen; joiner of graphemes.
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    // Marks around numbers and ends of verses, which change what follows them; the Arabic letter mark.
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    // Fillers of Hangul; vowels of Khmer that nobody sees; variants of Mongolian.
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    // Zero-width and bidirectional marks, separators of lines and paragraphs, invisible operators.
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    // Braille without a dot; another filler of Hangul.
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fdd0}', '\u{fdef}'),
    // Variants, but for the last two: as text or as emoji.
    ('\u{fe00}', '\u{fe0d}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    // Kaithi, hieroglyphs, shorthand, music.
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    // Tags and more variants.
    ('\u{e0000}', '\u{e0fff}'),
];

/// What does not print as itself, and is escaped wherever text of others is shown. Combining marks and emoji do print.
#[must_use]
pub fn is_control(c: char) -> bool {
    if c < '\u{7f}' {
        return c < ' ';
    }
    // The last two of each plane are no characters.
    u32::from(c) & 0xfffe == 0xfffe
        || HIDDEN.get(HIDDEN.partition_point(|&(_, last)| last < c)).is_some_and(|&(first, _)| first <= c)
}

#[cfg(test)]
mod tests {
    use regex::Regex;
    use unicode_width::UnicodeWidthChar as _;

    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(HIDDEN.iter().all(|(first, last)| first <= last));
        assert!(HIDDEN.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    /// Of all characters: hidden are those that Unicode calls so, and whatever takes no column although it is no mark
    /// on another character.
    #[test]
    fn nothing_that_is_not_seen_prints_and_everything_else_does() {
        let class = |class: &str| Regex::new(&format!("^[{class}]$")).unwrap();
        let hidden =
            class(r"\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\x{2800}");
        // Marks, those too that are assigned to nobody yet; vowels and finals of Hangul, which are drawn into the block
        // that a consonant before them begins; letters that are drawn onto the one behind them; the caret
        // of Devanagari.
        let seen = class(r"\p{M}\p{Cn}\p{GCB=V}\p{GCB=T}\p{GCB=Prepend}\x{a8fa}");
        for c in '\0'..=char::MAX {
            let text = c.encode_utf8(&mut [0; 4]).to_owned();
            let as_text_or_emoji = matches!(c, '\u{fe0e}' | '\u{fe0f}');
            let expected = hidden.is_match(&text) && !as_text_or_emoji;
            assert_eq!(is_control(c), expected, "{c:?}");
            if c.width().unwrap_or(0) == 0 && !is_control(c) {
                assert!(seen.is_match(&text), "{c:?} takes no column");
            }
        }
    }
}
