//! What the app and its drawing both know of a screen: where things are on it, and what they look like.
//!
//! Knows no state.

pub mod areas;
pub(crate) mod ascii;
pub mod theme;
