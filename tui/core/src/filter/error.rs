//! What is wrong with a filter: a sentence, and the place in the text that it is about.

use std::fmt;
use std::ops::Range;

use crate::text;

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    text: String,
    range: Range<usize>,
    message: String,
    unfinished: bool,
}

impl FilterError {
    pub(super) fn new(text: &str, range: Range<usize>, message: String) -> Self {
        let unfinished = range.end >= text.trim_end().len();
        Self { text: text.to_owned(), range, message, unfinished }
    }

    /// The same, though the place is not at the end: more text can mend it.
    pub(super) fn unfinished(self) -> Self {
        Self { unfinished: true, ..self }
    }

    /// The text that is no filter.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the text that are wrong; where something is missing, the empty range at its place. Both ends are
    /// between characters.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// What is wrong and what was expected: one line, without control characters.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether more text behind this one might mend it: whoever types it may just not be done.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// The text in one line and, in a second one, a caret under each column of the place and the message. `width` tells
    /// the columns that a text takes on a terminal.
    #[must_use]
    pub fn pointed_out(&self, width: impl Fn(&str) -> usize) -> String {
        let columns = |range: Range<usize>| width(&text::shown(&self.text.as_bytes()[range]));
        let carets = "^".repeat(columns(self.range()).max(1));
        let indent = " ".repeat(columns(0..self.range.start));
        format!("{}\n{indent}{carets} {}", text::shown(self.text.as_bytes()), self.message)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FilterError {}

/// The one of `known` that was probably meant by a text of a user.
pub(super) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let distance = |name: &str| strsim::osa_distance(&typed, &name.to_ascii_lowercase());
    let near = known.into_iter().map(|name| (distance(name), name)).min_by_key(|(distance, _)| *distance);
    // A third of the letters may be wrong.
    near.filter(|(distance, name)| *distance <= name.len().div_ceil(3)).map(|(_, name)| name)
}

/// `; did you mean 'comm'?`, or nothing.
pub(super) fn suggestion<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map_or_else(String::new, |name| format!("; did you mean '{name}'?"))
}

/// A text of the user's, quoted for a message; no more of it than fits.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 24;
    let shown = text::shown(text.as_bytes());
    match shown.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("'{}…'", &shown[..end]),
        None => format!("'{shown}'"),
    }
}
