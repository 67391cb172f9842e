//! The lines in which something is typed: the filter, which holds at once (while it is no filter, the last one that was
//! stays), and what is looked for in the help or on a page.

use ptree_core::Filter;
use ptree_core::facts::FACTS;

use super::App;
use crate::action::Mode;

/// Characters of a line at most.
const LINE_MAX: usize = 256;

impl App {
    /// The line that is being typed; where none is, the filter.
    pub(super) fn line(&self) -> &str {
        match (self.mode, self.act_page(), self.details()) {
            (Mode::HelpSearch, ..) => &self.help.search,
            (Mode::DetailsSearch, _, Some(details)) => details.search(),
            (Mode::Acts, Some(page), _) => page.typed(),
            _ => &self.filter_line,
        }
    }

    /// Types at the end of the line.
    pub(super) fn type_text(&mut self, text: &str) {
        self.set_line(format!("{}{text}", self.line()));
    }

    /// Changes the line by hand: what came from the history is one's own from here on.
    pub(super) fn set_line(&mut self, text: String) {
        self.dirty = true;
        match self.mode {
            Mode::HelpSearch => self.help.look_for(&text, LINE_MAX),
            Mode::DetailsSearch => {
                if let Some(details) = &mut self.details {
                    details.look_for(&text, LINE_MAX);
                }
            }
            Mode::Acts => {
                if let Some(page) = self.act_page_mut() {
                    page.type_text(&text);
                }
            }
            _ => {
                self.history.leave();
                self.set_filter(&text);
            }
        }
    }

    /// Shows what matches the text, of which so much counts as anybody would type, and goes to the first of it unless
    /// a match is selected already. The rows are built when they are next needed: keys may come faster.
    pub(super) fn set_filter(&mut self, text: &str) {
        let end = text.char_indices().nth(LINE_MAX).map_or(text.len(), |(at, _)| at);
        self.filter_line = text[..end].to_owned();
        self.dirty = true;
        match Filter::parse_with(&self.filter_line, &self.names) {
            Ok(filter) => {
                self.find_first = !filter.text().trim().is_empty();
                let look = self.list.rearrange().look_mut();
                look.filter = filter.of_user(look.filter.uid());
                self.filter_error = None;
            }
            Err(error) => self.filter_error = Some(error),
        }
    }

    /// Back to where the line was begun; but what is no filter must be mended or dropped.
    pub(super) fn accept_line(&mut self) {
        if self.mode == Mode::HelpSearch {
            self.mode = Mode::Help;
        } else if self.mode == Mode::DetailsSearch {
            self.end_search();
        } else if self.filter_error.is_none() {
            self.history.keep(&self.filter_line);
            self.mode = Mode::Tree;
        }
    }

    /// Back with nothing typed.
    pub(super) fn drop_line(&mut self) {
        self.set_line(String::new());
        self.mode = match self.mode {
            Mode::HelpSearch => Mode::Help,
            Mode::DetailsSearch => Mode::Details,
            _ => Mode::Tree,
        };
    }

    /// Whether Up and Down go through older filters: there is nothing else that they could be meant for.
    pub(super) fn is_recalling(&self) -> bool {
        self.filter_line.is_empty() && !self.history.is_empty() || self.history.is_recalling()
    }

    /// Puts an older or a newer filter in the line.
    pub(super) fn recall(&mut self, older: bool) {
        if let Some(text) = self.history.recall(older, &self.filter_line) {
            self.set_filter(&text);
        }
    }

    /// Types what all that the last word could become have in common; behind the whole name of a field, what usually
    /// follows it.
    pub(super) fn complete_filter(&mut self) {
        let completion = self.completion();
        let Some((first, others)) = completion.candidates.split_first() else { return };
        // What has a description is no value.
        let whole = completion.candidates.iter().find(|candidate| {
            !candidate.description.is_empty()
                && Some(&*candidate.text) == self.filter_line.get(completion.range.clone())
        });
        if let Some(fact) = whole.and_then(|whole| FACTS.iter().find(|fact| fact.name == whole.text)) {
            return self.type_text(fact.usual_operator());
        }
        let same = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        let common = others.iter().map(|other| same(&first.text, &other.text)).min().unwrap_or(first.text.len());
        let common = &first.text[..first.text.floor_char_boundary(common)];
        // What is to stand in quotes has nothing in common with what is not.
        if common.len() >= completion.range.len() {
            let typed = &self.filter_line[..completion.range.start];
            self.set_line(format!("{typed}{common}"));
        }
    }
}
