//! All alerts of the session.

use ptree_core::{Alert, text};

use super::page::{PageColumn, PageKey, PageLine, Value};
use crate::app::App;

pub(super) const COLUMNS: &[PageColumn] = &[
    PageColumn { heading: "RAISED", width: 9 },
    PageColumn { heading: "STATE", width: 8 },
    PageColumn { heading: "LASTED", width: 8 },
    PageColumn { heading: "PEAK/S", width: 7 },
    PageColumn { heading: "SHARE", width: 6 },
    PageColumn { heading: "CULPRIT", width: 0 },
];
/// The latest first.
pub(super) const SORT: usize = 0;

pub(super) fn entries(app: &App) -> Vec<PageLine> {
    let line = |alert: &Alert| {
        let over = alert.cleared_ns.is_some();
        let lasted_ns = alert.cleared_ns.unwrap_or(app.now_ns()).saturating_sub(alert.raised_ns);
        let culprit = match alert.culprit {
            Some(key) => format!("{} [{}]", text::escape(alert.culprit_comm.as_bytes()), key.pid),
            None => "no subtree stood out".to_owned(),
        };
        PageLine {
            key: PageKey::Alert(alert.raised_ns),
            values: vec![
                Value::Moment(alert.raised_ns),
                Value::Text(if over { "over" } else { "lasting" }.to_owned()),
                Value::Span(lasted_ns),
                Value::Rate(alert.peak),
                if alert.culprit.is_some() { Value::Share(alert.share) } else { Value::None },
                Value::Text(culprit),
            ],
            faint: over,
        }
    };
    app.alerts().iter().map(line).collect()
}
