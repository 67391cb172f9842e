//! Acting on processes and moving about, by keys typed into the whole app; what would be done outside is looked at, not
//! done.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{Machine, SECOND};
use ptree_core::ProcKey;
use ptree_tui::act::{Deed, Failed, Failure, Order, Report};
use ptree_tui::action::{Action, COMMANDS, Effect, Mode};
use ptree_tui::app::{Options, View};

/// A build of ann's and a daemon of root's.
fn busy() -> Machine {
    fill(Machine::booted())
}

fn fill(mut machine: Machine) -> Machine {
    machine.spawn(1001, 600, 1000, &["/usr/bin/make", "-j2", "all"]);
    machine.spawn(1002, 1001, 1000, &["/usr/bin/cc", "-c", "a.c"]);
    machine.spawn(1003, 1001, 1000, &["/usr/bin/cc", "-c", "b.c"]);
    machine.spawn(1004, 1003, 0, &["/usr/bin/as", "-o", "b.o"]);
    machine.spawn(1005, 1001, 1000, &["/usr/bin/ld", "-o", "all"]);
    machine.pass(SECOND);
    machine.code(1005, 1);
    machine.usage(1002, SECOND, 30 << 20, 'R');
    machine.screen(80, 24);
    machine
}

/// Selects a process by its pid.
fn select(machine: &mut Machine, pid: u32) {
    machine.keys(&format!("/{pid}<Enter><Esc>"));
    machine.screen(80, 24);
    assert_eq!(selected(machine), pid);
}

fn selected(machine: &mut Machine) -> u32 {
    machine.screen(80, 24);
    machine.app.list().selected().unwrap().nearest().pid
}

/// Presses keys, a frame after each as on a real screen: what is confirmed is what was drawn.
fn order(machine: &mut Machine, keys: &[&str]) -> Option<Order> {
    let mut effect = None;
    for key in keys {
        machine.screen(80, 24);
        effect = machine.keys(key);
    }
    match effect {
        Some(Effect::Act(order)) => Some(order),
        None => None,
        other => panic!("{other:?}"),
    }
}

fn pids(order: &Order) -> Vec<u32> {
    order.targets.iter().map(|target| target.key.pid).collect()
}

fn report(order: &Order, failed: &[(u32, Failure)]) -> Action {
    let why = |pid| failed.iter().find(|(failed, _)| *failed == pid).map(|(_, why)| why.clone());
    let done = order.targets.iter().map(|target| target.key).filter(|key| why(key.pid).is_none()).collect();
    let failed = order
        .targets
        .iter()
        .filter_map(|target| Some(Failed { key: target.key, name: target.name.clone(), why: why(target.key.pid)? }));
    Action::Acted(Report { deed: order.deed, done, failed: failed.collect(), nice: Some(7) })
}

fn message(machine: &Machine) -> String {
    machine.app.message().map(|message| message.text.clone()).unwrap_or_default()
}

#[test]
fn who_is_protected_is_left_out_and_told() {
    let mut machine = busy();
    machine.spawn(601, 600, 1000, &["/usr/bin/ptree-tui"]);
    select(&mut machine, 500);
    machine.keys("x<Tab><Enter>");
    insta::assert_snapshot!("protected_at_80x24", machine.screen(80, 24));
    machine.keys("!");
    let screen = machine.screen(80, 24);
    assert!(screen.contains("Even those that are protected!"), "{screen}");
}

#[test]
fn a_signal_goes_to_the_selected_process_once_it_is_confirmed() {
    let mut machine = busy();
    select(&mut machine, 1003);
    assert_eq!(order(&mut machine, &["x", "<Enter>", "<Enter>"]), None, "Enter twice confirms nothing");
    assert_eq!(machine.app.mode(), Mode::Confirm);
    let term = order(&mut machine, &["y"]).unwrap();
    assert_eq!((term.deed, pids(&term), term.even_protected), (Deed::Signal(15), vec![1003], false));
    assert_eq!(term.targets[0].key, machine.key(1003), "by its start, not by its pid alone");
    assert_eq!(machine.app.mode(), Mode::Tree);
    machine.app.update(report(&term, &[]));
    assert_eq!(message(&machine), "SIGTERM sent to cc [1003]");
    let nine = order(&mut machine, &["<F9>", "9", "<Enter>", "y"]).unwrap();
    assert_eq!(nine.deed, Deed::Signal(9));
    machine.app.update(report(&nine, &[(1003, Failure::Gone)]));
    assert_eq!(message(&machine), "SIGKILL not sent; cc [1003]: has gone already (ESRCH)");
    assert_eq!(order(&mut machine, &["x", "<Enter>", "n", "<Esc>"]), None);
    assert_eq!(machine.app.mode(), Mode::Tree);
}

#[test]
fn only_one_order_is_carried_out_at_a_time() {
    let mut machine = busy();
    select(&mut machine, 1003);
    let first = order(&mut machine, &["x", "<Enter>", "y"]).unwrap();
    assert_eq!(order(&mut machine, &["x"]), None);
    assert!(message(&machine).starts_with("Still at work: SIGTERM, cc [1003]"), "{}", message(&machine));
    assert_eq!(order(&mut machine, &["<F8>"]), None);
    machine.app.update(report(&first, &[]));
    assert_eq!(order(&mut machine, &["<F8>"]).unwrap().deed, Deed::Renice(1));
}

#[test]
fn the_tagged_are_meant_instead_of_the_selected() {
    let mut machine = busy();
    select(&mut machine, 1002);
    machine.keys("vv");
    assert_eq!((machine.app.tagged(), selected(&mut machine)), (2, 1004));
    let screen = machine.screen(80, 24);
    assert!(screen.contains("*cc -c a.c") && screen.contains("2 tagged"), "{screen}");
    assert_eq!(pids(&order(&mut machine, &["x", "<Enter>", "y"]).unwrap()), [1002, 1003]);
    machine.code(1002, 0);
    assert_eq!(machine.app.tagged(), 1, "the dead cannot be acted on");
    machine.keys("U");
    assert_eq!(machine.app.tagged(), 0);
    select(&mut machine, 1001);
    machine.keys("V");
    assert_eq!(machine.app.tagged(), 3);
    select(&mut machine, 1005);
    machine.keys("Uv");
    assert_eq!((machine.app.tagged(), message(&machine).contains("has ended")), (0, true));
}

#[test]
fn a_subtree_is_meant_with_whoever_lives_in_it_and_nobody_else() {
    let mut machine = busy();
    machine.spawn(601, 600, 1000, &["/usr/bin/ptree-tui"]);
    select(&mut machine, 600);
    let hup = order(&mut machine, &["x", "<Tab>", "hup", "<Enter>", "y"]).unwrap();
    assert_eq!((hup.deed, pids(&hup)), (Deed::Signal(1), vec![700, 1001, 1002, 1003, 1004]));
    machine.app.update(report(&hup, &[]));
    let hup = order(&mut machine, &["x", "<Tab>", "hup", "<Enter>", "!", "y"]).unwrap();
    assert_eq!((hup.even_protected, pids(&hup)), (true, vec![600, 700, 1001, 1002, 1003, 1004, 601]));
    // Those that fork while it is asked are meant too, but only once they have been seen.
    machine.app.update(report(&hup, &[]));
    select(&mut machine, 1003);
    assert_eq!(order(&mut machine, &["x", "<Tab>", "<Enter>"]), None);
    machine.screen(80, 24);
    machine.spawn(1009, 1003, 1000, &["/usr/bin/late"]);
    assert_eq!(
        machine.keys("y").map(|effect| matches!(effect, Effect::Act(order) if pids(&order) == [1003, 1004])),
        Some(true)
    );
}

#[test]
fn more_than_one_failure_is_listed_on_a_page() {
    let mut machine = busy();
    select(&mut machine, 1001);
    let order = order(&mut machine, &["x", "<Tab>", "<Enter>", "y"]).unwrap();
    machine.app.update(report(&order, &[(1001, Failure::Gone), (1004, Failure::Denied)]));
    insta::assert_snapshot!("failures_at_80x24", machine.screen(80, 24));
    machine.keys("<Esc>");
    assert_eq!(machine.app.mode(), Mode::Tree);
}

#[test]
fn freezing_goes_on_until_nobody_new_turns_up() {
    let mut machine = busy();
    select(&mut machine, 1001);
    let first = order(&mut machine, &["X", "y"]).unwrap();
    assert_eq!((first.deed, pids(&first)), (Deed::Freeze, vec![1001, 1002, 1003, 1004]));
    // One was forked meanwhile, whose forker has ended: init's by now, but known to be from here.
    machine.spawn(1010, 1003, 1000, &["/usr/bin/orphan"]);
    machine.code(1003, 0);
    machine.reparent(1010, 1);
    assert_eq!(machine.app.update(report(&first, &[(1003, Failure::Gone)])), None);
    assert_eq!(machine.app.tick(machine.now_ns), None, "the kernel is given time to tell");
    machine.now_ns += SECOND;
    let Some(Effect::Act(second)) = machine.app.tick(machine.now_ns) else { panic!() };
    assert_eq!((second.deed, pids(&second)), (Deed::Freeze, vec![1010]));
    assert_eq!(message(&machine), "Freezing: 3 stopped so far, round 2");
    // Found through /proc, hence with a start that is rounded down.
    machine.spawn(1011, 1010, 1000, &["/usr/bin/child"]);
    let key = machine.key(1011);
    let rounded = ProcKey::new(1011, key.start_ns / 10_000_000 * 10_000_000);
    let done = vec![machine.key(1010), rounded];
    machine.app.update(Action::Acted(Report { deed: Deed::Freeze, done, failed: vec![], nice: None }));
    machine.now_ns += SECOND;
    assert_eq!(machine.app.tick(machine.now_ns), None);
    assert_eq!(message(&machine), "Frozen: 5 processes, in 2 rounds");
    select(&mut machine, 1001);
    let thaw = order(&mut machine, &["x", "thaw", "<Enter>", "y"]).unwrap();
    assert_eq!((thaw.deed, pids(&thaw)), (Deed::Signal(18), vec![1011, 1010, 1004, 1002, 1001]), "leaves first");
}

#[test]
fn freezing_gives_up_on_what_cannot_be_held_and_says_so() {
    let mut machine = busy();
    select(&mut machine, 1001);
    let mut next = order(&mut machine, &["X", "y"]);
    let mut rounds = 0;
    while let Some(order) = next.take() {
        rounds += 1;
        machine.app.update(report(&order, &[]));
        machine.spawn(3000 + rounds, 1001, 1000, &["/usr/bin/again"]);
        machine.now_ns += SECOND;
        next = match machine.app.tick(machine.now_ns) {
            Some(Effect::Act(order)) => Some(order),
            _ => None,
        };
        assert!(rounds < 100);
    }
    assert_eq!(rounds, 20);
    assert!(message(&machine).ends_with("others still escape"), "{}", message(&machine));
}

#[test]
fn a_subtree_is_killed_only_once_it_stands_still() {
    let mut machine = busy();
    select(&mut machine, 1001);
    let freeze = order(&mut machine, &["x", "freeze and", "<Enter>", "y"]).unwrap();
    assert_eq!(freeze.deed, Deed::Freeze);
    machine.app.update(report(&freeze, &[]));
    machine.now_ns += SECOND;
    let Some(Effect::Act(kill)) = machine.app.tick(machine.now_ns) else { panic!() };
    assert_eq!((kill.deed, pids(&kill)), (Deed::Signal(9), vec![1001, 1002, 1003, 1004]));
    machine.app.update(report(&kill, &[]));
    assert_eq!(message(&machine), "Killed: 4 processes, frozen in 1 round");
}

#[test]
fn what_runs_this_program_is_never_frozen() {
    let mut machine = busy();
    machine.spawn(601, 600, 1000, &["/usr/bin/ptree-tui"]);
    select(&mut machine, 600);
    let freeze = order(&mut machine, &["X", "!", "y"]).unwrap();
    assert_eq!(pids(&freeze), [700, 1001, 1002, 1003, 1004]);
    let spared: Vec<u32> = freeze.spared.iter().map(|key| key.pid).collect();
    assert_eq!(spared, [600, 601]);
}

#[test]
fn in_a_pause_the_living_are_meant_not_the_picture() {
    let mut machine = busy();
    select(&mut machine, 1003);
    machine.keys("p");
    machine.code(1003, 0);
    assert_eq!(order(&mut machine, &["x", "<Enter>", "y"]), None);
    let screen = machine.screen(80, 24);
    assert!(screen.contains("Nobody is left"), "{screen}");
}

#[test]
fn what_may_only_look_has_neither_keys_nor_hints_nor_help_for_acting() {
    let mut machine = fill({
        let mut machine = Machine::with(Options {
            engine: ptree_core::engine::Config::default(),
            filter: ptree_core::Filter::default(),
            preferences: ptree_tui::app::Preferences::default(),
            zone: jiff::tz::TimeZone::UTC,
            is_here: true,
            read_only: true,
            own_pid: 601,
        });
        machine.found(1, 0, 0, &["/sbin/init"]);
        machine.found(600, 1, 1000, &["-bash"]);
        machine
    });
    select(&mut machine, 1003);
    for spec in COMMANDS.iter().filter(|spec| spec.acts()) {
        for key in spec.keys_in(Mode::Tree) {
            assert_eq!(machine.app.press(key), None, "{key}");
            assert_eq!((machine.app.mode(), machine.app.tagged()), (Mode::Tree, 0), "{key}");
            assert_eq!(message(&machine), "--read-only: processes are only looked at", "{key}");
        }
    }
    assert!(!machine.screen(200, 50).contains("signal"));
    machine.keys("?");
    let help = machine.screen(80, 120);
    assert!(!help.contains("Act on processes") && !help.contains("Freeze this subtree"), "{help}");
}

#[test]
fn in_a_recording_keys_that_act_say_why_they_do_not() {
    let mut machine = Machine::with(Options { is_here: false, read_only: false, ..Machine::options() });
    machine.found(1, 0, 0, &["/sbin/init"]);
    machine.screen(80, 24);
    for keys in ["x", "X", "v", "<F8>", "<Enter>x"] {
        assert_eq!(machine.keys(keys), None);
        assert_eq!(message(&machine), "A recording: there is nobody to act on", "{keys}");
    }
    machine.keys("<F12>");
    assert_eq!(message(&machine), "F12 does nothing here: ? tells all keys");
}

#[test]
fn on_one_that_has_ended_there_is_nobody_to_act_on() {
    let mut machine = busy();
    select(&mut machine, 1005);
    for keys in ["x", "X", "<Enter>x"] {
        machine.keys(keys);
        assert_eq!(message(&machine), "It has ended: nobody to act on", "{keys}");
        assert!(matches!(machine.app.mode(), Mode::Tree | Mode::Details), "{keys}");
    }
    machine.keys("<Esc>");
    machine.code(1003, 0);
    select(&mut machine, 1003);
    machine.keys("x");
    assert_eq!(message(&machine), "It has ended: Tab means those below it");
    assert_eq!(pids(&order(&mut machine, &["<Tab>", "<Enter>", "y"]).unwrap()), [1004]);
}

#[test]
fn from_the_page_on_a_process_it_is_acted_on_that_process_alone() {
    let mut machine = busy();
    select(&mut machine, 1002);
    machine.keys("v");
    select(&mut machine, 1003);
    machine.keys("<Enter>");
    machine.screen(80, 24);
    let freeze = order(&mut machine, &["X", "y"]).unwrap();
    assert_eq!((freeze.deed, pids(&freeze)), (Deed::Freeze, vec![1003, 1004]));
    assert_eq!(machine.app.mode(), Mode::Details);
    machine.app.update(report(&freeze, &[]));
    machine.pass(SECOND);
    let nice = order(&mut machine, &["<F7>"]).unwrap();
    assert_eq!((nice.deed, pids(&nice)), (Deed::Renice(-1), vec![1003]));
    machine.app.update(report(&nice, &[]));
    machine.keys("v");
    assert_eq!((machine.app.tagged(), message(&machine).as_str()), (2, "Process 1003 is tagged"));
    machine.keys("vV");
    assert_eq!(machine.app.tagged(), 3, "1002, and 1003 with what is below it");
    // Another row is selected when it is acted on: the first, which begins anew in another view.
    machine.keys("<F9>");
    assert_eq!(machine.app.mode(), Mode::Acts);
    assert!(machine.screen(80, 24).contains("To cc [1003]"));
    machine.keys("<Enter>");
    assert_eq!(machine.app.mode(), Mode::Confirm);
    machine.keys("<Esc><Esc>");
    assert_eq!(machine.app.mode(), Mode::Details);
    assert!(machine.app.details().unwrap().title().contains("[1003]"));
    let term = order(&mut machine, &["x", "<Enter>", "y"]).unwrap();
    assert_eq!((term.deed, pids(&term)), (Deed::Signal(15), vec![1003]));
    // To several of whom it could not be done: that page leads back, too.
    machine.app.update(report(&term, &[(1003, Failure::Gone)]));
    let kill = order(&mut machine, &["x", "<Tab>", "<Enter>", "y"]).unwrap();
    machine.app.update(report(&kill, &[(1003, Failure::Gone), (1004, Failure::Gone)]));
    assert_eq!(machine.app.mode(), Mode::Report);
    machine.keys("<Esc>");
    assert_eq!(machine.app.mode(), Mode::Details);
    machine.keys("<Esc>");
    assert_eq!((machine.app.mode(), selected(&mut machine)), (Mode::Tree, 1003));
}

#[test]
fn the_page_on_a_process_is_acted_on_though_another_row_is_selected() {
    let mut machine = busy();
    machine.keys("d");
    select(&mut machine, 1004);
    machine.keys("<Enter>");
    machine.screen(80, 24);
    // The dead are not shown: the nearest above is selected.
    machine.code(1004, 0);
    assert_eq!(selected(&mut machine), 1003);
    machine.keys("x");
    assert_eq!(message(&machine), "It has ended: nobody to act on", "nobody else is meant");
}

#[test]
fn focus_and_the_views_are_reached_from_the_page_on_a_process() {
    for (key, view, mode) in [
        ("1", View::Tree, Mode::Tree),
        ("2", View::Flat, Mode::Tree),
        ("<F5>", View::Flat, Mode::Tree),
        ("3", View::Churn, Mode::Page),
        ("4", View::Timeline, Mode::Tree),
        ("5", View::Users, Mode::Page),
        ("6", View::Alerts, Mode::Page),
    ] {
        let mut machine = busy();
        select(&mut machine, 1003);
        machine.keys("<Enter>");
        machine.screen(80, 24);
        machine.keys(key);
        machine.screen(80, 24);
        assert_eq!((machine.app.view(), machine.app.mode()), (view, mode), "{key}");
        assert!(machine.app.details().is_none());
    }
    let mut machine = busy();
    select(&mut machine, 1003);
    machine.keys("<Enter>f");
    assert_eq!((machine.app.mode(), selected(&mut machine)), (Mode::Tree, 1003));
    assert_eq!((machine.app.focus(), machine.app.list().rows().len()), (&[machine.key(1003)][..], 2));
}

#[test]
fn what_came_of_it_makes_way_for_the_hints_after_some_seconds() {
    let mut machine = busy();
    select(&mut machine, 1003);
    let freeze = order(&mut machine, &["X", "y"]).unwrap();
    machine.app.update(report(&freeze, &[]));
    machine.pass(SECOND);
    assert_eq!(message(&machine), "Frozen: 2 processes, in 1 round");
    for _ in 0..10 {
        machine.pass(SECOND);
    }
    assert_eq!(message(&machine), "");
    assert!(machine.screen(80, 24).lines().last().unwrap().contains("help"));
}

#[test]
fn nice_values_change_at_once() {
    let mut machine = busy();
    select(&mut machine, 1003);
    for (key, by) in [("<F7>", -1), ("]", -1), ("<F8>", 1), ("[", 1)] {
        let order = order(&mut machine, &[key]).unwrap();
        assert_eq!((order.deed, pids(&order)), (Deed::Renice(by), vec![1003]));
        machine.app.update(report(&order, &[]));
        assert_eq!(message(&machine), "cc [1003]: nice value now 7");
    }
}

#[test]
fn nice_values_are_not_changed_of_whoever_takes_the_place_of_one_that_has_just_gone() {
    let mut machine = busy();
    machine.keys("2d");
    machine.screen(80, 24);
    let busiest = machine.app.list().selected().and_then(ptree_core::RowId::process).unwrap();
    machine.code(busiest.pid, 0);
    assert_eq!(machine.keys("<F8>"), None);
    assert_eq!(message(&machine), "The selected process has just gone: nothing was done");
}

// Moving about.

#[test]
fn a_subtree_is_shown_alone_with_the_way_to_it() {
    let mut machine = busy();
    select(&mut machine, 1001);
    machine.keys("f");
    insta::assert_snapshot!("focus_at_80x24", machine.screen(80, 24));
    insta::assert_snapshot!("focus_at_40x10", machine.screen(40, 10));
    machine.spawn(1020, 1001, 1000, &["/usr/bin/inside"]);
    machine.spawn(1021, 700, 1000, &["/usr/bin/outside"]);
    let screen = machine.screen(80, 24);
    assert!(screen.contains("inside") && !screen.contains("outside"), "{screen}");
    select(&mut machine, 1003);
    machine.keys("f");
    assert_eq!(machine.app.focus().len(), 2);
    assert!(machine.screen(80, 24).contains("make › cc [1003]"));
    machine.keys("u");
    assert!(message(&machine).contains("Backspace goes back"));
    machine.keys("<Backspace>");
    assert_eq!(machine.app.focus(), [machine.key(1001)]);
    assert_eq!(selected(&mut machine), 1003, "the selection stays");
    machine.keys("/cc<Enter><Esc>");
    assert_eq!(machine.app.focus().len(), 1, "the filter goes first");
    machine.keys("<Esc>");
    assert!(machine.app.focus().is_empty());
    assert!(machine.screen(80, 24).contains("outside"));
}

#[test]
fn before_the_way_to_a_subtree_stands_what_is_not_as_usual() {
    let mut machine = busy();
    select(&mut machine, 1001);
    machine.keys("f2T");
    let heading = |machine: &mut Machine, width| machine.screen(width, 24).lines().nth(2).unwrap().to_owned();
    let narrow = heading(&mut machine, 80);
    assert!(!narrow.contains("TIME▾") && narrow.ends_with("COMMAND  by time, one list"), "{narrow}");
    let wide = heading(&mut machine, 115);
    assert!(
        wide.contains("TIME▾") && wide.contains("COMMAND  all as one list  … › -bash › make"),
        "the heading tells: {wide}"
    );
    machine.keys("I");
    let narrow = heading(&mut machine, 80);
    assert!(narrow.contains("by time reversed, one…"), "{narrow}");
}

#[test]
fn a_subtree_that_leaves_the_tree_gives_way_to_what_was_shown_before() {
    let mut machine = busy();
    machine.spawn(1030, 700, 1000, &["/bin/sh"]);
    select(&mut machine, 700);
    machine.keys("f");
    select(&mut machine, 1030);
    machine.keys("f");
    machine.code(1030, 0);
    machine.pass(SECOND * 120);
    machine.pass(SECOND);
    assert_eq!(selected(&mut machine), 700);
    assert_eq!(machine.app.focus(), [machine.key(700)]);
    assert!(message(&machine).contains("1030 has left the tree"));
}

#[test]
fn u_goes_to_the_parent_whether_or_not_there_is_something_to_fold() {
    let mut machine = busy();
    select(&mut machine, 1003);
    machine.keys("u");
    assert_eq!(selected(&mut machine), 1001);
    machine.keys("uuuu");
    assert_eq!((selected(&mut machine), message(&machine).as_str()), (1, "Nothing is above it"));
}

#[test]
fn who_is_followed_stays_in_sight_until_one_moves_away() {
    let mut machine = busy();
    select(&mut machine, 1004);
    machine.keys("F");
    assert!(machine.screen(80, 24).contains("following as [1004]"));
    machine.keys("zM");
    assert_eq!(selected(&mut machine), 1004, "unfolded again");
    machine.keys("d");
    machine.code(1004, 0);
    assert_ne!(selected(&mut machine), 1004, "the dead are hidden");
    machine.keys("d");
    assert_eq!(selected(&mut machine), 1004, "and shown again");
    machine.keys("k");
    assert_eq!(machine.app.followed(), None);
    select(&mut machine, 1004);
    machine.keys("FF");
    assert_eq!(machine.app.followed(), None);
}

#[test]
fn levels_fold_by_zm_and_unfold_by_zr() {
    let mut machine = busy();
    select(&mut machine, 1004);
    machine.keys("zm");
    assert_eq!(selected(&mut machine), 1003);
    assert!(machine.screen(80, 24).contains("+1 cc"));
    machine.keys("zr");
    assert!(machine.screen(80, 24).contains("as -o b.o"));
}

#[test]
fn what_is_copied_is_escaped() {
    let mut machine = busy();
    machine.spawn(1040, 1001, 1000, &["/usr/bin/echo", "it's", "a\u{1b}]52;c;x\u{7}b", "$(reboot)\n"]);
    select(&mut machine, 1040);
    let copied = |effect| match effect {
        Some(Effect::Copy(text)) => text,
        other => panic!("{other:?}"),
    };
    let line = copied(machine.keys("yc"));
    assert_eq!(line, r"/usr/bin/echo 'it'\''s' $'a\x1b]52;c;x\x07b' $'$(reboot)\x0a'");
    assert_eq!(copied(machine.keys("yp")), "1040");
    assert_eq!(
        copied(machine.keys("yl")),
        "init [1] > sshd -D [listen [500] > -bash [600] > make [1001] > echo [1040]"
    );
    assert!(message(&machine).starts_with("Copied: init [1]"));
    machine.keys("<Enter>");
    assert_eq!(copied(machine.keys("yp")), "1040", "also on its page");
    let mut machine = busy();
    machine.fork(1050, 1, 0, "bare");
    machine.fork(1051, 1050, 0, &"x".repeat(15));
    machine.spawn(1052, 1, 0, &["/bin/long", &"x".repeat(70_000)]);
    select(&mut machine, 1052);
    assert_eq!(machine.keys("yc"), None);
    assert!(message(&machine).contains("too much for a terminal's clipboard"));
}
