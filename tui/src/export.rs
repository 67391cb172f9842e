//! The tree written down.

pub mod dot;
pub mod file;
