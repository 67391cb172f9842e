//! Tests of the rules that name processes by a filter.

use crate::testing::{SECOND, Scene};
use crate::{Alert, AlertLevel, Cause, Config, Delta, Filter, MatchRule};

/// Rules, each called by its text.
fn scene(rules: &[&str], script: &str) -> Scene {
    let rule = |text: &&str| MatchRule { name: (*text).into(), filter: Filter::parse(text).unwrap() };
    let mut scene = Scene::new(Config { matches: rules.iter().map(rule).collect(), ..Config::default() });
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
    let mut scene = scene(&["argv=evil and ancestor:comm=sshd"], "found 1 0\nfork 1 10\ncomm 10 sshd\nfork 10 20");
    assert_eq!(scene.engine.alerts(), []);
    let raised = told(scene.play("exec 20 comm=evil -- evil"));
    let [alert] = &raised[..] else { panic!("{raised:?}") };
    assert_eq!((alert.culprit, alert.level(), count(alert)), (Some(scene.key(20)), AlertLevel::Raised, 1));
    assert_eq!(alert.to_string(), "'argv=evil and ancestor:comm=sshd' matched evil [20]");
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
