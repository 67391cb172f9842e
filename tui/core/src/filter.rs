//! Which processes a user wants to see.

use crate::process::Process;

/// A text that must occur in the name, the command line, the pid or the user's name; ASCII letters match in both cases
/// unless the text has a capital. Empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
}

impl Filter {
    /// From what a user typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether everything matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether this process matches; `user` is its user's name.
    #[must_use]
    pub fn matches(&self, _process: &Process, _user: &str) -> bool {
        todo!()
    }
}
