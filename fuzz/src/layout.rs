//! Bytes as a file of BTF could hold: through the reader, the table of members and what `doctor --layout` shows.

use ptree_common::layout::{MISSING, Offsets};
use ptree_source::btf::Btf;
use ptree_source::layout::{Layout, Lookup};

/// A blob. Whatever is in it, what is found is within bounds, and a part that lacks a member is left out whole.
pub fn btf(bytes: &[u8]) {
    let Ok(btf) = Btf::parse(bytes) else { return };
    let layout = Layout::of(&btf, |_| false);
    let names: Vec<String> = layout.members.iter().map(|row| row.name()).collect();
    assert!(names.iter().all(|name| name.contains('.')));
    for row in &layout.members {
        if let Lookup::Found(found) | Lookup::Unfit(found) = &row.lookup {
            assert!(!found.ty.chars().any(char::is_control), "{:?}", found.ty);
        }
    }
    for part in layout.lost() {
        assert!(layout.lacking(part).next().is_some(), "{part:?}");
    }
    if layout.check().is_ok() && layout.lost().next().is_none() {
        assert_ne!(layout.offsets, Offsets::UNSET);
        assert_ne!(layout.offsets.task_comm, MISSING);
    }
    for id in 0..64 {
        let _ = btf.type_name(id);
    }
    let _ = btf.tracepoint_args("sched_process_exit");
    let _ = btf.member("task_struct", "comm[4294967295]");
}
