//! The line that a stream begins with: of any form, and of any content.

use ptree_core::text::{VALUE, quoted};
use ptree_source::ndjson::{Entry, ReadError, Reader};
use ptree_source::{Header, TimeAnchor};

use crate::{check_told, events};

/// With an odd first byte, the rest are lines; else they are what a header holds, between NULs.
pub fn header(bytes: &[u8]) {
    match bytes.split_first() {
        Some((kind, lines)) if kind % 2 == 1 => read(lines),
        Some((_, content)) => write(content),
        None => {}
    }
}

/// Reads what may be headers; each gives itself again.
fn read(lines: &[u8]) {
    for entry in Reader::new(lines) {
        match entry {
            Ok(entry @ Entry::Header(_)) => assert_eq!(events::again(&entry), entry),
            Ok(_) => {}
            Err(error @ (ReadError::Line(_) | ReadError::Schema { .. })) => check_told(&error.to_string(), 1),
            Err(ReadError::Io(error)) => panic!("{error} from memory"),
        }
    }
}

/// Writes a header and reads it back.
fn write(content: &[u8]) {
    let mut parts = content.split(|&byte| byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    let mut part = || parts.next().unwrap_or_default();
    let mut number = || {
        let mut bytes = [0; 8];
        part().bytes().zip(&mut bytes).for_each(|(from, to)| *to = from);
        u64::from_le_bytes(bytes)
    };
    let anchor = TimeAnchor { boottime_ns: number(), unix_ns: number() };
    let (version, host, kernel, boot_id) = (part(), part(), part(), part());
    let header = Header { version, host, kernel, boot_id, anchor, degraded: parts.collect() };
    check_told(&quoted(&header.host, VALUE), 1);
    let entry = Entry::Header(header);
    assert_eq!(events::again(&entry), entry);
}
