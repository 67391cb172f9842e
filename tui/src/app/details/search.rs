//! Looking for a text on the page on a process: like less, from where one is, and around the ends.

use super::Details;
use crate::action::Mode;
use crate::app::App;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    text: String,
    /// The line on which it was found last.
    at: Option<usize>,
    /// The first line when the search was begun.
    from: usize,
}

impl Search {
    /// On another page.
    pub(super) fn leave_line(&mut self) {
        self.at = None;
    }
}

impl Details {
    /// What is looked for; empty where nothing is.
    #[must_use]
    pub fn search(&self) -> &str {
        &self.search.text
    }

    /// On how many lines it stands, and which of these was gone to last, counted from 1.
    #[must_use]
    pub fn found(&self) -> (usize, Option<usize>) {
        let found = self.lines().found(self.size.0, self.search());
        let at = self.search.at.and_then(|at| found.iter().position(|&line| line == at));
        (found.len(), at.map(|at| at + 1))
    }

    /// The line that was gone to last.
    #[must_use]
    pub fn found_at(&self) -> Option<usize> {
        self.search.at
    }

    /// Looks for a text, of which so many characters count, from where the search was begun.
    pub(in crate::app) fn look_for(&mut self, text: &str, longest: usize) {
        self.search.text = text.chars().take(longest).collect();
        self.search.at = None;
        let from = self.search.from;
        self.lines_mut().scroll_to(from);
        self.seek(true);
    }

    /// Goes to the next line with the text, or back to the one before, around the ends; false where there is none.
    fn seek(&mut self, forward: bool) -> bool {
        let (width, height) = self.size;
        let top = self.lines().scroll();
        let sight = top..top + height;
        let found = self.lines().found(width, self.search());
        // Whoever has scrolled away goes on from there.
        let here = self.search.at.filter(|at| sight.contains(at));
        let next = match here {
            Some(here) if forward => found.iter().find(|&&line| line > here),
            None if forward => found.iter().find(|&&line| line >= top),
            _ => found.iter().rev().find(|&&line| line < here.unwrap_or(top)),
        };
        self.search.at = next.or(if forward { found.first() } else { found.last() }).copied();
        if let Some(line) = self.search.at.filter(|line| !sight.contains(line)) {
            self.lines_mut().scroll_to(line);
        }
        self.search.at.is_some()
    }
}

impl App {
    pub(in crate::app) fn begin_search(&mut self) {
        if let Some(details) = &mut self.details {
            details.search.from = details.lines().scroll();
            self.mode = Mode::DetailsSearch;
        }
    }

    /// Back to reading, with what was found marked.
    pub(in crate::app) fn end_search(&mut self) {
        self.mode = Mode::Details;
        if self.details.as_ref().is_some_and(|details| !details.search().is_empty() && details.found().0 == 0) {
            self.say_not_found();
        }
    }

    /// To the next place on the page with what is looked for, or the one before.
    pub(in crate::app) fn seek_here(&mut self, forward: bool) {
        let Some(details) = &mut self.details else { return };
        if details.search().is_empty() {
            return self.say("Nothing is looked for: / does".to_owned(), false);
        }
        if !details.seek(forward) {
            self.say_not_found();
        }
    }

    fn say_not_found(&mut self) {
        let text = self.details.as_ref().map(|details| details.search().to_owned()).unwrap_or_default();
        self.say(format!("Nowhere on this page: {text}"), false);
    }
}
