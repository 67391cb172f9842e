//! Tests of what events do, by situation. That it is right in all combinations is for `oracle` to show.

use super::*;
use crate::event::{Argv, Comm, Execed, ExitStatus, Found};
use crate::process::{Image, Lifecycle, Origin};
use crate::testing::{SECOND, Scene};
use crate::tree::Lineage;

fn args(scene: &Scene, pid: u32) -> Vec<String> {
    let argv = scene.get(pid).program().and_then(|program| program.argv.clone());
    argv.iter().flat_map(Argv::iter).map(|arg| String::from_utf8_lossy(arg).into_owned()).collect()
}

/// I5, and that nothing is counted twice.
fn assert_sums(scene: &Scene) {
    let (tree, stats) = (scene.engine.tree(), scene.engine.stats());
    assert_eq!(stats.live, tree.iter().filter(|process| process.is_alive()).count() as u64);
    assert_eq!(stats.forks + stats.found - stats.exits, stats.live);
    let sum = |count: fn(&crate::UidStats) -> u64| stats.users.values().map(count).sum::<u64>();
    let sums = [sum(|user| user.live), sum(|user| user.spawned), sum(|user| user.exited), sum(|user| user.failed)];
    assert_eq!(sums, [stats.live, stats.forks, stats.exits, stats.failed]);
}

#[test]
fn a_life_from_fork_to_exit() {
    let mut scene = Scene::of("found 1 0");
    let deltas = scene.play("fork 1 2 1000\nexec 2 /bin/ls -l");
    let key = scene.key(2);
    assert_eq!(deltas, [Delta::Added(key), Delta::Changed(key)]);
    let process = scene.get(2);
    assert_eq!((process.origin, process.forker(), process.execs()), (Origin::Forked, scene.key(1), 1));
    assert_eq!((*process.comm(), process.creds().uid), (Comm::new(b"ls"), 1000));
    assert_eq!(args(&scene, 2), ["/bin/ls", "-l"]);
    assert_eq!(scene.get(1).spawned, 1);
    assert_eq!(scene.play("exit 2 3"), [Delta::Ended(key)]);
    let process = scene.get(2);
    assert_eq!(process.life(), Lifecycle::Exited { at_ns: 4 * SECOND, status: ExitStatus::Code(3), inferred: false });
    assert_eq!((process.lifetime_ns(99 * SECOND), process.threads()), (2 * SECOND, 0));
    let user = &scene.engine.stats().users[&1000];
    assert_eq!((user.live, user.spawned, user.exited, user.failed, user.dead_cpu_ns), (0, 1, 1, 1, 1_000_000));
    assert_sums(&scene);
}

#[test]
fn a_file_that_is_deleted_while_it_runs_is_so_for_whom_it_was_seen_of() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nexec 2 file=d exe=/tmp/d -- d\nfork 2 3");
    let key = scene.key(2);
    assert_eq!(scene.play("exe 2 /tmp/d deleted"), [Delta::Changed(key)]);
    let image = scene.get(2).program().unwrap().clone();
    assert_eq!((image.exe(), image.filename(), image.is_deleted()), (Some(&b"/tmp/d"[..]), Some(&b"d"[..]), true));
    assert!(!scene.get(3).program().unwrap().is_deleted());
    assert_eq!(scene.play("exe 2 /tmp/d deleted"), []);
    assert_eq!(scene.play("exe 3 /tmp/e").len(), 1);
    scene.play("exit 2");
    assert_eq!(scene.play("exe 2 /tmp/f"), [], "the dead run nothing");
}

#[test]
fn a_zombie_stays_as_long_as_it_is_one_and_so_do_those_above_it() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nexit 3\nexit 4 5\nexit 2\nzombie 4");
    let deltas = scene.play("at 1h\ntick");
    assert_eq!(deltas, [], "whoever started it is kept for its sake");
    assert!(scene.get(4).is_zombie() && !scene.get(4).is_alive());
    assert_eq!((scene.engine.tree().zombies(), scene.engine.tree().pinned(), scene.engine.stats().live), (1, 2, 1));
    assert_eq!(scene.play("reaped 4\ntick").len(), 4, "told as changed, and then it and those above leave");
    assert_eq!((scene.engine.tree().zombies(), scene.engine.tree().len()), (0, 1));
    // A pid that is used again was free.
    let mut scene = Scene::of("found 1 0\nfork 1 2\nexit 2\nzombie 2");
    let first = scene.key(2);
    scene.play("fork 1 2");
    assert!(!scene.engine.tree().get(first).unwrap().is_zombie());
    scene.play("zombie 1\nzombie 2");
    assert!(!scene.get(1).is_zombie() && !scene.get(2).is_zombie(), "the living are not");
}

#[test]
fn i1_a_pid_in_use_again_ends_the_one_before() {
    let mut scene = Scene::of("found 1 0\nfork 1 2");
    let (first, forked_ns) = (scene.key(2), 3 * SECOND);
    let deltas = scene.play("fork 1 2");
    assert_eq!(deltas, [Delta::Ended(first), Delta::Added(scene.key(2))]);
    let old = scene.engine.tree().get(first).unwrap();
    assert_eq!(old.life(), Lifecycle::Exited { at_ns: forked_ns, status: ExitStatus::Unknown, inferred: true });
    assert_sums(&scene);
}

#[test]
fn i1_one_older_than_the_user_of_its_pid_is_dead() {
    let mut scene = Scene::of("found 1 0");
    scene.clock_ns += SECOND;
    let late = scene.event(&["fork", "1", "2"]);
    let old = scene.key(2);
    scene.play("fork 1 2\nexit 2");
    for dead_rival in [false, true] {
        if !dead_rival {
            scene.play("fork 1 2");
        }
        let mut deltas = Vec::new();
        scene.engine.ingest(&late, &mut deltas);
        let news = if dead_rival { vec![] } else { vec![Delta::Added(old), Delta::Ended(old)] };
        assert_eq!(deltas, news);
        assert_eq!(scene.engine.tree().live_by_pid(2).map(|process| process.key), Some(scene.key(2)));
    }
    assert_sums(&scene);
}

#[test]
fn i7_who_is_first_heard_of_at_exec_or_exit_is_a_marked_placeholder() {
    let mut scene = Scene::of("found 1 0\nexec 5 ls\nexit 6 SIGKILL\nend 7\nuid 8 3\ncomm 8 x\nparent 8 1\nusage 8 1");
    assert_eq!(scene.engine.tree().len(), 3);
    assert_eq!((scene.get(5).origin, scene.get(5).is_alive()), (Origin::Inferred, true));
    assert_eq!((scene.get(6).origin, scene.get(6).is_alive()), (Origin::Inferred, false));
    let stats = scene.engine.stats();
    assert_eq!((stats.found, stats.inferred, stats.execs, stats.exits, stats.failed), (3, 2, 1, 1, 1));
    scene.play("exec 0 swapper\nexit 0\nfork 1 0\nfound 0 0");
    assert_eq!(scene.engine.tree().len(), 3, "the idle task is no process");
    assert_sums(&scene);
}

#[test]
fn i8_what_comes_twice_counts_once() {
    let script = "found 1 0\nfork 1 2\nexec 2 ls\nuid 2 5\ncomm 2 x\nparent 2 1\nusage 2 7\nexit 2 1\nexit 9";
    let mut scene = Scene::new(Config::default());
    for line in script.lines() {
        scene.clock_ns += SECOND;
        let event = scene.event(&line.split(' ').collect::<Vec<_>>());
        let mut deltas = Vec::new();
        scene.engine.ingest(&event, &mut deltas);
        let once = format!("{:?}{:?}", scene.engine.tree().iter().collect::<Vec<_>>(), scene.engine.stats());
        deltas.clear();
        scene.engine.ingest(&event, &mut deltas);
        assert_eq!(deltas, [], "{line}");
        assert_eq!(once, format!("{:?}{:?}", scene.engine.tree().iter().collect::<Vec<_>>(), scene.engine.stats()));
    }
    assert_sums(&scene);
}

#[test]
fn i8_end_and_exec_are_never_before_the_start() {
    let mut scene = Scene::of("at 10\nfork 1 2\nat 3\nexec 2 ls");
    assert_eq!(scene.get(2).image().unwrap().since_ns(), Some(10 * SECOND));
    scene.play("at 20\nexec 2 ps\nat 2\nexit 2");
    assert_eq!(scene.get(2).lifetime_ns(0), 10 * SECOND, "not before its last exec");
}

#[test]
fn a_fork_heard_of_after_its_child_is_counted_once_and_mends_the_parent() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nexec 2 sh");
    for (pid, first) in [("3", "found 3 1"), ("4", "exec 4 sh")] {
        scene.clock_ns += SECOND;
        let fork = scene.event(&["fork", "2", pid]);
        scene.play(first);
        let key = scene.key(pid.parse().unwrap());
        let parent = scene.engine.tree().get(key).unwrap().forker();
        let mut deltas = Vec::new();
        scene.engine.ingest(&fork, &mut deltas);
        let moved = (parent != scene.key(2)).then_some(Delta::Moved(key));
        assert_eq!(deltas, moved.into_iter().chain([Delta::Changed(key)]).collect::<Vec<_>>());
        scene.engine.ingest(&fork, &mut deltas);
        assert_sums(&scene);
    }
    assert_eq!(scene.shape(Lineage::Forked), "1(2(3 4))");
    assert_eq!(scene.shape(Lineage::Kernel), "1(2(4) 3)");
    assert_eq!((scene.get(2).spawned, scene.get(3).origin, scene.get(4).origin), (2, Origin::Forked, Origin::Forked));
    let stats = scene.engine.stats();
    assert_eq!((stats.forks, stats.found, stats.inferred), (3, 1, 0));
    assert_eq!(args(&scene, 3), ["sh"]);
}

#[test]
fn a_seen_end_corrects_an_inferred_one() {
    let mut scene = Scene::of("found 1 0\nfork 1 2 7\nend 2");
    assert_eq!((scene.engine.stats().exits, scene.engine.stats().inferred), (1, 1));
    scene.play("at 3\nexit 2 SIGSEGV\nend 2");
    let status = ExitStatus::Signal { signal: 11, core: false };
    assert_eq!(scene.get(2).life(), Lifecycle::Exited { at_ns: 3 * SECOND, status, inferred: false });
    let stats = scene.engine.stats();
    assert_eq!((stats.exits, stats.inferred, stats.failed, stats.users[&7].failed), (1, 0, 1, 1));
    assert_eq!(stats.users[&7].dead_cpu_ns, 1_000_000);
    assert_sums(&scene);
}

#[test]
fn a_change_of_user_moves_the_living() {
    let mut scene = Scene::of("found 1 0\nfork 1 2 7\nuid 2 8");
    let live = |scene: &Scene| scene.engine.stats().users.iter().map(|(&uid, u)| (uid, u.live)).collect::<Vec<_>>();
    assert_eq!(live(&scene), [(0, 1), (7, 0), (8, 1)]);
    scene.play("exit 2 1\nuid 2 9");
    assert_eq!(live(&scene), [(0, 1), (7, 0), (8, 0)]);
    let users = &scene.engine.stats().users;
    assert_eq!((users[&7].spawned, users[&7].exited, users[&8].exited, users[&8].failed), (1, 0, 1, 1));
}

#[test]
fn both_lineages_are_kept_through_re_parenting_and_late_parents() {
    let scene = Scene::of("found 1 0\nfork 1 2\nfork 2 3\nfork 3 4\nexit 3\nparent 4 1");
    assert_eq!(scene.shape(Lineage::Forked), "1(2(3+(4)))");
    assert_eq!(scene.shape(Lineage::Kernel), "1(2(3+) 4)");
    assert!(scene.get(4).is_reparented());
    // A subreaper that has not been heard of yet, and a child before its parent.
    let mut scene = Scene::of("found 1 0");
    scene.clock_ns += SECOND;
    let parent = scene.event(&["fork", "1", "2"]);
    scene.play("fork 2 3\nfork 1 5\nparent 5 2");
    assert_eq!(scene.shape(Lineage::Forked), "1(5) 3");
    assert_eq!(scene.shape(Lineage::Kernel), "1 3 5");
    let (mut deltas, [two, three, five]) = (Vec::new(), [2, 3, 5].map(|pid| scene.key(pid)));
    scene.engine.ingest(&parent, &mut deltas);
    assert_eq!(deltas, [Delta::Added(two), Delta::Moved(three), Delta::Moved(five)]);
    assert_eq!(scene.shape(Lineage::Forked), "1(2(3) 5)");
    assert_eq!(scene.shape(Lineage::Kernel), "1(2(3 5))");
    assert_eq!(scene.get(2).spawned, 1);
}

#[test]
fn a_child_runs_its_forkers_program_of_the_time_until_it_execs() {
    let scene = Scene::of("found 1 0\nexec 1 init\nfork 1 2\nexec 1 other\nfork 2 3\nfork 3 4\nexec 4 ls");
    assert_eq!(args(&scene, 2), ["init"]);
    assert_eq!(args(&scene, 3), ["init"], "inherited from one that had inherited it");
    assert!(scene.get(3).image().is_none());
    assert_eq!(args(&scene, 4), ["ls"]);
    assert!(scene.get(4).inherited().is_none());
}

#[test]
fn what_is_found_later_is_added_but_nothing_newer_is_overwritten() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nexec 2 ls -l");
    let found = |scene: &mut Scene, pid: &str, comm: &str, argv: &str| {
        let Event::Process(found) = scene.event(&["found", pid, "1"]) else { unreachable!() };
        let mut task = found.task.clone();
        task.parent = if pid == "1" { ProcKey::SWAPPER } else { task.parent };
        task.comm = Comm::new(comm.as_bytes());
        Event::Process(Found { task, argv: Some(Argv::from_args([argv])), cgroup: Some((*b"/x").into()), ..found })
    };
    let mut deltas = Vec::new();
    scene.clock_ns -= 1;
    let stale = found(&mut scene, "2", "sh", "sh");
    scene.engine.ingest(&stale, &mut deltas);
    assert_eq!((*scene.get(2).comm(), args(&scene, 2)), (Comm::new(b"ls"), vec!["ls".into(), "-l".into()]));
    assert_eq!(scene.get(2).cgroup(), Some(&b"/x"[..]));
    scene.clock_ns += SECOND;
    let news = found(&mut scene, "1", "systemd", "/sbin/init");
    scene.engine.ingest(&news, &mut deltas);
    assert_eq!((*scene.get(1).comm(), args(&scene, 1)), (Comm::new(b"systemd"), vec!["/sbin/init".into()]));
    assert_eq!(deltas, [Delta::Changed(scene.key(2)), Delta::Changed(scene.key(1))]);
    scene.engine.ingest(&news, &mut deltas);
    assert_eq!(deltas.len(), 2);
    // Dead ones are not raised, living zombies are ended.
    scene.play("exit 2");
    let mut zombie = found(&mut scene, "2", "ls", "ls");
    scene.engine.ingest(&zombie, &mut deltas);
    assert!(!scene.get(2).is_alive());
    scene.play("fork 1 3");
    zombie = found(&mut scene, "3", "defunct", "");
    let Event::Process(found) = &mut zombie else { unreachable!() };
    found.exited =
        Some(crate::event::Zombie { status: ExitStatus::Code(4), cpu_ns: 9, run_delay_ns: None, user_ns: None });
    scene.engine.ingest(&zombie, &mut deltas);
    assert_eq!(scene.get(3).exit_status(), Some(ExitStatus::Code(4)));
    assert_sums(&scene);
}

#[test]
fn that_arguments_were_cut_is_known_of_those_found_as_well() {
    let mut scene = Scene::of("found 1 0 truncated -- /sbin/init long\nfound 2 1\nfound 3 1 -- short");
    scene.play("found 2 1 truncated repaired -- late long\nfound 3 1 repaired truncated -- another long");
    let cut = |pid| scene.get(pid).image().unwrap().argv_truncated;
    assert_eq!([1, 2, 3].map(cut), [true; 3]);
    scene.play("found 3 1 repaired -- again short");
    assert!(!scene.get(3).image().unwrap().argv_truncated);
}

#[test]
fn an_exec_told_late_of_a_program_already_found_is_not_a_second_program() {
    let mut scene = Scene::of("found 1 0\nfork 1 2");
    scene.clock_ns += SECOND;
    let exec = scene.event(&["exec", "2", "ls"]);
    scene.clock_ns += SECOND;
    let Event::Process(mut found) = scene.event(&["found", "2", "1"]) else { unreachable!() };
    found.argv = Some(Argv::from_args(["ls"]));
    let mut deltas = Vec::new();
    for event in [Event::Process(found), exec] {
        scene.engine.ingest(&event, &mut deltas);
    }
    let since: Vec<_> = scene.get(2).images().map(Image::since_ns).collect();
    assert_eq!((since, scene.get(2).execs()), (vec![Some(3 * SECOND)], 1));
}

#[test]
fn of_a_long_chain_of_programs_the_first_and_the_latest_are_kept() {
    let mut scene = Scene::of("found 1 0");
    for n in 0..40 {
        scene.play(&format!("exec 1 program{n}"));
    }
    let since: Vec<_> = scene.get(1).images().filter_map(Image::since_ns).collect();
    let kept = std::iter::once(2).chain(27..=41).map(|second| second * SECOND);
    assert_eq!(since, kept.collect::<Vec<_>>());
    assert_eq!(scene.get(1).execs(), 40);
}

#[test]
fn of_long_command_lines_between_the_first_and_the_latest_the_beginning_is_kept() {
    let mut scene = Scene::of("found 1 0");
    for n in 0..20 {
        scene.play(&format!("exec 1 program{n} {}", "argument ".repeat(3000)));
    }
    let images: Vec<_> = scene.get(1).images().collect();
    let kept: Vec<_> = images.iter().map(|image| image.argv.as_ref().unwrap().as_bytes().len()).collect();
    let full = |n: &str| n.len() + 1 + 3000 * "argument ".len();
    assert_eq!((kept[0], kept[15]), (full("program0"), full("program19")));
    assert!(kept[1..15].iter().all(|&bytes| (1000..=1024).contains(&bytes)), "{kept:?}");
    for (index, image) in images.into_iter().enumerate() {
        assert_eq!(image.argv_truncated, index != 0 && index != 15, "{index}");
        assert!(image.argv.as_ref().unwrap().iter().skip(1).all(|arg| arg == b"argument"));
    }
}

/// Like the share of a CPU: since the start at first, then between two looks; nothing where one of them does not tell, nor of
/// the dead.
#[test]
fn bytes_per_second_are_those_between_two_looks() {
    let rates = |scene: &Scene| (scene.get(2).read_rate(), scene.get(2).write_rate());
    let mut scene = Scene::of("found 1 0\nfork 1 2");
    assert_eq!(rates(&scene), (None, None));
    scene.play("usage 2 1 read=4096 write=100");
    assert_eq!(rates(&scene), (Some(4096.0), Some(100.0)));
    scene.play("at 7\nusage 2 1 read=12288");
    assert_eq!(rates(&scene), (Some(2048.0), None));
    scene.play("at 8\nusage 2 1 read=12000 write=100");
    assert_eq!(rates(&scene), (Some(0.0), None), "never less than nothing");
    scene.play("at 10\nusage 2 1 read=12288 write=300");
    assert_eq!(rates(&scene), (Some(0.0), Some(100.0)));
    scene.play("exit 2 0 read=12288 write=300");
    assert_eq!(rates(&scene), (None, None));
    assert_eq!(scene.get(2).cost().write_bytes, Some(300));
}

/// Those whose session is their own, and those that are in another's, keep what they are told each for itself.
#[test]
fn what_a_process_belongs_to_is_as_last_heard_and_stays_at_the_end() {
    let mut scene = Scene::of("found 1 0 sid=0 pgid=0 nice=0\nfork 1 2\nfork 1 3");
    let of = |scene: &Scene, pid| {
        let session = scene.get(pid).session();
        (session.sid, session.pgid, session.nice, session.tty.map(|tty| tty.as_bytes().to_vec()))
    };
    assert_eq!(of(&scene, 2), (Some(0), Some(0), Some(0), None));
    scene.play("session 2 sid=2 pgid=2 nice=5 tty=pts/1\nfork 2 4\nsession 3 sid=3 pgid=3\nexit 2");
    let terminal = Some(b"pts/1".to_vec());
    assert_eq!(of(&scene, 2), (Some(2), Some(2), Some(5), terminal.clone()));
    assert_eq!(of(&scene, 4), (Some(2), Some(2), Some(5), terminal));
    assert_eq!(of(&scene, 3), (Some(3), Some(3), Some(0), None));
    scene.play("session 4 pgid=4");
    assert_eq!((of(&scene, 4).0, of(&scene, 4).1), (Some(2), Some(4)));
}

#[test]
fn usage_is_measured_between_two_looks() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nusage 2 500");
    assert!((scene.get(2).cpu_share() - 0.5).abs() < 1e-6, "since its start");
    scene.play("at 5\nusage 2 2500\nat 4\nusage 2 0");
    let process = scene.get(2);
    assert!((process.cpu_share() - 1.0).abs() < 1e-6, "{}", process.cpu_share());
    assert_eq!((process.cost().cpu_ns, process.rss_bytes()), (2_500_000_000, Some(4096)));
    assert_eq!((process.threads(), process.state(), process.vitals().unwrap().measured_ns), (3, 'S', 5 * SECOND));
    assert_eq!(scene.play("at 7\nexit 2\nusage 2 9").len(), 1, "the dead use nothing");
}

#[test]
fn loss_adds_up() {
    let mut scene = Scene::of("lost 2");
    assert_eq!(scene.play("lost 3"), []);
    assert_eq!((scene.engine.stats().lost[crate::LossKind::Fork], scene.engine.stats().lost.total()), (5, 5));
}

#[test]
fn rates_and_history_follow_the_forks() {
    let mut scene = Scene::of("found 1 0\nat 99\ntick");
    for second in 100..103 {
        for n in 0..50 {
            scene.clock_ns = (second - 1) * SECOND + n * SECOND / 50;
            scene.play(&format!("fork 1 {} 7", second * 100 + n));
        }
    }
    scene.play("at 103\ntick");
    let stats = scene.engine.stats();
    assert_eq!(stats.fork_history[stats.fork_history.len() - 4..], [0, 50, 50, 50]);
    assert!((stats.forks_per_s - 50.0).abs() < 5.0, "{}", stats.forks_per_s);
    assert!((stats.users[&7].spawns_per_s - stats.forks_per_s).abs() < 1e-9);
    assert!((scene.engine.spawns_per_s(scene.key(1)) - stats.forks_per_s).abs() < 1e-9);
    scene.play("at 200\ntick");
    let stats = scene.engine.stats();
    assert_eq!((stats.fork_history.len(), stats.fork_history.iter().sum::<u32>()), (60, 0));
    assert!(stats.forks_per_s == 0.0 && stats.users[&7].spawns_per_s == 0.0);
}

#[test]
fn execs_without_arguments_are_execs() {
    let mut scene = Scene::of("found 1 0");
    scene.clock_ns += SECOND;
    let Event::Exec(exec) = scene.event(&["exec", "1", "x"]) else { unreachable!() };
    let exec = Execed { filename: None, argv: None, ..exec };
    scene.engine.ingest(&Event::Exec(exec), &mut Vec::new());
    assert_eq!((scene.get(1).execs(), scene.get(1).image().unwrap().argv.is_none()), (1, true));
}

#[test]
fn i8_a_program_found_by_repair_does_not_hide_the_exec_before_it() {
    let mut scene = Scene::of("found 1 0\nat 5\nfork 1 2\nat 12\nexec 2 sh");
    scene.clock_ns += SECOND;
    let Event::Process(found) = scene.event(&["found", "2", "1"]) else { unreachable!() };
    let found = Found { argv: Some(Argv::from_args(["lost"])), repaired: true, ..found };
    scene.engine.ingest(&Event::Process(found), &mut Vec::new());
    scene.play("at 11\nexec 2 older");
    assert_eq!((args(&scene, 2), scene.get(2).execs()), (vec!["lost".to_owned()], 1));
    scene.play("at 10\nexit 2");
    let Lifecycle::Exited { at_ns, .. } = scene.get(2).life() else { panic!() };
    assert_eq!(at_ns, 12 * SECOND);
}

#[test]
fn a_title_stands_for_the_arguments_until_the_next_exec() {
    let mut scene = Scene::of("found 1 0\nfork 1 2\nexec 2 server -x\nfork 2 3");
    let key = scene.key(3);
    assert_eq!(scene.play("title 3 -- 'server: worker'"), [Delta::Changed(key)]);
    assert_eq!(scene.play("title 3 -- 'server: worker'"), [], "I8");
    assert_eq!(
        (args(&scene, 3), args(&scene, 2)),
        (vec!["server: worker".to_owned()], vec!["server".into(), "-x".into()])
    );
    assert_eq!(scene.get(3).execs(), 0);
    scene.play("title 2 -- 'server: ready'\nexec 3 other");
    assert_eq!((args(&scene, 3), args(&scene, 2)), (vec!["other".to_owned()], vec!["server: ready".to_owned()]));
    // Of the time before the exec, of nobody, of one that has ended.
    scene.play("exit 2\ntitle 2 -- late\ntitle 9 -- nobody\nat 3\ntitle 3 -- early");
    assert_eq!((args(&scene, 3), args(&scene, 2)), (vec!["other".to_owned()], vec!["server: ready".to_owned()]));
}

#[test]
fn whoever_is_moved_has_another_cgroup_and_so_have_those_whom_he_forks() {
    let mut scene = Scene::of("found 1 0 cgroup_id=1 cgroup=/ -- /sbin/init\nfork 1 2 cgroup_id=1");
    let cgroup = |scene: &Scene, pid| scene.get(pid).cgroup().map(|path| String::from_utf8_lossy(path).into_owned());
    assert_eq!(cgroup(&scene, 2).as_deref(), Some("/"));
    assert_eq!(scene.play("move 2 cgroup_id=5 cgroup=/a.service"), [Delta::Changed(scene.key(2))]);
    assert_eq!(scene.play("move 2 cgroup_id=5 cgroup=/a.service"), [], "it is there already");
    scene.play("fork 2 3 cgroup_id=5");
    assert_eq!((cgroup(&scene, 3).as_deref(), cgroup(&scene, 1).as_deref()), (Some("/a.service"), Some("/")));
    // Of other hierarchies' moves the id says nothing.
    scene.play("move 3 cgroup_id=5 cgroup=/docker/x");
    assert_eq!((scene.get(3).cgroup_id(), cgroup(&scene, 3).as_deref()), (Some(5), Some("/docker/x")));
    // Born into another one, or found there by a record.
    scene.play("cgroup 7 /b.service\nfork 2 4 cgroup_id=7\nexec 3 cgroup_id=7 -- x\nfork 2 5 cgroup_id=8");
    assert_eq!([3, 4, 5].map(|pid| cgroup(&scene, pid)), [Some("/b.service".into()), Some("/b.service".into()), None]);
    // The dead stay where they were.
    scene.play("exit 4");
    assert_eq!(scene.play("move 4 cgroup_id=1 cgroup=/"), []);
    assert_eq!(cgroup(&scene, 4).as_deref(), Some("/b.service"));
}

#[test]
fn a_move_that_is_older_than_what_is_known_changes_nothing() {
    let mut scene = Scene::of("found 1 0 cgroup_id=1 cgroup=/ -- /sbin/init\nmove 1 cgroup_id=5 cgroup=/a");
    let key = scene.key(1);
    let moved = |ts_ns, id, path: &[u8]| Event::Moved { ts_ns, key, cgroup_id: Some(id), cgroup: Some(path.into()) };
    let mut deltas = Vec::new();
    scene.engine.ingest(&moved(SECOND / 2, 9, b"/old"), &mut deltas);
    assert_eq!((scene.get(1).cgroup(), deltas.len()), (Some(&b"/a"[..]), 0));
    // A record may have been begun before the move, and have come after it.
    let Event::Exec(exec) = scene.event(&["exec", "1", "cgroup_id=1", "--", "x"]) else { panic!() };
    scene.engine.ingest(&Event::Exec(Execed { ts_ns: SECOND / 2, ..exec }), &mut deltas);
    assert_eq!(scene.get(1).cgroup_id(), Some(5));
}
