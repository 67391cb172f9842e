//! Events in any order, about so few processes that they meet: through the engine, with rows that follow.

use ptree_core::event::{Cost, Creds, Exe, Execed, Exited, Forked, Found, Task, Usage, Zombie};
use std::sync::Arc;

use ptree_core::facts::{Fact, Sort};
use ptree_core::rows::RowId;
use ptree_core::{Argv, Comm, Engine, Event, ExitStatus, Filter, Look, LossCount, LossKind, ProcKey, Rows, Session};

use crate::{caps, invariants};

/// Each step is a byte that says what it is and some that say about whom; behind the last byte there are zeros.
pub fn engine(bytes: &[u8]) {
    let mut script = Script { bytes, clock_ns: 0, wants_totals: false };
    let mut engine = Engine::new(caps());
    let mut rows = Rows::new(Look::default());
    let mut held = false;
    let mut frames = 0;
    let mut deltas = Vec::new();
    while !script.bytes.is_empty() {
        match script.byte() % 16 {
            0 => engine.tick(script.now(), &mut deltas),
            1 => held = script.look(&mut rows, held),
            kind => engine.ingest(&script.event(kind), &mut deltas),
        }
        for delta in deltas.drain(..) {
            rows.note(&delta);
        }
        // Several changes may come before a frame.
        if script.clock_ns.is_multiple_of(3) {
            rows.refresh(engine.tree(), |_| "");
            // What a filter on places says of others is asked again only after a second.
            frames += 1;
            rows.set_now(frames * 2_000_000_000);
            rows.refresh(engine.tree(), |_| "");
            invariants::check_rows(&rows, &engine, held);
            if script.wants_totals {
                invariants::check_totals(&rows, &engine);
            }
        }
        invariants::check(&engine);
    }
}

/// Of what a filter may look at, all but the time that passes.
const FILTERS: [&str; 10] = [
    "",
    "s",
    "comm=make",
    "argv~all or 1",
    "tree=1",
    "ancestor:comm=sh",
    "not parent:uid=1",
    "children>1",
    "depth<2 uid!=2",
    "ancestor:children>1 or parent:rss>5",
];

fn comm(byte: u8) -> Comm {
    Comm::new([&b"sh"[..], b"ls", b"make", b""][usize::from(byte & 3)])
}

struct Script<'a> {
    bytes: &'a [u8],
    clock_ns: u64,
    wants_totals: bool,
}

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        first
    }

    /// A small number, or one of the greatest.
    fn number(&mut self) -> u64 {
        match self.byte() {
            small @ ..250 => u64::from(small),
            great => u64::MAX >> (255 - great),
        }
    }

    /// Time goes on, stays, goes back a little or leaps.
    fn now(&mut self) -> u64 {
        self.clock_ns = match self.byte() {
            step @ ..32 => self.clock_ns.saturating_add(u64::from(step)),
            back @ 32..64 => self.clock_ns.saturating_sub(u64::from(back - 32)),
            second @ 64..128 => self.clock_ns.saturating_add(u64::from(second) * 100_000_000),
            255 => u64::MAX,
            _ => self.clock_ns.saturating_add(1),
        };
        self.clock_ns
    }

    /// Eight pids with few starts each, so that some parents begin after their children.
    fn key(&mut self) -> ProcKey {
        let byte = self.byte();
        let (pid, turn) = (byte & 7, byte >> 3 & 3);
        ProcKey::new(u32::from(pid), u64::from(turn) * 11 + u64::from(pid))
    }

    fn task(&mut self) -> Task {
        let (key, parent, byte) = (self.key(), self.key(), self.byte());
        Task {
            creds: Creds { uid: u32::from(byte & 3), ..Creds::default() },
            comm: comm(byte >> 2),
            cgroup_id: (byte & 16 != 0).then_some(7),
            threads: u32::from(byte >> 5),
            kernel: byte == 255,
            ..Task::of(key, parent)
        }
    }

    fn argv(&mut self) -> Option<Argv> {
        let len = usize::from(self.byte());
        (len > 0).then(|| Argv::from_nul_terminated(&b"make all\0".repeat(len)[..len]))
    }

    fn status(&mut self) -> ExitStatus {
        match self.byte() {
            255 => ExitStatus::Unknown,
            signal @ 128.. => ExitStatus::Signal { signal: signal - 128, core: signal & 1 == 1 },
            code => ExitStatus::Code(code),
        }
    }

    /// What a user may do to the rows; whether they are held now.
    fn look(&mut self, rows: &mut Rows, held: bool) -> bool {
        let (what, bits) = (self.byte(), self.byte());
        let on = bits & 1 == 1;
        match what % 11 {
            0 | 1 => rows.fold(RowId::Process(self.key()), on),
            2 => rows.fold(RowId::Joined { parent: self.key(), comm: comm(bits >> 1) }, on),
            3 => rows.fold_all(on),
            4 => rows.set_apart(on.then(|| self.key())),
            5 => rows.look_mut().lineage = invariants::LINEAGES[usize::from(on)],
            6 => {
                let look = rows.look_mut();
                (look.kernel, look.dead) = (bits & 2 == 0, bits & 4 == 0);
                look.join_from = usize::from(bits >> 3 & 3);
            }
            7 => {
                let filter = Filter::parse(FILTERS[usize::from(bits) % FILTERS.len()]);
                rows.look_mut().filter = filter.unwrap_or_else(|error| panic!("{error}"));
            }
            9 => rows.look_mut().root = on.then(|| self.key()),
            8 => {
                let by = Fact::sorts().nth(usize::from(bits >> 1) % Fact::sorts().count());
                rows.look_mut().sort = Sort { by: by.unwrap_or(Fact::Start), reversed: on };
            }
            _ if bits & 2 == 2 => {
                self.wants_totals = on;
                rows.want_totals(on);
            }
            _ => {
                rows.hold(on);
                return on;
            }
        }
        held
    }

    fn event(&mut self, kind: u8) -> Event {
        let ts_ns = self.now();
        match kind {
            2 | 3 => {
                let (task, argv, flags) = (self.task(), self.argv(), self.byte());
                let exited = (flags & 1 == 1).then(|| Zombie {
                    status: self.status(),
                    cpu_ns: self.number(),
                    user_ns: None,
                    run_delay_ns: None,
                });
                let repaired = flags & 2 == 2;
                let argv_truncated = flags & 4 == 4;
                Event::Process(Found { ts_ns, task, argv, argv_truncated, exe: None, cgroup: None, exited, repaired })
            }
            4..=7 => {
                let task = self.task();
                let forker = if self.byte() & 1 == 0 { task.parent } else { self.key() };
                Event::Fork(Forked { ts_ns, task, forker })
            }
            8 | 9 => {
                let (task, argv) = (self.task(), self.argv());
                let filename = argv.as_ref().and_then(|argv| argv.iter().next()).map(Into::into);
                let named = self.byte();
                let exe = filename.clone().filter(|_| named & 1 == 1).map(|path: Arc<[u8]>| Exe::at(path));
                let interp = filename.clone().filter(|_| named & 2 == 2);
                Event::Exec(Execed { ts_ns, task, filename, exe, interp, argv_truncated: argv.is_none(), argv })
            }
            10 | 11 => {
                let task = self.task();
                let cost = Cost { cpu_ns: self.number(), major_faults: self.number(), ..Cost::default() };
                let status = self.status();
                Event::Exit(Exited { ts_ns, key: task.key, task: Some(task), status, cost: Some(cost), killer: None })
            }
            12 => {
                let (key, status) = (self.key(), self.status());
                Event::Exit(Exited { ts_ns, key, task: None, status, cost: None, killer: None })
            }
            13 => Event::Parent { ts_ns, key: self.key(), parent: self.key() },
            14 => {
                let (key, cpu_ns, rss_bytes) = (self.key(), self.number(), Some(self.number()));
                Event::Usage(Usage {
                    ts_ns,
                    key,
                    cpu_ns,
                    user_ns: Some(cpu_ns / 2),
                    run_delay_ns: None,
                    rss_bytes,
                    read_bytes: rss_bytes,
                    write_bytes: None,
                    threads_begun: None,
                    threads: 3,
                    state: 'S',
                })
            }
            _ => match self.byte() {
                196.. => {
                    let (key, id) = (self.key(), self.key().pid);
                    let session = Session { sid: Some(id), pgid: Some(key.pid), ..Session::default() };
                    Event::Session { ts_ns, key, session }
                }
                other => self.change(other % 9, ts_ns),
            },
        }
    }

    fn change(&mut self, kind: u8, ts_ns: u64) -> Event {
        match kind {
            0 => Event::Creds { ts_ns, key: self.key(), creds: self.task().creds },
            1 => Event::Comm { ts_ns, key: self.key(), comm: self.task().comm },
            2 => {
                let (key, argv) = (self.key(), self.argv().unwrap_or_else(|| Argv::from_args(["a title"])));
                Event::Title { ts_ns, key, argv, argv_truncated: false }
            }
            3 => Event::Zombie { ts_ns, key: self.key() },
            4 => Event::Reaped { ts_ns, key: self.key() },
            5 => {
                let (key, byte) = (self.key(), self.byte());
                let cgroup_id = (byte & 1 != 0).then_some(u64::from(byte >> 5));
                Event::Moved { ts_ns, key, cgroup_id, cgroup: (byte & 2 != 0).then(|| (*b"/a").into()) }
            }
            7 => Event::Exe { ts_ns, key: self.key(), exe: ptree_core::event::Exe::at(*b"/x") },
            6 => Event::Cgroup { ts_ns, id: u64::from(self.byte() >> 5), path: (*b"/b").into() },
            _ => {
                let mut count = LossCount::default();
                LossKind::ALL.into_iter().for_each(|kind| count[kind] = self.number());
                Event::Lost { ts_ns, count }
            }
        }
    }
}
