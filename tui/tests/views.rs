//! The views beside the tree: how they look, and that selections stay with what they belong to.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{Machine, SECOND, lines};
use insta::assert_snapshot;
use ptree_core::{ExitStatus, Filter, MatchRule, RowId};
use ptree_tui::action::{COMMANDS, Mode};
use ptree_tui::app::{PageKey, View};
use ptree_tui::screen::theme::Theme;

/// Ann's make runs compilers, one of which fails; the editor idles.
fn building() -> Machine {
    let mut machine = Machine::booted();
    machine.pass(2 * SECOND);
    machine.spawn(1000, 600, 1000, &["/usr/bin/make", "-j2", "all"]);
    machine.pass(SECOND);
    for pid in 1001..1009 {
        machine.spawn(pid, 1000, 1000, &["/usr/bin/cc", "-c", "a.c"]);
        machine.pass(SECOND / 2);
        machine.code(pid, u8::from(pid == 1004));
    }
    machine.spawn(1100, 400, 0, &["/bin/sh", "-c", "run-parts"]);
    machine.pass(SECOND);
    machine.usage(700, 30 * SECOND, 90 << 20, 'S');
    machine.usage(1000, 8 * SECOND, 12 << 20, 'R');
    machine.pass(SECOND);
    machine
}

/// A machine on which cron forks too much.
fn alarmed() -> Machine {
    let mut machine = Machine::booted();
    for pid in 2000..2600 {
        machine.fork(pid, 400, 0, "cron");
        machine.code(pid, 0);
        machine.pass(SECOND / 400);
    }
    machine.pass(SECOND / 10);
    machine
}

#[test]
fn the_flat_list_keeps_the_selection_and_shows_matches_alone() {
    let mut machine = building();
    machine.keys("2/cc<Enter>");
    machine.screen(80, 24);
    let rows = machine.app.list().rows();
    assert_eq!((rows.len(), rows.iter().all(|row| row.matched && row.depth == 0)), (8, true));
    machine.keys("jj");
    machine.screen(80, 24);
    let selected = machine.app.list().selected();
    machine.keys("I");
    machine.screen(80, 24);
    machine.pass(10 * SECOND);
    machine.screen(80, 24);
    assert_eq!(machine.app.list().selected(), selected);
    machine.keys("1");
    machine.screen(80, 24);
    assert_eq!((machine.app.view(), machine.app.list().selected()), (View::Tree, selected), "in the tree as well");
    assert!(machine.app.look().sort == ptree_core::Sort::default(), "the tree has an order of its own");
}

#[test]
fn the_flat_list_begins_at_its_top_and_gives_back_what_was_selected_before() {
    let mut machine = building();
    machine.keys("G");
    machine.screen(80, 10);
    let selected = machine.app.list().selected();
    machine.keys("2");
    machine.screen(80, 10);
    assert_eq!((machine.app.list().index(), machine.app.list().offset()), (0, 0), "the busiest");
    machine.keys("1");
    machine.screen(80, 10);
    assert_eq!(machine.app.list().selected(), selected);
    machine.keys("F2");
    machine.screen(80, 10);
    assert_eq!(machine.app.list().selected(), selected, "who is followed is kept in sight");
}

#[test]
fn in_the_flat_list_what_stands_in_the_place_of_one_that_left_is_selected() {
    let mut machine = building();
    machine.keys("2B");
    machine.screen(80, 24);
    let last = machine.app.list().rows().len() - 1;
    let ids: Vec<_> = machine.app.list().rows().iter().map(|row| row.id).collect();
    let at = ids.iter().position(|id| *id == RowId::Process(machine.key(1003))).unwrap();
    machine.keys("g");
    for _ in 0..at {
        machine.keys("j");
    }
    machine.screen(80, 24);
    machine.pass(120 * SECOND);
    machine.screen(80, 24);
    assert_eq!(machine.app.list().selected(), Some(RowId::Process(machine.key(1100))), "{at} of {last}");
}

#[test]
fn enter_goes_to_the_launcher_even_where_it_is_folded_away() {
    let mut machine = building();
    machine.screen(80, 24);
    machine.keys("zM3");
    machine.screen(80, 24);
    machine.keys("<F6><F6>");
    machine.screen(80, 24);
    assert_eq!(machine.app.page().unwrap().sort().column, 3, "by CPU");
    machine.keys("<Enter>");
    machine.screen(80, 24);
    assert_eq!((machine.app.view(), machine.app.mode()), (View::Tree, Mode::Tree));
    assert_eq!(machine.app.list().selected(), Some(RowId::Process(machine.key(1000))));
}

#[test]
fn by_name_enter_shows_all_of_that_name_and_a_launcher_that_left_is_told() {
    let mut machine = building();
    machine.keys("3<Tab>");
    machine.screen(80, 24);
    machine.keys("S<Enter>");
    machine.screen(80, 24);
    assert_eq!(machine.app.filter_line(), "comm=\"make\"");
    machine.code(1000, 0);
    machine.keys("<Esc>");
    machine.pass(200 * SECOND);
    machine.keys("3<Tab><F6>g");
    let screen = machine.screen(80, 24);
    assert!(screen.contains("make  (has left"), "{screen}");
    machine.keys("gS<Enter>");
    let screen = machine.screen(80, 24);
    assert!(screen.contains("is not in the tree"), "{screen}");
    assert_eq!(machine.app.view(), View::Churn);
}

#[test]
fn enter_on_a_user_filters() {
    let mut machine = building();
    machine.keys("5");
    machine.screen(80, 24);
    machine.keys("<Enter>");
    machine.screen(80, 24);
    assert_eq!((machine.app.view(), machine.app.filter_line()), (View::Tree, "uid=1000"));
}

#[test]
fn enter_on_an_alert_goes_to_the_culprit() {
    let mut machine = alarmed();
    machine.keys("6");
    machine.screen(80, 24);
    machine.keys("<Enter>");
    machine.screen(80, 24);
    assert_eq!(machine.app.list().selected(), Some(RowId::Process(machine.key(400))));
}

#[test]
fn an_alert_for_who_matches_a_filter_names_them() {
    let rule = |name: &str, text: &str| MatchRule { name: name.into(), filter: Filter::parse(text).unwrap() };
    let mut machine =
        Machine::watching(vec![rule("killed", "signal=KILL"), rule("ann's mail", "user=ann and comm=mutt")]);
    machine.spawn(800, 600, 1000, &["/usr/bin/mutt", "-y"]);
    machine.pass(SECOND);
    for pid in 801..806 {
        machine.spawn(pid, 600, 1000, &["/usr/bin/job"]);
        machine.exit(pid, ExitStatus::Signal { signal: 9, core: false });
    }
    for (width, height) in [(40, 10), (80, 24), (200, 50)] {
        assert_snapshot!(format!("alert_of_a_filter_at_{width}x{height}"), machine.screen(width, height));
    }
    machine.keys("a");
    machine.screen(80, 24);
    assert_eq!(machine.app.list().selected(), Some(RowId::Process(machine.key(805))));
    machine.keys("6");
    assert_snapshot!("alerts_of_filters_at_80x24", machine.screen(80, 24));
}

#[test]
fn an_empty_page_says_why() {
    let mut machine = Machine::new();
    for (key, why) in [("3", "Nothing has been launched"), ("5", "No user"), ("6", "No alert so far")] {
        machine.keys(key);
        let screen = machine.screen(80, 24);
        assert!(screen.contains(why), "{screen}");
        machine.keys("jG<C-d><Enter>");
    }
}

#[test]
fn the_timeline_stands_still_when_moved_until_it_is_to_follow() {
    let mut machine = building();
    machine.keys("4");
    assert!(machine.screen(100, 24).contains(" now"));
    machine.keys("<S-Left>");
    let range = machine.app.timeline().range(machine.now_ns);
    machine.pass(SECOND);
    assert_eq!(machine.app.timeline().range(machine.now_ns), range);
    let screen = machine.screen(100, 24);
    assert!(screen.contains("╷13:59:45") && !screen.contains(" now"), "{screen}");
    machine.keys("0");
    assert!(machine.screen(100, 24).contains(" now"));
    assert_eq!(machine.app.sideways(), 0, "the commands have not been scrolled");
}

#[test]
fn what_only_a_timeline_or_churn_can_do_is_told_elsewhere() {
    let mut machine = building();
    machine.keys("}");
    assert!(machine.screen(80, 24).contains("The timeline alone"));
    machine.keys("6<Tab>");
    assert!(machine.screen(80, 24).contains("Churn alone"));
}

#[test]
fn a_page_stands_still_in_a_pause() {
    let mut machine = building();
    machine.keys("3");
    machine.screen(80, 24);
    machine.keys("p");
    machine.screen(80, 24);
    let before = machine.app.page().unwrap().lines().to_vec();
    machine.fork(3000, 400, 0, "cron");
    machine.exit(3000, ExitStatus::Code(0));
    machine.pass(5 * SECOND);
    machine.screen(80, 24);
    assert_eq!(machine.app.page().unwrap().lines(), before);
    machine.keys("p");
    machine.pass(5 * SECOND);
    machine.screen(80, 24);
    assert_ne!(machine.app.page().unwrap().lines(), before);
}

#[test]
fn f5_goes_from_tree_to_list_and_back_and_every_function_key_up_to_f10_does_something() {
    let mut machine = building();
    for view in [View::Flat, View::Tree, View::Flat] {
        machine.keys("<F5>");
        assert_eq!(machine.app.view(), view);
    }
    machine.keys("3<F5>");
    assert_eq!((machine.app.view(), machine.app.mode()), (View::Tree, Mode::Tree), "from the others to the tree");
    let bindings = machine.app.bindings();
    let bound = |key: &str| {
        let keys = |mode| COMMANDS.iter().flat_map(move |spec| bindings.keys(mode, spec.command));
        keys(Mode::Tree).any(|bound| bound == key)
    };
    let unbound: Vec<_> = (1..=10).map(|n| format!("F{n}")).filter(|key| !bound(key)).collect();
    // That of a menu of columns.
    assert!(unbound.iter().all(|key| key == "F2"), "{unbound:?}");
}

#[test]
fn the_timeline_tells_the_living_the_dead_and_the_failed_apart_in_ascii_too() {
    let mut machine = building();
    machine.keys("4}}");
    let ascii = Theme { ascii: true, ..Theme::ansi() };
    let screen = lines(&machine.draw_with(&ascii, 80, 24)).join("\n");
    assert_snapshot!("timeline_in_ascii_at_80x24", screen);
    let bars =
        |command: &str| screen.lines().filter(|line| line.contains(command)).map(str::to_owned).collect::<Vec<_>>();
    assert!(bars("make -j2")[0].ends_with("|================================="), "{screen}");
    let ends: String = bars("cc -c").iter().filter_map(|line| line.chars().last()).collect();
    assert_eq!(ends, "|||X||||");
}

#[test]
fn whose_time_lies_beside_the_timeline_is_marked_at_that_edge() {
    let mut machine = building();
    machine.screen(120, 24);
    machine.keys("4}}}}}}c");
    let edges = |machine: &mut Machine, theme: &Theme| {
        let screen = lines(&machine.draw_with(theme, 120, 24));
        let rows = screen.into_iter().filter(|line| line.contains(" cc -c"));
        rows.map(|line| line.chars().skip(48).collect::<String>().trim_end().to_owned()).collect::<Vec<_>>()
    };
    let ansi = Theme::ansi();
    assert_eq!(edges(&mut machine, &ansi), ["‹"; 8], "they have ended before");
    assert_eq!(edges(&mut machine, &Theme { ascii: true, ..ansi }), ["<"; 8]);
    for _ in 0..60 {
        machine.keys("<S-Left>");
    }
    let after = edges(&mut machine, &ansi);
    assert!(after.iter().all(|row| row.chars().count() == 72 && row.trim() == "›"), "{after:?}");
}

#[test]
fn every_mark_has_its_like_in_ascii() {
    let ascii = Theme { ascii: true, ..Theme::ansi() };
    for keys in
        ["", "zM", "2", "2I", "3", "3I", "4", "4}}<S-Left>", "5", "6", "Djjf", "<Enter>", "?", "x", "Xy", "/co", "pF"]
    {
        let mut machine = building();
        // A name that is not ASCII.
        machine.code(700, 0);
        machine.pass(100 * SECOND);
        machine.screen(200, 50);
        machine.keys(keys);
        let drawn = machine.draw_with(&Theme::ansi(), 200, 50);
        let simple = machine.draw_with(&ascii, 200, 50);
        for (drawn, simple) in drawn.content.iter().zip(&simple.content) {
            assert!(drawn.symbol().is_ascii() || simple.symbol() != "?", "'{keys}': {}", drawn.symbol());
        }
    }
}

#[test]
fn in_a_deep_tree_whoever_is_below_stands_further_to_the_right() {
    let mut machine = Machine::booted();
    for pid in 900..920 {
        machine.spawn(pid, if pid == 900 { 600 } else { pid - 1 }, 1000, &[&format!("/bin/level{}", pid - 900)]);
    }
    machine.spawn(950, 910, 1000, &["/bin/sibling", "of", "level11"]);
    assert_snapshot!("deep_tree_at_80x24", machine.screen(80, 24));
    let screen = machine.screen(80, 24);
    let place = |name: &str| screen.lines().find_map(|line| Some(line.split_once(name)?.0.chars().count()));
    let places: Vec<_> = (0..10).filter_map(|level| place(&format!("level{level}"))).collect();
    assert!(places.len() == 10 && places.is_sorted_by(|above, below| above < below), "{places:?}\n{screen}");
    // The mark is where it is drawn.
    let (y, line) = screen.lines().enumerate().find(|(_, line)| line.contains("level12")).unwrap();
    let x = line.chars().position(|c| c == '├' || c == '└').unwrap();
    machine.click(x as u16, y as u16, false);
    let screen = machine.screen(80, 24);
    assert!(screen.contains("level12") && !screen.contains("level13"), "{screen}");
}

#[test]
fn another_order_holds_at_once_and_only_later_keys_hold_it() {
    let mut machine = building();
    machine.spawn(1200, 400, 0, &["/bin/sleep", "9"]);
    // By the same already in the tree, where they stood otherwise.
    machine.keys("P");
    machine.screen(80, 24);
    let mut spent = [(700, 30 * SECOND), (1000, 8 * SECOND), (1200, 0)];
    let mut measure = |machine: &mut Machine, busiest: u32| {
        machine.pass(SECOND / 2);
        for (at, (pid, cpu_ns)) in (1..).zip(&mut spent) {
            *cpu_ns += if *pid == busiest { SECOND / 2 } else { at * SECOND / 100 };
            machine.usage(*pid, *cpu_ns, 1 << 20, 'R');
        }
    };
    let order = |machine: &mut Machine| {
        machine.screen(80, 24);
        let processes = machine.app.list().rows().iter().filter_map(|row| machine.app.tree().get(row.id.nearest()));
        let shares: Vec<_> = processes.map(|process| (process.is_alive(), process.cpu_share())).collect();
        (machine.app.list().rows().get(0).unwrap().id.nearest().pid, shares.is_sorted_by(|a, b| a >= b))
    };
    measure(&mut machine, 1200);
    machine.keys("2");
    assert_eq!(order(&mut machine), (1200, true));
    for busiest in [700, 1000, 1200, 700, 1200] {
        measure(&mut machine, busiest);
        assert_eq!(order(&mut machine), (busiest, true), "nobody has moved since");
    }
    machine.keys("j");
    for busiest in [700, 1000, 700, 1000] {
        measure(&mut machine, busiest);
        assert_eq!(order(&mut machine), (1200, false), "it stands still under the user's hand");
    }
    machine.pass(SECOND);
    assert_eq!(order(&mut machine), (1000, true));
}

#[test]
fn a_page_is_sorted_when_it_is_entered_however_it_was_left() {
    let mut machine = building();
    machine.keys("3");
    machine.screen(80, 24);
    assert_eq!(machine.app.page().unwrap().selected(), Some(PageKey::Launcher(machine.key(1000))));
    machine.keys("1");
    let fork = |machine: &mut Machine, forker, count| {
        for _ in 0..count {
            let pid = 3000 + u32::try_from(machine.app.events()).unwrap();
            machine.fork(pid, forker, 0, "cron");
            machine.code(pid, 0);
        }
        machine.pass(SECOND);
    };
    fork(&mut machine, 400, 30);
    machine.keys("3");
    machine.screen(80, 24);
    assert_eq!(machine.app.page().unwrap().selected(), Some(PageKey::Launcher(machine.key(400))));
    fork(&mut machine, 600, 90);
    machine.screen(80, 24);
    assert_eq!(machine.app.page().unwrap().selected(), Some(PageKey::Launcher(machine.key(600))));
    machine.keys("<Tab>");
    machine.screen(80, 24);
    fork(&mut machine, 400, 300);
    machine.screen(80, 24);
    let first = &machine.app.page().unwrap().lines()[0];
    assert!(matches!(first.key, PageKey::Name(comm) if comm.as_bytes() == b"cron"), "{first:?}");
    machine.keys("j");
    fork(&mut machine, 600, 900);
    machine.screen(80, 24);
    let first = &machine.app.page().unwrap().lines()[0];
    assert!(matches!(first.key, PageKey::Name(comm) if comm.as_bytes() == b"cron"), "held now: {first:?}");
}
