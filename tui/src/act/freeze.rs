//! Stopping a subtree that forks while it is being stopped.
//!
//! One that is stopped forks no more: once all its threads stand still, the list of its children in /proc is final. So
//! each one is stopped first and its children are read afterwards, again and again until all stand still and no child
//! is new. What this cannot find are those whose parent ended in between, as they belong to another parent by then; the
//! tree knows them by who forked them, and whoever gave the order gives another for those.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ptree_core::{ProcKey, text};
use ptree_source::bounded;
use ptree_source::procfs::{self, Stat};
use rustc_hash::FxHashSet;
use rustix::process::Signal;

use super::{Failed, Failure, Order, Report, send};

/// How long one order is worked at beyond its own targets. One that waits for a disk stands still only after that.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at those that do not stand still yet.
const PAUSE: Duration = Duration::from_millis(2);

/// Bytes that are read of a list of children: there are no more pids than these have room for.
const CHILDREN_MAX: usize = 32 << 20;

/// Pid and start in ticks, which is all that /proc tells.
type Identity = (u32, u64);

fn identity(key: ProcKey) -> Identity {
    (key.pid, procfs::start_ticks(key))
}

pub(super) fn freeze(order: &Order, report: &mut Report) {
    let begun = Instant::now();
    let spared: FxHashSet<u32> = order.spared.iter().map(|key| key.pid).chain([1, std::process::id()]).collect();
    let mut met: FxHashSet<Identity> = FxHashSet::default();
    let mut restless: VecDeque<ProcKey> = VecDeque::new();
    for target in &order.targets {
        let stopped = target.seen_from_here().and_then(|key| {
            let is_spared = spared.contains(&target.key.pid) || spared.contains(&key.pid);
            if is_spared { Err(Failure::Protected) } else { send::signal(key, Signal::STOP).map(|()| key) }
        });
        match stopped {
            Ok(key) => {
                report.done.push(target.key);
                met.insert(identity(key));
                restless.push_back(key);
            }
            Err(why) => report.failed.push(Failed { key: target.key, name: target.name.clone(), why }),
        }
    }
    // Breadth first, so that those nearest the root are done with first.
    while !restless.is_empty() && begun.elapsed() < PATIENCE {
        for _ in 0..restless.len() {
            let Some(key) = restless.pop_front() else { break };
            // Asked first: who stands still now had all these children then.
            let still = stands_still(key.pid);
            let children = children(key.pid);
            for child in children.into_iter().filter(|pid| !spared.contains(pid)) {
                let lives = |stat: &Stat| !matches!(stat.state, 'Z' | 'X') || stat.is_leaderless();
                let Some(stat) = Stat::read(child).filter(lives) else { continue };
                let child = ProcKey::new(child, stat.start_ns());
                if !met.insert(identity(child)) {
                    continue;
                }
                match send::signal(child, Signal::STOP) {
                    Ok(()) => {
                        report.done.push(child);
                        restless.push_back(child);
                    }
                    Err(Failure::Gone) => {}
                    Err(why) => {
                        let name = format!("{} [{}]", text::readable(&stat.comm), child.pid);
                        report.failed.push(Failed { key: child, name, why });
                    }
                }
            }
            if !still && begun.elapsed() < PATIENCE {
                restless.push_back(key);
            }
        }
        if !restless.is_empty() {
            sleep(PAUSE);
        }
    }
}

/// Whether no thread of a process runs any more.
fn stands_still(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let mut threads = threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    threads.all(|thread: u32| Stat::read(thread).is_none_or(|stat| matches!(stat.state, 'T' | 't' | 'Z' | 'X')))
}

/// The children of a process, each thread having its own. None where the kernel was built without that list.
fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let lists = threads.filter_map(|entry| {
        let list = File::open(entry.ok()?.path().join("children")).ok()?;
        bounded::text(list, CHILDREN_MAX).ok()
    });
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}
