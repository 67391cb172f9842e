//! Tests of the alert: when it is raised, whom it names, when it ends.

use super::*;
use crate::testing::{SECOND, Scene};
use crate::{Alert, AlertLevel, Config};

/// A busy machine: init, a shell under it, and workers of the shell.
fn scene() -> Scene {
    Scene::of("found 1 0\nfork 1 10\ncomm 10 bash\nfork 10 20\nfork 10 21\nfork 10 22\nfork 1 30")
}

/// For this many seconds, forks evenly spread over the forkers; what was told of alerts.
fn storm(scene: &mut Scene, second: u64, seconds: u64, per_s: u64, forkers: &[u32]) -> Vec<Alert> {
    let mut deltas = Vec::new();
    for n in 0..seconds * per_s {
        scene.clock_ns = second * SECOND + n * SECOND / per_s - SECOND;
        let forker = forkers[n as usize % forkers.len()];
        deltas.extend(scene.play(&format!("fork {forker} {}", 1000 + n)));
    }
    scene.clock_ns = (second + seconds - 1) * SECOND;
    deltas.extend(scene.play("tick"));
    alerts(deltas)
}

/// Rate when raised, peak and the culprit's share.
fn figures(alert: &Alert) -> [f64; 3] {
    match alert.cause {
        Cause::SpawnRate { rate, peak, share, .. } => [rate, peak, share],
        Cause::Match { .. } => panic!("{alert:?}"),
    }
}

fn alerts(deltas: Vec<Delta>) -> Vec<Alert> {
    deltas.into_iter().filter_map(|d| if let Delta::Alert(alert) = d { Some(alert) } else { None }).collect()
}

/// They are told of by measurements and by ends, many at once; those of one that was found are counted from then on.
#[test]
fn a_storm_of_threads_is_an_alert_of_its_own() {
    let mut scene = Scene::of("every 1ms\nfound 1 0\nfork 1 10\nexec 10 comm=pool -- pool\nfork 1 20\nfound 30 1");
    let mut told = alerts(scene.play("at 100\nusage 30 1 begun=90000\nusage 20 1 begun=1\nusage 10 1 begun=4001"));
    told.extend(alerts(scene.play("at 101\nusage 30 2 begun=90001\nusage 10 2 begun=8001\nat 102\ntick")));
    let first = told.first().unwrap();
    assert_eq!((first.rule(), first.culprit), ("thread_rate", Some(scene.key(10))));
    assert!((1900.0..2200.0).contains(&figures(first)[0]), "4000 in two seconds: {first}");
    assert!(first.to_string().starts_with("thread rate 2") && first.to_string().ends_with("/s: 100 % below pool [10]"));
    assert_eq!(scene.engine.stats().threads, 8001, "beside first ones");
    // Of the end of one, what was not told before.
    scene.play("at 103\nexit 10 begun=8003\nexit 20 begun=1");
    assert_eq!(scene.engine.stats().threads, 8003);
    let mut silent =
        Scene::new(Config { alert: AlertRule { threads_per_s: 0.0, ..AlertRule::default() }, ..Config::default() });
    assert_eq!(alerts(silent.play("found 1 0\nfork 1 10\nat 100\nusage 10 1 begun=9000\nat 101\ntick")), []);
}

#[test]
fn a_storm_is_told_once_a_second_and_ends_after_calm() {
    let mut scene = scene();
    assert_eq!(storm(&mut scene, 100, 5, 150, &[20]), [], "below the threshold");
    let told = storm(&mut scene, 200, 10, 400, &[20]);
    assert!((9..=10).contains(&told.len()), "{}", told.len());
    let first = &told[0];
    assert!(first.raised_ns >= 200 * SECOND + 9 * SECOND / 10 && first.raised_ns <= 202 * SECOND, "{first:?}");
    assert!((200.0..240.0).contains(&figures(first)[0]) && first.level() == AlertLevel::Raised);
    assert!(told.iter().all(|alert| alert.raised_ns == first.raised_ns && alert.culprit == Some(scene.key(20))));
    assert!((figures(told.last().unwrap())[1] - 400.0).abs() < 20.0);
    let mut calm = Vec::new();
    for second in 211..220 {
        calm.extend(alerts(scene.play(&format!("at {second}\ntick"))));
    }
    // The window still holds the storm for a moment.
    calm.retain(|alert| alert.level() == AlertLevel::Cleared);
    let [over] = &calm[..] else { panic!("{calm:?}") };
    assert_eq!(over.level(), AlertLevel::Cleared);
    assert!(over.cleared_ns.unwrap() >= 213 * SECOND && over.cleared_ns.unwrap() <= 216 * SECOND);
    assert_eq!(scene.engine.alerts(), calm);
}

#[test]
fn a_lull_shorter_than_the_calm_asked_for_does_not_end_it() {
    let mut scene = scene();
    storm(&mut scene, 100, 4, 400, &[20]);
    let lull = storm(&mut scene, 104, 3, 50, &[20]);
    assert!(lull.iter().all(|alert| alert.level() == AlertLevel::Raised));
    storm(&mut scene, 107, 5, 130, &[20]);
    assert_eq!(scene.engine.alerts().len(), 1);
    assert_eq!(scene.engine.alerts()[0].cleared_ns, None, "between the marks it goes on");
    storm(&mut scene, 112, 8, 50, &[20]);
    assert!(scene.engine.alerts()[0].cleared_ns.is_some());
    storm(&mut scene, 200, 4, 400, &[20]);
    assert_eq!(scene.engine.alerts().len(), 2);
}

#[test]
fn the_culprit_is_the_deepest_that_most_forks_descend_from() {
    for (forkers, culprit, share) in [
        (&[20][..], Some(20), 1.0),
        (&[20, 21, 22], Some(10), 1.0),
        (&[20, 20, 20, 21], Some(20), 0.75),
        (&[10, 20, 10, 21], Some(10), 1.0),
        // One branch of two, and init above both: nobody stands out.
        (&[20, 30], None, 0.0),
        (&[1, 1, 1, 20], Some(1), 1.0),
    ] {
        let mut scene = scene();
        let told = storm(&mut scene, 100, 5, 400, forkers);
        let last = told.last().unwrap();
        assert_eq!(last.culprit, culprit.map(|pid| scene.key(pid)), "{forkers:?}");
        assert!((figures(last)[2] - share).abs() < 0.02, "{forkers:?}: {last:?}");
    }
}

#[test]
fn a_fork_chain_is_the_work_of_its_beginning() {
    let mut scene = scene();
    let mut told = Vec::new();
    for n in 0..2000_u64 {
        scene.clock_ns = 100 * SECOND + n * SECOND / 1000 - SECOND;
        told.extend(alerts(scene.play(&format!("fork {} {}", if n == 0 { 30 } else { 999 + n }, 1000 + n))));
    }
    let pid = told[0].culprit.unwrap().pid;
    assert!((1000..1200).contains(&pid), "more than 60 % of the forks are below {pid}");
}

#[test]
fn a_culprit_keeps_its_name_and_the_gone_leave_their_forks_to_their_parent() {
    let mut scene = Scene::new(Config { keep_max: 0, ..Config::default() });
    scene.play("found 1 0\nfork 1 10\ncomm 10 bash");
    let mut deltas = Vec::new();
    for n in 0..1200_u32 {
        scene.clock_ns = 100 * SECOND + u64::from(n) * SECOND / 300 - SECOND;
        // Each job of the shell forks a helper; both are gone at once.
        let (job, helper) = (1000 + 2 * n, 1001 + 2 * n);
        let script = format!("fork 10 {job}\nfork {job} {helper}\nexit {helper}\nexit {job}");
        for line in script.lines() {
            scene.clock_ns -= SECOND - 1000;
            deltas.extend(scene.play(line));
        }
    }
    let told = alerts(deltas);
    let last = told.last().unwrap();
    assert_eq!((last.culprit, last.culprit_comm), (Some(scene.key(10)), Comm::new(b"bash")));
    assert!(figures(last)[2] > 0.99, "{last:?}");
    scene.play("exit 10");
    assert!(scene.engine.tree().get(scene.key(10)).is_none());
    assert_eq!(scene.engine.alerts()[0].culprit_comm, Comm::new(b"bash"));
}

#[test]
fn forkers_are_forgotten_when_idle() {
    let mut scene = scene();
    storm(&mut scene, 100, 2, 100, &[20, 21, 22]);
    assert_eq!(scene.engine.watch.forkers.len(), 3);
    scene.play("at 110\ntick");
    assert_eq!(scene.engine.watch.forkers.len(), 0);
}

#[test]
fn a_threshold_of_zero_switches_it_off() {
    let alert = AlertRule { spawns_per_s: 0.0, ..AlertRule::default() };
    let mut scene = Scene::new(Config { alert, ..Config::default() });
    scene.play("found 1 0");
    assert_eq!(storm(&mut scene, 100, 4, 400, &[1]), []);
    assert!(scene.engine.alerts().is_empty());
}

#[test]
fn a_hundred_alerts_are_kept() {
    let mut watch = Watch::new(AlertRule { clear_ns: 0, ..AlertRule::default() }, Spawn::Processes);
    let (tree, mut alerts, mut deltas) = (Tree::default(), Alerts::default(), Vec::new());
    for n in 1..=150 {
        let now_ns = n * 20 * SECOND;
        for _ in 0..500 {
            watch.fork(now_ns, ProcKey::SWAPPER);
        }
        watch.advance(now_ns, &tree, &mut alerts, &mut deltas);
        watch.advance(now_ns + 10 * SECOND, &tree, &mut alerts, &mut deltas);
    }
    assert_eq!((alerts.all().len(), deltas.len()), (100, 300));
    assert_eq!(alerts.all()[0].raised_ns, 51 * 20 * SECOND);
}

#[test]
fn however_many_forkers_there_are_few_are_watched_and_the_culprit_is_found() {
    // 200,000 forks in the window by as many forkers, three of four below one process; then all at one instant.
    for step_ns in [10_000, 0] {
        let mut tree = Scene::of("found 1 0\nfork 1 10\nfork 1 20");
        let (guilty, other) = (tree.key(10), tree.key(20));
        let (mut deltas, mut alerts) = (Vec::new(), Alerts::default());
        let mut watch = Watch::new(AlertRule::default(), Spawn::Processes);
        for n in 0..200_000_u32 {
            let now_ns = 100 * SECOND + u64::from(n) * step_ns;
            let key = ProcKey::new(1000 + n, now_ns);
            let parent = if n % 4 == 0 { other } else { guilty };
            let crate::Event::Fork(mut fork) = tree.event(&["fork", "10", "30"]) else { unreachable!() };
            (fork.ts_ns, fork.forker, fork.task.key, fork.task.parent) = (now_ns, parent, key, parent);
            tree.engine.ingest(&crate::Event::Fork(fork), &mut deltas);
            watch.fork(now_ns, key);
            deltas.clear();
            watch.advance(now_ns, tree.engine.tree(), &mut alerts, &mut deltas);
        }
        assert!(watch.forkers.len() < 10 * SAMPLE as usize, "{}", watch.forkers.len());
        let found = watch.culprit(102 * SECOND - SECOND / 10, tree.engine.tree()).unwrap();
        assert_eq!(found.key, guilty, "{step_ns}");
        assert!((found.share - 0.75).abs() < 0.05, "{step_ns}: {}", found.share);
    }
}

#[test]
fn no_rate_is_shown_that_is_above_the_peak() {
    let mut scene = scene();
    storm(&mut scene, 200, 1, 400, &[20]);
    // Between two looks of the rule, the rate goes up.
    for n in 0..300 {
        scene.play(&format!("wait 10us\nfork 20 {}", 5000 + n));
    }
    scene.play("wait 10us\ntick");
    let shown = scene.engine.stats().forks_per_s;
    let [.., peak, _] = figures(scene.engine.alerts().last().unwrap());
    assert!(peak >= shown, "{peak} {shown}");
}
