//! Filters by name: what `@name` in a filter stands for.
//!
//! Does not know where they come from, nor whether they parse.

use std::collections::BTreeMap;

/// Texts of filters by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Whether a filter can be called so: letters, digits and `_` of ASCII.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }

    /// Gives a name to a filter. A name that is none, see [`Names::is_name`], is never found.
    pub fn insert(&mut self, name: &str, filter: &str) {
        self.0.insert(name.to_owned(), filter.to_owned());
    }

    /// What a name stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(String::as_str)
    }
}
