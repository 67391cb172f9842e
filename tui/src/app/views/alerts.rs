//! All alerts of the session.

use ptree_core::{Alert, Cause, text};

use super::page::{PageColumn, PageKey, PageLine, Value};
use crate::app::App;

pub(super) const COLUMNS: &[PageColumn] = &[
    PageColumn { heading: "RAISED", width: 9 },
    PageColumn { heading: "STATE", width: 8 },
    PageColumn { heading: "LASTED", width: 8 },
    PageColumn { heading: "RULE", width: 12 },
    PageColumn { heading: "MATCHED", width: 8 },
    PageColumn { heading: "PEAK/S", width: 7 },
    PageColumn { heading: "SHARE", width: 6 },
    PageColumn { heading: "CULPRIT", width: 0 },
];
/// The latest first.
pub(super) const SORT: usize = 0;

pub(super) fn entries(app: &App) -> Vec<PageLine> {
    let line = |alert: &Alert| {
        let over = alert.cleared_ns.is_some();
        let (count, peak, share) = match alert.cause {
            Cause::SpawnRate { peak, share, .. } if alert.culprit.is_some() => {
                (Value::None, Value::Rate(peak), Value::Share(share))
            }
            Cause::SpawnRate { peak, .. } => (Value::None, Value::Rate(peak), Value::None),
            Cause::Match { count, .. } => (Value::Count(count), Value::None, Value::None),
        };
        PageLine {
            key: PageKey::Alert(alert.id),
            values: vec![
                Value::Moment(alert.raised_ns),
                Value::Text(if over { "over" } else { "lasting" }.to_owned()),
                Value::Span(alert.lasted_ns(app.now_ns())),
                Value::Text(text::readable(alert.rule().as_bytes()).into_owned()),
                count,
                peak,
                share,
                Value::Text(alert.culprit_shown().unwrap_or_else(|| "no subtree stood out".to_owned())),
            ],
            faint: over,
        }
    };
    app.alerts().iter().map(line).collect()
}
