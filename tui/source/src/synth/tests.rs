//! Tests of the source by itself: that it is what was asked for, and always the same.

use std::collections::HashSet;

use ptree_core::ProcKey;

use super::*;

fn options(name: &str) -> Options {
    Options::new(name.parse().unwrap())
}

fn scenarios() -> impl Iterator<Item = Scenario> {
    Profile::ALL.into_iter().flat_map(|profile| [false, true].map(|lossy| Scenario { profile, lossy }))
}

#[test]
fn the_same_seed_gives_the_same_events_and_another_gives_others() {
    for scenario in scenarios() {
        let options = Options { events: Some(3000), ..Options::new(scenario) };
        assert!(Synth::new(options).eq(Synth::new(options)), "{scenario}");
        assert!(Synth::new(options).ne(Synth::new(Options { seed: 2, ..options })), "{scenario}");
    }
}

#[test]
fn what_a_seed_gives_stays_the_same_from_version_to_version() {
    let sums: Vec<_> = scenarios()
        // What becomes of losses is the tracker's business.
        .filter(|scenario| !scenario.lossy)
        .map(|scenario| {
            let synth = Synth::new(Options { events: Some(2000), ..Options::new(scenario) });
            // All that the engine is told: who, when, what.
            synth.fold(0_u64, |sum, event| {
                let (kind, key, more) = match &event {
                    Event::Process(found) => (1, found.task.key, u64::from(found.repaired)),
                    Event::Fork(fork) => (2, fork.task.key, fork.forker.start_ns),
                    Event::Exec(exec) => {
                        (3, exec.task.key, exec.argv.as_ref().map_or(0, |argv| argv.as_bytes().len() as u64))
                    }
                    Event::Exit(exit) => (4, exit.key, exit.cost.map_or(0, |cost| cost.cpu_ns)),
                    Event::Creds { key, creds, .. } => (5, *key, creds.uid.into()),
                    Event::Comm { key, comm, .. } => (6, *key, comm.as_bytes().len() as u64),
                    Event::Exe { key, exe, .. } => (16, *key, exe.path.len() as u64),
                    Event::Title { key, argv, .. } => (10, *key, argv.as_bytes().len() as u64),
                    Event::Session { key, session, .. } => (11, *key, session.sid.unwrap_or(0).into()),
                    Event::Parent { key, parent, .. } => (7, *key, parent.start_ns),
                    Event::Usage(usage) => (8, usage.key, usage.cpu_ns),
                    Event::Zombie { key, .. } => (12, *key, 0),
                    Event::Reaped { key, .. } => (13, *key, 0),
                    Event::Moved { key, cgroup_id, .. } => (14, *key, cgroup_id.unwrap_or(0)),
                    Event::Cgroup { id, path, .. } => (15, ProcKey::SWAPPER, id ^ path.len() as u64),
                    Event::Lost { count, .. } => (9, ProcKey::SWAPPER, count.total()),
                };
                [kind, key.pid.into(), key.start_ns, event.ts_ns(), more]
                    .iter()
                    .fold(sum, |sum, &word| sum.rotate_left(5).wrapping_mul(0x0100_0000_01b3) ^ word)
            })
        })
        .collect();
    let known = [
        5_881_294_636_433_130_920,
        18_421_286_107_624_644_796,
        247_339_467_788_734_063,
        10_726_902_057_811_695_677,
        6_786_763_439_350_503_833,
        12_548_683_107_856_077_696,
        7_052_857_005_896_533_894,
    ];
    assert_eq!(sums, known);
}

#[test]
fn names_are_read_and_wrong_ones_are_quoted() {
    for scenario in scenarios() {
        assert_eq!(scenario.to_string().parse(), Ok(scenario));
    }
    assert_eq!("lossy".parse(), Ok(Scenario { profile: Profile::Storm, lossy: true }));
    assert_eq!(
        "lossy-strom".parse::<Scenario>().unwrap_err().to_string(),
        "'lossy-strom' is no profile: take one of idle, build, storm, chain, star, reuse, containers, or one with \
         'lossy-' before it"
    );
}

#[test]
fn time_never_goes_back_and_no_process_comes_twice() {
    for profile in Profile::ALL {
        let options = Options { events: Some(20_000), ..Options::new(Scenario { profile, lossy: false }) };
        let (mut last_ns, mut forked) = (0, HashSet::new());
        for event in Synth::new(options) {
            assert!(event.ts_ns() >= last_ns, "{profile:?}: {event:?}");
            last_ns = event.ts_ns();
            if let Event::Fork(fork) = &event {
                assert!(forked.insert(fork.task.key), "{profile:?}: {event:?}");
                assert!(fork.forker.birth() < fork.task.key.birth() && fork.task.key.start_ns == fork.ts_ns);
            }
        }
    }
}

#[test]
fn size_and_rate_are_what_was_asked_for() {
    for profile in Profile::ALL {
        let size = 300;
        let options =
            Options { events: Some(20_000), size, rate: 1000.0, ..Options::new(Scenario { profile, lossy: false }) };
        let mut synth = Synth::new(options);
        let mut most = 0;
        while synth.next().is_some() {
            most = most.max(synth.world().live());
        }
        let size = u64::from(size);
        assert!((size / 2..size * 2).contains(&most), "{profile:?}: {most}");
        let took_ns = synth.world().now_ns() - options.begin_ns;
        // Rests are time without events.
        let slowest = if matches!(profile, Profile::Idle | Profile::Containers) { 200 } else { 22 };
        assert!((18..slowest).contains(&(took_ns / PASS_NS)), "{profile:?}: {took_ns}");
    }
}

#[test]
fn pids_are_used_again_where_there_are_few() {
    let mut pids = HashSet::new();
    let mut forks = 0;
    for event in Synth::new(Options { events: Some(30_000), ..options("reuse") }) {
        if let Event::Fork(fork) = event {
            forks += 1;
            pids.insert(fork.task.key.pid);
        }
    }
    assert!(pids.len() < 500 && forks > 8000, "{} pids of {forks}", pids.len());
}

#[test]
fn orphans_get_the_reaper_that_the_kernel_would_give_them() {
    let mut synth = Synth::new(Options { events: Some(20_000), ..options("containers") });
    let (mut shims, mut entered, mut inits, mut hosts) = (0, 0, 0, 0);
    let mut init_of = std::collections::HashMap::new();
    let mut ended = HashSet::<ProcKey>::new();
    while let Some(event) = synth.next() {
        match event {
            Event::Fork(fork) if fork.task.ns_pid == Some(1) => {
                init_of.insert(fork.task.pid_ns, (fork.task.key, fork.forker));
            }
            Event::Exec(exec) if exec.task.ns_pid == Some(1) => {
                // runc has ended: the shim that it was forked by is a subreaper.
                shims += u32::from(exec.task.comm.as_bytes() != b"systemd");
                let (_, runc) = init_of[&exec.task.pid_ns];
                assert!(ended.contains(&runc) && exec.task.parent != ProcKey::SWAPPER);
            }
            Event::Exit(exit) => {
                let task = exit.task.unwrap();
                assert!(!ended.contains(&task.parent), "{task:?} has a dead parent");
                ended.insert(exit.key);
            }
            Event::Parent { key, parent, .. } => {
                let pid_ns = synth.world().get(key).map(|living| synth.world().task(living).pid_ns);
                match pid_ns.and_then(|pid_ns| init_of.get(&pid_ns)) {
                    Some(&(init, _)) if init == key => {}
                    Some(&(init, _)) if parent == init => inits += 1,
                    // Put into the container from outside.
                    Some(&(init, _)) => {
                        assert_eq!(Some(parent), synth.world().get(init).map(|init| init.parent));
                        entered += 1;
                    }
                    None => hosts += 1,
                }
            }
            _ => {}
        }
    }
    assert!([shims, entered, inits, hosts].iter().all(|&n| n > 20), "{shims} {entered} {inits} {hosts}");
}
