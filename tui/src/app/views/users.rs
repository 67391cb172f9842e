//! Figures by user, of all that was counted.

use super::page::{PageColumn, PageKey, PageLine, Value};
use crate::app::App;

pub(super) const COLUMNS: &[PageColumn] = &[
    PageColumn { heading: "UID", width: 10 },
    PageColumn { heading: "LIVE", width: 6 },
    PageColumn { heading: "SPAWNED", width: 8 },
    PageColumn { heading: "/S", width: 6 },
    PageColumn { heading: "EXITED", width: 7 },
    PageColumn { heading: "FAILED", width: 7 },
    PageColumn { heading: "DEAD CPU", width: 9 },
    PageColumn { heading: "USER", width: 0 },
];
/// By what they started: unlike a rate, that is calm.
pub(super) const SORT: usize = 2;

pub(super) fn entries(app: &App) -> Vec<PageLine> {
    let line = |(uid, user): (&u32, &ptree_core::UidStats)| PageLine {
        key: PageKey::User(*uid),
        values: vec![
            Value::Id(*uid),
            Value::Count(user.live),
            Value::Count(user.spawned),
            Value::Rate(user.spawns_per_s),
            Value::Count(user.exited),
            Value::Count(user.failed),
            Value::Span(user.dead_cpu_ns),
            Value::Text(app.users().shown(*uid).into_owned()),
        ],
        faint: user.live == 0,
    };
    app.shown_stats().users.iter().map(line).collect()
}
