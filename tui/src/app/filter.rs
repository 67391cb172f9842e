//! The filter line while it is typed. It holds at once; while it is no filter, the last one that was stays.

use ptree_core::Filter;

use super::App;
use crate::action::Mode;

/// Characters of a filter at most.
const FILTER_MAX: usize = 256;

impl App {
    /// The line that has the keyboard.
    pub(super) fn typed(&self) -> &str {
        match self.act_page() {
            Some(page) if self.mode == Mode::Acts => page.typed(),
            _ => &self.filter_line,
        }
    }

    /// Replaces it.
    pub(super) fn type_text(&mut self, text: &str) {
        if self.mode != Mode::Acts {
            return self.set_filter(text);
        }
        if let Some(page) = self.act_page_mut() {
            page.type_text(text);
            self.dirty = true;
        }
    }

    /// Shows what matches the text, of which so much counts as anybody would type, and goes to the first of it unless
    /// a match is selected already. The rows are built when they are next needed: keys may come faster.
    pub(super) fn set_filter(&mut self, text: &str) {
        let end = text.char_indices().nth(FILTER_MAX).map_or(text.len(), |(at, _)| at);
        self.filter_line = text[..end].to_owned();
        self.dirty = true;
        match Filter::parse(&self.filter_line) {
            Ok(filter) => {
                self.find_first = !filter.text().trim().is_empty();
                let look = self.list.rows_mut().look_mut();
                look.filter = filter.of_user(look.filter.uid());
                self.filter_error = None;
            }
            Err(error) => self.filter_error = Some(error),
        }
    }

    /// Back to the tree; but what is no filter must be mended or dropped.
    pub(super) fn accept_filter(&mut self) {
        if self.filter_error.is_none() {
            self.mode = Mode::Tree;
        }
    }

    /// Types what all that the last word could become have in common.
    pub(super) fn complete_filter(&mut self) {
        let completion = self.completion();
        let Some((first, others)) = completion.candidates.split_first() else { return };
        let same = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        // All of them are ASCII.
        let common = others.iter().map(|other| same(&first.text, &other.text)).min().unwrap_or(first.text.len());
        let typed = &self.filter_line[..completion.range.start];
        self.set_filter(&format!("{typed}{}", &first.text[..common]));
    }
}
