//! The event format, schema 2: one JSON object a line, for streams and recordings alike.
//!
//! A field that is not known is absent. Bytes that are not printable text are escaped as [`ptree_core::text::escape`]
//! does, so that reading gives back exactly what was written. Readers skip types and fields that they do not know. What
//! a line may hold is said once for both directions: its fields in `line`, which type has which of them in `types`. Does not
//! know files or pipes.

mod line;
mod parts;
mod read;
#[cfg(test)]
mod tests;
mod types;
mod value;
mod write;

pub use read::{Entry, LineError, ReadError, Reader, Tally};
pub use write::{AlertStage, Known, Program, write_alert, write_clock, write_event, write_header, write_user};

/// Version of the format. In the first, `read_bytes` and `write_bytes` held those of reaped children as well, and `exe` the
/// kernel's mark of a deleted file.
pub const SCHEMA: u32 = 2;
