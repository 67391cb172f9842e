//! Who launches most, and whose finished children cost most: by process, or by the name of the launcher.

use ptree_core::engine::churn::{Account, Toll};
use ptree_core::{Comm, text};

use super::page::{PageColumn, PageKey, PageLine, Value};
use crate::app::App;
use crate::label;

pub(super) const COLUMNS: &[PageColumn] = &[
    PageColumn { heading: "PID", width: 8 },
    PageColumn { heading: "/S", width: 6 },
    PageColumn { heading: "SPAWNED", width: 8 },
    PageColumn { heading: "CPU", width: 7 },
    PageColumn { heading: "FAILED", width: 7 },
    PageColumn { heading: "LONGEST", width: 8 },
    PageColumn { heading: "LAUNCHER", width: 0 },
];
/// By rate.
pub(super) const SORT: usize = 1;

pub(super) fn entries(app: &App) -> Vec<PageLine> {
    let (churn, now_ns) = (app.churn(), app.now_ns());
    let line = |key, pid, account: &Account, name, faint| {
        let rate = Value::Rate(account.spawns_per_s(now_ns));
        PageLine { key, values: values(pid, rate, &account.toll, name), faint }
    };
    let (mut lines, rest): (Vec<_>, _) = if app.churn_by_name() {
        let names = churn.programs().iter();
        let lines = names.map(|(comm, account)| line(PageKey::Name(comm), Value::None, account, name(comm), false));
        (lines.collect(), churn.programs().rest())
    } else {
        let launchers = churn.launchers().iter().map(|(key, account)| {
            let process = app.tree().get(key);
            let launcher = match process {
                Some(process) => format!("{} {}", label::program(process), label::arguments(process, 200)),
                None => format!("{}  (has left the tree)", name(account.comm)),
            };
            let faint = process.is_none_or(|process| !process.is_alive());
            line(PageKey::Launcher(key), Value::Id(key.pid), account, launcher.trim_end().to_owned(), faint)
        });
        (launchers.collect(), churn.launchers().rest())
    };
    if *rest != Toll::default() {
        let name = "(the rest, of whom only this is kept)".to_owned();
        lines.push(PageLine { key: PageKey::Rest, values: values(Value::None, Value::None, rest, name), faint: true });
    }
    lines
}

fn name(comm: Comm) -> String {
    if comm.as_bytes().is_empty() { "?".to_owned() } else { text::readable(comm.as_bytes()).into_owned() }
}

fn values(pid: Value, rate: Value, toll: &Toll, name: String) -> Vec<Value> {
    vec![
        pid,
        rate,
        Value::Count(toll.spawned),
        Value::Span(toll.cpu_ns),
        Value::Count(toll.failed),
        Value::Span(toll.longest_ns),
        Value::Text(name),
    ]
}
