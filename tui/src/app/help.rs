//! The state of the help: how far it is scrolled, and what is looked for in it.

/// See above.
#[derive(Debug, Default)]
pub(super) struct Help {
    /// Lines that are out of sight above.
    pub(super) scroll: usize,
    /// Only what contains this is shown.
    pub(super) search: String,
}

impl Help {
    /// Shows what contains a text, of which so many characters count.
    pub(super) fn look_for(&mut self, text: &str, longest: usize) {
        self.search = text.chars().take(longest).collect();
        self.scroll = 0;
    }
}
