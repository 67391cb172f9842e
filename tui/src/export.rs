//! The tree in other forms than the screen, each from the same rows.

pub mod dot;
pub mod file;
pub mod json;
pub mod text;

use std::borrow::Cow;

use ptree_core::{Rows, Tree};

/// What is exported.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds a closure")]
pub struct Scope<'a> {
    /// The tree.
    pub tree: &'a Tree,
    /// Which of it, in which order.
    pub rows: &'a Rows,
    /// Now, for the ages of the living: boot-time nanoseconds.
    pub now_ns: u64,
    /// For how long CPU time was measured, nanoseconds, so that its share in that time is known.
    pub measured_ns: Option<u64>,
    /// Names of users; empty for an unknown one.
    pub user: &'a dyn Fn(u32) -> &'a str,
}

impl Scope<'_> {
    /// Name of a user made harmless by this, or its number.
    #[must_use]
    pub fn user_name(&self, uid: u32, harmless: fn(&[u8]) -> Cow<'_, str>) -> String {
        match (self.user)(uid) {
            "" => uid.to_string(),
            name => harmless(name.as_bytes()).into_owned(),
        }
    }
}
