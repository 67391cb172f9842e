//! Random events about so few pids and starts that reuse, duplicates, unknown processes and disorder abound.

use proptest::prelude::*;

use super::*;

/// What is done to both models.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Event(Box<Event>),
    Tick(u64),
}

const TIME: u64 = 60;

fn key() -> impl Strategy<Value = ProcKey> {
    // Few starts a pid, spread so that parents before and after their children come up.
    (0..7_u32, 0..4_u64).prop_map(|(pid, n)| ProcKey::new(pid, n * 11 + u64::from(pid)))
}

fn task() -> impl Strategy<Value = Task> {
    (key(), key(), 0..3_u32, 0..3_usize, session()).prop_map(|(key, parent, uid, name, session)| Task {
        creds: Creds { uid, ..Creds::default() },
        comm: Comm::new([&b"sh"[..], b"ls", b"make"][name]),
        session,
        ..Task::of(key, parent)
    })
}

/// Ids that change each for itself, and may not be known.
fn session() -> impl Strategy<Value = Session> {
    let id = || prop::option::of(0..2_u32);
    (id(), id(), id()).prop_map(|(sid, pgid, login_uid)| Session { sid, pgid, login_uid, ..Session::default() })
}

fn argv() -> impl Strategy<Value = Option<Argv>> {
    prop::option::of(prop::sample::select(vec!["sh", "ls"])).prop_map(|arg| arg.map(|arg| Argv::from_args([arg])))
}

fn status() -> impl Strategy<Value = ExitStatus> {
    let killed = ExitStatus::Signal { signal: 9, core: false };
    prop::sample::select(vec![ExitStatus::Code(0), ExitStatus::Code(1), killed])
}

fn event(ts_ns: u64) -> impl Strategy<Value = Event> {
    let found = (task(), argv(), prop::option::weighted(0.1, status()), any::<bool>()).prop_map(
        move |(task, argv, exited, repaired)| {
            let exited = exited.map(|status| crate::event::Zombie {
                status,
                cpu_ns: 7,
                user_ns: Some(3),
                run_delay_ns: Some(5),
            });
            Event::Process(Found {
                ts_ns,
                task,
                argv,
                argv_truncated: repaired,
                exe: None,
                cgroup: None,
                exited,
                repaired,
            })
        },
    );
    let fork = (task(), key()).prop_map(move |(task, forker)| Event::Fork(Forked { ts_ns, task, forker }));
    let exec = (task(), argv()).prop_map(move |(task, argv)| {
        Event::Exec(Execed { ts_ns, task, filename: None, exe: None, interp: None, argv, argv_truncated: false })
    });
    let exit = (task(), status(), 0..9_u64, prop::option::of(key())).prop_map(move |(task, status, cpu_ns, by)| {
        let cost = Some(Cost { cpu_ns, ..Cost::default() });
        let sender = by.map(|key| Sender { key, comm: task.comm, uid: 0 });
        let cause = if cpu_ns < 3 { KillCause::Oom } else { KillCause::User };
        let killer = sender.map(|_| Box::new(Killer { cause, sender }));
        Event::Exit(Exited { ts_ns, key: task.key, task: Some(task), status, cost, killer })
    });
    let end = key().prop_map(move |key| {
        Event::Exit(Exited { ts_ns, key, task: None, status: ExitStatus::Unknown, cost: None, killer: None })
    });
    let creds = task().prop_map(move |task| Event::Creds { ts_ns, key: task.key, creds: task.creds });
    let comm = task().prop_map(move |task| Event::Comm { ts_ns, key: task.key, comm: task.comm });
    let session = task().prop_map(move |task| Event::Session { ts_ns, key: task.key, session: task.session });
    let title = (key(), prop::sample::select(vec!["sh", "a title"])).prop_map(move |(key, title)| Event::Title {
        ts_ns,
        key,
        argv: Argv::from_args([title]),
        argv_truncated: false,
    });
    let parent = (key(), key()).prop_map(move |(key, parent)| Event::Parent { ts_ns, key, parent });
    let zombie = key().prop_map(move |key| Event::Zombie { ts_ns, key });
    let reaped = key().prop_map(move |key| Event::Reaped { ts_ns, key });
    prop_oneof![3 => found, 8 => fork, 4 => exec, 6 => exit, 1 => end, 1 => creds, 1 => comm, 1 => session, 1 => title, 2 => parent, 2 => zombie, 1 => reaped]
}

/// Time goes on, but not without stepping back now and then.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..TIME)
        .prop_flat_map(|ts_ns| prop_oneof![12 => event(ts_ns).prop_map(|event| Step::Event(Box::new(event))), 1 => Just(Step::Tick(ts_ns))]);
    let ts_ns = |step: &Step| match step {
        Step::Event(event) => event.ts_ns(),
        Step::Tick(now_ns) => *now_ns,
    };
    (prop::collection::vec(step, 1..80), any::<bool>()).prop_map(move |(mut steps, in_order)| {
        if in_order {
            steps.sort_by_key(ts_ns);
        } else {
            // Each only a little out of its place.
            steps.sort_by_key(|step| ts_ns(step) / 20);
        }
        steps
    })
}
