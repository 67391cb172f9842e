//! Labelled entries, broken into lines of any width; how far they are scrolled, and where a text stands in them.
//!
//! Does not know what the entries are about, nor colours.

use std::borrow::Cow;
use std::ops::Range;

use ptree_core::text;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::label::Tone;

/// One entry of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What it is; empty to go on with the one above.
    pub label: Cow<'static, str>,
    /// The value; empty under a heading.
    pub value: String,
    /// Bytes at the beginning of the value that are a name.
    pub name: usize,
    /// How it is meant.
    pub tone: Tone,
}

/// A line of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The label, on the first line of an entry.
    pub label: &'a str,
    /// What stands of the value on this line.
    pub value: &'a str,
    /// Bytes at the beginning of that which are a name.
    pub name: usize,
    /// How it is meant.
    pub tone: Tone,
    /// The whole value, and where in it this line begins.
    whole: (&'a str, usize),
}

impl Line<'_> {
    /// Where a text that is looked for stands in the value on this line, also where it begins or ends on another one.
    #[must_use]
    pub fn marks(&self, wanted: &str) -> Vec<Range<usize>> {
        let ((whole, from), len) = (self.whole, self.value.len());
        let begin = whole.floor_char_boundary(from.saturating_sub(wanted.len()));
        let end = whole.ceil_char_boundary((from + len + 3 * wanted.len()).min(whole.len()));
        let within = |range: Range<usize>| {
            let [start, end] = [range.start, range.end].map(|at| (begin + at).saturating_sub(from).min(len));
            (start < end).then_some(start..end)
        };
        occurrences(&whole[begin..end], wanted).filter_map(within).collect()
    }

    /// Whether the text begins on this line, in its value or its label.
    fn holds(&self, wanted: &str) -> bool {
        let ((whole, from), len) = (self.whole, self.value.len());
        let end = whole.ceil_char_boundary((from + len + 3 * wanted.len()).min(whole.len()));
        occurrences(self.label, wanted).next().is_some()
            || occurrences(&whole[from..end], wanted).next().is_some_and(|found| found.start < len)
    }
}

/// Where a text occurs in another; unless it has capitals, letters are the same in either case.
pub(crate) fn occurrences(text: &str, wanted: &str) -> impl Iterator<Item = Range<usize>> {
    let exact = wanted.contains(char::is_uppercase);
    let folded: Vec<char> = text::folded(wanted).collect();
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|_| !wanted.is_empty())?;
        let (begin, len) = if exact {
            (rest.find(wanted)?, wanted.len())
        } else {
            let len = |begin: usize| beginning(&rest[begin..], &folded);
            rest.char_indices().find_map(|(begin, _)| Some((begin, len(begin)?)))?
        };
        let found = at + begin..at + begin + len;
        at = found.end.max(found.start + rest[begin..].chars().next().map_or(1, char::len_utf8));
        Some(found)
    })
}

/// How much of the beginning of a text is this one without regard to case, bytes.
fn beginning(text: &str, folded: &[char]) -> Option<usize> {
    let mut wanted = folded.iter();
    for (at, c) in text.char_indices() {
        if wanted.as_slice().is_empty() {
            return Some(at);
        }
        let mut buffer = [0; 4];
        if !text::folded(c.encode_utf8(&mut buffer)).all(|c| wanted.next().is_none_or(|wanted| *wanted == c)) {
            return None;
        }
    }
    wanted.as_slice().is_empty().then_some(text.len())
}

/// A line by where it comes from.
#[derive(Clone, Debug)]
struct Piece {
    entry: usize,
    range: Range<usize>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Lines {
    entries: Vec<Entry>,
    /// Columns of the labels, with what is left free behind them.
    labels: u16,
    scroll: usize,
    /// The pieces for a width.
    laid: Option<(u16, Vec<Piece>)>,
}

impl Lines {
    /// None yet.
    pub(super) fn new(labels: u16) -> Self {
        Self { entries: Vec::new(), labels, scroll: 0, laid: None }
    }

    /// Other entries.
    pub(super) fn set(&mut self, labels: u16, entries: Vec<Entry>) {
        *self = Self { entries, labels, scroll: self.scroll, laid: None };
    }

    /// The entries, to be made anew.
    pub(super) fn take(&mut self) -> Vec<Entry> {
        self.laid = None;
        std::mem::take(&mut self.entries)
    }

    /// Columns of the labels, with what is left free behind them.
    #[must_use]
    pub fn labels(&self) -> u16 {
        self.labels
    }

    /// Lines by which the page is scrolled.
    #[must_use]
    pub fn scroll(&self) -> usize {
        self.scroll
    }

    /// How many lines there are at a width.
    #[must_use]
    pub fn len(&self, width: u16) -> usize {
        self.pieces(width).len()
    }

    /// So many lines of those at a width, from the one on to which it is scrolled.
    pub fn window(&self, width: u16, height: usize) -> Vec<Line<'_>> {
        self.pieces(width).iter().skip(self.scroll).take(height).map(|piece| self.line(piece)).collect()
    }

    /// Scrolls; where the last page ends is found when it is next fitted.
    pub(super) fn scroll_by(&mut self, lines: isize) {
        let end = self.laid.as_ref().map_or(isize::MAX.unsigned_abs(), |(_, pieces)| pieces.len());
        self.scroll = self.scroll.saturating_add_signed(lines).min(end);
    }

    /// Scrolls to a line.
    pub(super) fn scroll_to(&mut self, line: usize) {
        self.scroll = line;
    }

    /// Breaks it for this width, unless that is done already, and fits it into this height.
    pub(super) fn fit(&mut self, width: u16, height: usize) {
        if self.laid.as_ref().is_none_or(|(laid, _)| *laid != width) {
            self.laid = Some((width, self.break_for(width)));
        }
        self.scroll = self.scroll.min(self.len(width).saturating_sub(height));
    }

    /// The lines on which a text begins.
    pub(super) fn found(&self, width: u16, wanted: &str) -> Vec<usize> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let lines = self.pieces(width);
        let holds = |piece: &Piece| self.line(piece).holds(wanted);
        lines.iter().enumerate().filter(|(_, piece)| holds(piece)).map(|(number, _)| number).collect()
    }

    fn line(&self, piece: &Piece) -> Line<'_> {
        let entry = &self.entries[piece.entry];
        let from = piece.range.start;
        let value = &entry.value[piece.range.clone()];
        let label = if from == 0 { &*entry.label } else { "" };
        let name = entry.name.saturating_sub(from).min(value.len());
        Line { label, value, name, tone: entry.tone, whole: (&entry.value, from) }
    }

    /// The pieces for a width; those that were laid, if that is theirs.
    fn pieces(&self, width: u16) -> Cow<'_, [Piece]> {
        match &self.laid {
            Some((laid, pieces)) if *laid == width => Cow::Borrowed(pieces),
            _ => Cow::Owned(self.break_for(width)),
        }
    }

    fn break_for(&self, width: u16) -> Vec<Piece> {
        let room = usize::from(width.saturating_sub(self.labels)).max(1);
        let mut pieces = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let mut start = 0;
            while start < entry.value.len() || start == 0 {
                let end = start + break_at(&entry.value[start..], room);
                pieces.push(Piece { entry: at, range: start..end });
                start = end.max(1);
            }
        }
        pieces
    }
}

/// Where to end a line of at most `room` columns: after a space in its last third, or else wherever it is full.
fn break_at(text: &str, room: usize) -> usize {
    let mut columns = 0;
    let mut space = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        columns += grapheme.width();
        if columns > room && at > 0 {
            return space.unwrap_or(at);
        }
        if grapheme == " " && columns * 3 > room * 2 {
            space = Some(at + 1);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_never_within_a_grapheme() {
        let lines = |mut text: &'static str, room| {
            let mut lines = Vec::new();
            while !text.is_empty() {
                let (line, rest) = text.split_at(break_at(text, room));
                lines.push(line);
                text = rest;
            }
            lines
        };
        assert_eq!(lines("cc -O2 -c a.c", 9), ["cc -O2 ", "-c a.c"]);
        assert_eq!(lines("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(lines("ab❤\u{fe0f}c", 3), ["ab", "❤\u{fe0f}c"]);
        assert_eq!(lines("👍🏽👍🏽", 3), ["👍🏽", "👍🏽"]);
        assert_eq!(lines("👍🏽", 1), ["👍🏽"], "however narrow");
    }

    #[test]
    fn texts_are_found_in_either_case_of_all_scripts() {
        let found =
            |text: &'static str, wanted: &str| occurrences(text, wanted).map(|at| &text[at]).collect::<Vec<_>>();
        assert_eq!(found("ÄÖ äö", "äö"), ["ÄÖ", "äö"]);
        assert_eq!(found("ÄÖ äö", "äÖ"), [""; 0]);
        assert_eq!(found("ПРИВЕТ", "иве"), ["ИВЕ"]);
        assert_eq!(found("Straße, STRASSE", "straße"), ["Straße", "STRASSE"]);
        assert_eq!(found("aaa Aa", "aa"), ["aa", "Aa"]);
        assert_eq!(found("ẞß", "ß"), ["ẞ", "ß"]);
        assert_eq!(found("abc", ""), [""; 0]);
    }

    fn page(entries: &[(&'static str, &str)]) -> Lines {
        let entry = |(label, value): &(&'static str, &str)| Entry {
            label: (*label).into(),
            value: (*value).to_owned(),
            ..Entry::default()
        };
        let mut lines = Lines::new(0);
        lines.set(4, entries.iter().map(entry).collect());
        lines
    }

    #[test]
    fn labels_stand_on_first_lines_and_nothing_is_lost_between_them() {
        let mut page = page(&[("a", "12345678"), ("head", ""), ("", "x")]);
        let shown = |page: &Lines, width| {
            let lines = page.window(width, 9);
            lines.iter().map(|line| format!("{}|{}", line.label, line.value)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&page, 9), ["a|12345", "|678", "head|", "|x"]);
        page.fit(12, 2);
        page.scroll_by(9);
        page.fit(12, 2);
        assert_eq!((page.scroll(), page.len(12)), (1, 3));
        assert_eq!(shown(&page, 12), ["head|", "|x"]);
        assert_eq!(shown(&page, 9).len(), 3, "another width than that it was fitted to");
    }

    #[test]
    fn a_text_is_found_in_labels_and_across_the_ends_of_lines() {
        let page = page(&[("cpu", "abcDEFghi"), ("", "CPU def"), ("", "塩defdef")]);
        assert_eq!(page.found(9, "cpu"), [0, 2]);
        assert_eq!(page.found(9, "CPU"), [2], "a capital is exact");
        assert_eq!(page.found(9, "def"), [0, 3, 4, 5]);
        assert_eq!(page.found(9, ""), [0; 0]);
        assert_eq!(page.found(9, "none"), [0; 0]);
        let marks: Vec<_> = page.window(9, 9).iter().flat_map(|line| line.marks("def")).collect();
        assert_eq!(marks, [3..5, 0..1, 0..3, 3..6, 0..3], "the first one goes on on the next line");
    }
}
