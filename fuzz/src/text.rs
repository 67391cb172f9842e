//! Any bytes made harmless, in each of the ways in which they are shown, and had back.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use ptree_core::Argv;
use ptree_core::text::{
    command_line, escape, harmless, is_control, path, quoted, readable, shown, shown_end, unescape,
};

/// The first byte is how much of the rest a message shows.
pub fn text(bytes: &[u8]) {
    let Some((&longest, bytes)) = bytes.split_first() else { return };
    let escaped = escape(bytes);
    assert!(!escaped.contains(is_control), "{escaped:?}");
    assert_eq!(unescape(&escaped), bytes, "{escaped}");
    assert_eq!(harmless(&escaped), escaped, "it is harmless already");
    // Whatever text it is read from, there are bytes.
    let lossy = String::from_utf8_lossy(bytes);
    assert_eq!(unescape(&escape(&unescape(&lossy))), unescape(&lossy));
    assert!(!harmless(&lossy).contains(|c| c != '\n' && is_control(c)), "{lossy:?}");
    assert!(!command_line(&Argv::from_nul_terminated(bytes)).contains(is_control), "{bytes:?}");
    let longest = usize::from(longest);
    let quoted = quoted(bytes, longest);
    let for_people = readable(bytes);
    assert!(!for_people.contains(is_control), "{for_people:?}");
    let [start, end] = [shown(bytes, longest), shown_end(bytes, longest)];
    assert_eq!(quoted, format!("'{start}'"));
    for (part, whole) in [(start.strip_suffix("..."), &start), (end.strip_prefix("..."), &end)] {
        assert!(!whole.contains(is_control) && whole.chars().count() <= longest + 3, "{whole:?}");
        assert!(for_people.contains(part.unwrap_or(whole)), "{whole} of {for_people}");
    }
    assert!(!path(Path::new(OsStr::from_bytes(bytes))).contains(is_control));
}
