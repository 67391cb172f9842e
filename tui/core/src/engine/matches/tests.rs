//! Tests of the rules that name processes by a filter.

use crate::testing::{SECOND, Scene};
use crate::{Alert, AlertLevel, AlertRule, Cause, Config, Delta, Filter, MatchRule};

/// Rules, each called by its text.
fn scene(rules: &[&str], script: &str) -> Scene {
    let rule = |text: &&str| MatchRule { name: (*text).into(), filter: Filter::parse(text).unwrap() };
    let alert = AlertRule { spawns_per_s: 0.0, ..AlertRule::default() };
    let mut scene = Scene::new(Config { alert, matches: rules.iter().map(rule).collect(), ..Config::default() });
    scene.engine.name_user(0, "root");
    scene.play(script);
    scene
}

fn told(deltas: Vec<Delta>) -> Vec<Alert> {
    deltas.into_iter().filter_map(|delta| if let Delta::Alert(alert) = delta { Some(alert) } else { None }).collect()
}

fn count(alert: &Alert) -> u64 {
    match alert.cause {
        Cause::Match { count, .. } => count,
        Cause::SpawnRate { .. } => panic!("{alert:?}"),
    }
}

#[test]
fn who_matches_is_told_of_once_as_soon_as_it_does() {
    let mut scene = scene(&["argv=evil and uid=0"], "found 1 0\nfork 1 10\ncomm 10 sshd\nfork 10 20");
    assert_eq!(scene.engine.alerts(), []);
    let raised = told(scene.play("exec 20 comm=evil -- evil"));
    let [alert] = &raised[..] else { panic!("{raised:?}") };
    assert_eq!((alert.culprit, alert.level(), count(alert)), (Some(scene.key(20)), AlertLevel::Raised, 1));
    assert_eq!(alert.to_string(), "'argv=evil and uid=0' matched evil [20]");
    assert!(told(scene.play("uid 20 1000\nexit 20")).is_empty());
    assert_eq!(scene.engine.alerts(), raised);
}

#[test]
fn those_that_follow_soon_are_counted_and_calm_ends_it() {
    let mut scene = scene(&["state=failed"], "found 1 0\nat 100");
    for pid in 10..15 {
        scene.play(&format!("fork 1 {pid}\nexit {pid} 1"));
    }
    scene.play("fork 1 15\nexit 15");
    let [alert] = scene.engine.alerts() else { panic!("{:?}", scene.engine.alerts()) };
    assert_eq!((count(alert), alert.culprit), (5, Some(scene.key(14))));
    let end = scene.clock_ns / SECOND;
    let over = told(scene.play(&format!("at {}\ntick", end + 10)));
    assert_eq!(over.iter().map(Alert::level).collect::<Vec<_>>(), [AlertLevel::Cleared]);
    assert!(over[0].to_string().ends_with(": 'state=failed' matched 5 processes, p1 [14] the latest"), "{}", over[0]);
    scene.play("fork 1 16\nexit 16 SIGKILL");
    assert_eq!(scene.engine.alerts().len(), 2, "a new one");
    assert_eq!(scene.engine.alerts()[1].culprit, Some(scene.key(16)));
}

/// The last one is not kept back for good.
#[test]
fn what_comes_right_after_another_is_told_a_little_later() {
    let mut scene = scene(&["state=failed"], "found 1 0\nat 100");
    let told = |scene: &mut Scene, text: &str| -> Vec<_> {
        told(scene.play(text)).iter().map(|alert| alert.culprit.unwrap().pid).collect()
    };
    assert_eq!(told(&mut scene, "fork 1 10\nexit 10 1"), [10]);
    assert_eq!(told(&mut scene, "every 1ms\nfork 1 11\nexit 11 1"), []);
    assert_eq!(told(&mut scene, "wait 2s\ntick"), [11]);
}

/// Without any rule, until it is switched off.
#[test]
fn whom_the_kernel_kills_for_lack_of_memory_is_told_of() {
    let mut scene = scene(&[], "found 1 0\nfork 1 10 comm=java\nfork 1 11\nfork 1 12\nexit 12 SIGKILL by=11\nat 100");
    assert_eq!(scene.engine.alerts(), []);
    let raised = told(scene.play("exit 10 SIGKILL cause=oom by=11"));
    let [alert] = &raised[..] else { panic!("{raised:?}") };
    assert_eq!((alert.culprit, alert.rule()), (Some(scene.key(10)), "out of memory"));
    assert_eq!(alert.to_string(), "'out of memory' matched java [10]");
    let over = told(scene.play("at 110\ntick"));
    assert_eq!(over.iter().map(Alert::level).collect::<Vec<_>>(), [AlertLevel::Cleared]);
    // Another one right after it is told of by name, whatever is held back of other rules.
    let next =
        told(scene.play("every 1ms\nfork 1 12\nexit 12 SIGKILL cause=oom\nfork 1 13\nexit 13 SIGKILL cause=oom"));
    assert_eq!(next.iter().map(|alert| alert.culprit.unwrap().pid).collect::<Vec<_>>(), [12, 13]);
    let mut silent = Scene::new(Config { alert_out_of_memory: false, ..Config::default() });
    assert!(told(silent.play("found 1 0\nfork 1 10\nexit 10 SIGKILL cause=oom")).is_empty());
}

#[test]
fn who_has_not_started_its_own_program_yet_is_not_taken_for_its_forker() {
    let mut scene = scene(&["comm=make"], "every 1ms\nfound 1 0\nfork 1 10\nexec 10 comm=make -- make");
    scene.play("fork 10 11\nuid 11 1000\nexec 11 comm=cc -- cc\nexit 11\nfork 10 12");
    assert_eq!(scene.engine.alerts().iter().map(|alert| alert.culprit).collect::<Vec<_>>(), [Some(scene.key(10))]);
    assert_eq!(count(&scene.engine.alerts()[0]), 1);
    scene.play("wait 1s\ntick");
    let [alert] = scene.engine.alerts() else { panic!("{:?}", scene.engine.alerts()) };
    assert_eq!((count(alert), alert.culprit), (2, Some(scene.key(12))), "it stays a make");
    scene.play("fork 10 13\nexit 13\ntick");
    assert_eq!(count(&scene.engine.alerts()[0]), 3, "so was one that ended");
    assert!(scene.engine.matches.unsettled.len() <= 1);
}

#[test]
fn it_lasts_as_long_as_one_that_matched_does_so_still() {
    let mut scene = scene(&["rss>1G"], "found 1 0\nfork 1 10\nexec 10 job\nusage 10 1 rss=2G\nat 60\ntick");
    assert_eq!(scene.engine.alerts()[0].level(), AlertLevel::Raised);
    scene.play("usage 10 2 rss=500M\nat 70\ntick");
    assert_eq!(scene.engine.alerts()[0].level(), AlertLevel::Cleared);
}

#[test]
fn a_name_that_comes_late_is_waited_for() {
    for (rule, told) in
        [("user=ann", Some(10)), ("ann", Some(10)), ("not user=root", Some(10)), ("user!=root", Some(10))]
    {
        let rules = vec![MatchRule { name: rule.into(), filter: Filter::parse(rule).unwrap() }];
        let mut scene = Scene::new(Config { matches: rules, ..Config::default() });
        scene.play("every 1ms\nat 100\nfound 1 0\nfork 1 10\nuid 10 1000\nexec 10 sleep 9");
        scene.engine.name_user(0, "root");
        scene.engine.name_user(1000, "ann");
        scene.play("wait 1s\ntick\nwait 1s\ntick\nwait 9s\ntick");
        let raised: Vec<_> = scene.engine.alerts().iter().filter_map(|alert| Some(alert.culprit?.pid)).collect();
        assert_eq!(raised, Vec::from_iter(told), "{rule}");
        assert!(scene.engine.matches.nameless.is_empty());
    }
    // Where none comes, as from a recording without names, users are known by number.
    let rules = vec![MatchRule { name: "1000".into(), filter: Filter::parse("user=1000").unwrap() }];
    let mut scene = Scene::new(Config { matches: rules, ..Config::default() });
    scene.play("found 1 0\nfork 1 10\nuid 10 1000\nexec 10 sleep 9\nwait 10s\ntick");
    assert_eq!(scene.engine.alerts().len(), 1);
}

#[test]
fn a_name_that_takes_too_long_is_not_waited_for() {
    let rules = vec![MatchRule { name: "1000".into(), filter: Filter::parse("user=1000").unwrap() }];
    let mut scene = Scene::new(Config { matches: rules, ..Config::default() });
    let script = "every 1ms\nat 100\nfound 1 0\nfork 1 10\nuid 10 1000\nexec 10 sleep 9\nwait 400ms\ntick";
    assert_eq!(told(scene.play(script)), [], "the name may still come");
    assert_eq!(told(scene.play("wait 120ms\ntick")).len(), 1);
}

#[test]
fn a_user_that_gets_another_name_is_judged_by_it() {
    let mut scene = scene(&["user=ann"], "found 1 0\nfork 1 10\nuid 10 1000\nexec 10 sleep 9\nfork 1 11");
    scene.engine.name_user(1000, "1000");
    assert_eq!(told(scene.play("wait 9s\ntick\nwait 9s\ntick")), []);
    scene.engine.name_user(1000, "ann");
    let raised = told(scene.play("wait 1s\ntick\nwait 1s\ntick"));
    assert_eq!(raised.iter().map(|alert| alert.culprit).collect::<Vec<_>>(), [Some(scene.key(10))]);
}

#[test]
fn a_chain_of_forks_is_walked_once_a_second_and_not_for_each_of_them() {
    let mut scene = scene(&["ancestor:comm=evil", "depth>19000"], "every 10us\nfound 1 0");
    for pid in 2..20_000 {
        scene.play(&format!("fork {} {pid}", pid - 1));
    }
    scene.play("wait 2s\ntick");
    let raised: Vec<_> = scene.engine.alerts().iter().map(|alert| (alert.rule().to_owned(), count(alert))).collect();
    assert_eq!(raised, [("depth>19000".to_owned(), 998)]);
}

#[test]
fn those_that_ended_are_judged_by_who_is_above_them() {
    let mut scene =
        scene(&["ancestor:comm=make and state=failed"], "every 1ms\nfound 1 0\nfork 1 10\nexec 10 comm=make -- make");
    scene.play("fork 10 11\nexec 11 cc\nexit 11 1\nfork 10 12\nexit 12\nfork 1 13\nexit 13 1\nwait 1s\ntick");
    let [alert] = scene.engine.alerts() else { panic!("{:?}", scene.engine.alerts()) };
    assert_eq!((alert.culprit, count(alert)), (Some(scene.key(11)), 1));
}

#[test]
fn names_of_users_time_that_passes_and_other_processes_play_their_part() {
    let rules = ["user=root and comm=sh", "lifetime>30s and comm=job", "children>2"];
    let mut scene = scene(&rules, "found 1 0\nfork 1 10\ncomm 10 job\nfork 1 11\ncomm 11 sh\nat 20\ntick");
    let raised = |scene: &Scene| -> Vec<_> {
        scene.engine.alerts().iter().map(|alert| (alert.rule().to_owned(), alert.culprit)).collect()
    };
    assert_eq!(raised(&scene), [(rules[0].to_owned(), Some(scene.key(11)))]);
    scene.play("at 40\ntick");
    assert_eq!(raised(&scene)[1], (rules[1].to_owned(), Some(scene.key(10))));
    scene.play("fork 10 20\nfork 10 21\nfork 10 22\nat 50\ntick");
    assert_eq!(raised(&scene)[2], (rules[2].to_owned(), Some(scene.key(10))));
}

#[test]
fn a_pid_that_is_used_again_is_another_process_and_nobody_is_remembered_for_ever() {
    let rule = MatchRule { name: "sh".into(), filter: Filter::parse("comm=sh").unwrap() };
    let mut scene = Scene::new(Config { keep_ns: SECOND, matches: vec![rule], ..Config::default() });
    for _ in 0..3 {
        scene.play("fork 1 10\ncomm 10 sh\nexit 10");
        let now = scene.clock_ns / SECOND;
        scene.play(&format!("at {}\ntick", now + 20));
    }
    assert_eq!(scene.engine.alerts().len(), 3);
    assert!(scene.engine.matches.watched[0].known.is_empty());
}
