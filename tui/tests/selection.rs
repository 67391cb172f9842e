//! How selection, folds, window and pause behave while the tree changes under them; and that drawing changes nothing.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{Machine, SECOND, paint};
use ptree_core::{ExitStatus, RowId};
use ptree_tui::action::{Action, Effect};
use ptree_tui::screen::theme::Theme;

/// The line of the screen on which the selection is.
fn place(machine: &mut Machine) -> usize {
    machine.screen(80, 24);
    machine.app.list().index() - machine.app.list().offset()
}

fn selected(machine: &mut Machine) -> u32 {
    machine.screen(80, 24);
    machine.app.list().selected().unwrap().nearest().pid
}

#[test]
fn i12_the_selection_stays_on_its_process_and_line_while_rows_come_above_it() {
    let mut machine = Machine::booted();
    for n in 0..60 {
        machine.spawn(5000 + n, 600, 1000, &["/bin/work"]);
    }
    machine.screen(80, 24);
    machine.keys("Gkkk");
    let (pid, line) = (selected(&mut machine), place(&mut machine));
    for n in 0..40 {
        machine.spawn(4000 + n, 400, 0, &["/bin/above"]);
    }
    assert_eq!((selected(&mut machine), place(&mut machine)), (pid, line));
    machine.pass(SECOND);
    for n in 0..40 {
        machine.code(4000 + n, 0);
    }
    machine.pass(SECOND * 120);
    machine.pass(SECOND);
    assert_eq!((selected(&mut machine), place(&mut machine)), (pid, line));
    assert_eq!(machine.app.tree().children(machine.key(400), ptree_core::Lineage::Forked).count(), 0);
}

#[test]
fn i12_an_untouched_view_stays_at_the_top() {
    let mut machine = Machine::new();
    machine.found(600, 1, 0, &["-bash"]);
    machine.screen(80, 24);
    machine.found(1, 0, 0, &["/sbin/init"]);
    for n in 0..60 {
        machine.spawn(100 + n, 1, 0, &["/bin/work"]);
    }
    assert_eq!(selected(&mut machine), 1);
    assert_eq!(machine.app.list().offset(), 0);
}

#[test]
fn i12_when_the_selected_process_goes_its_nearest_visible_ancestor_is_selected() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh"]);
    machine.spawn(1501, 1500, 1000, &["/bin/leaf"]);
    machine.screen(80, 24);
    machine.keys("G");
    assert_eq!(selected(&mut machine), 1501);
    machine.code(1501, 0);
    machine.code(1500, 0);
    assert_eq!(selected(&mut machine), 1501);
    machine.pass(SECOND * 120);
    machine.pass(SECOND);
    assert_eq!(selected(&mut machine), 600);
}

#[test]
fn i12_in_the_kernels_lineage_the_selection_goes_to_the_kernels_parent() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh"]);
    machine.spawn(1501, 1500, 1000, &["/bin/leaf"]);
    machine.reparent(1501, 400);
    machine.screen(80, 24);
    machine.keys("o/leaf<Enter><Esc>");
    assert_eq!(selected(&mut machine), 1501);
    machine.code(1501, 0);
    machine.pass(SECOND * 120);
    machine.pass(SECOND);
    assert_eq!(selected(&mut machine), 400);
}

#[test]
fn i12_hiding_the_dead_or_folding_above_moves_the_selection_to_an_ancestor() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh"]);
    machine.screen(80, 24);
    machine.keys("G");
    machine.code(1500, 3);
    machine.keys("d");
    assert_eq!(selected(&mut machine), 600);
    machine.keys("d/sh$<Esc>G");
    assert_eq!(selected(&mut machine), 1500);
    machine.keys("zM");
    assert_eq!(selected(&mut machine), 1);
}

#[test]
fn i12_folds_survive_and_new_children_stay_hidden_below_them() {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    machine.keys("/cron<Enter><Esc>");
    machine.spawn(4000, 400, 0, &["/bin/job"]);
    machine.screen(80, 24);
    machine.keys("<Left>");
    machine.spawn(4001, 400, 0, &["/bin/job"]);
    let screen = machine.screen(80, 24);
    assert!(screen.contains("├▸ +2 cron -f") && !screen.contains("job"), "{screen}");
    machine.keys("<Right>");
    assert!(machine.screen(80, 24).contains("4001"));
}

#[test]
fn left_and_right_walk_the_tree() {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    machine.keys("G");
    assert_eq!(selected(&mut machine), 700);
    machine.keys("h");
    assert_eq!(selected(&mut machine), 600);
    machine.keys("h");
    assert!(!machine.screen(80, 24).contains("vim"), "first fold");
    machine.keys("h");
    assert_eq!(selected(&mut machine), 500);
    machine.keys("l");
    assert_eq!(selected(&mut machine), 600);
    machine.keys("ll");
    assert_eq!(selected(&mut machine), 700);
}

#[test]
fn paging_and_ends_stay_inside() {
    let mut machine = Machine::booted();
    for n in 0..100 {
        machine.spawn(5000 + n, 600, 1000, &["/bin/work"]);
    }
    machine.screen(80, 24);
    machine.keys("<PgUp><PgUp>k");
    assert_eq!(machine.app.list().index(), 0);
    machine.keys("<PgDn>");
    assert_eq!(machine.app.list().index(), 19);
    machine.keys("<C-d><C-u>");
    assert_eq!(machine.app.list().index(), 19);
    machine.keys("G<PgDn>j");
    let list = machine.app.list();
    assert_eq!(list.index(), list.rows().len() - 1);
    assert_eq!(list.offset() + list.height(), list.rows().len());
}

#[test]
fn a_filter_goes_to_its_first_match_and_n_goes_round() {
    let mut machine = Machine::booted();
    for n in 0..3 {
        machine.spawn(5000 + n, 600, 1000, &["/bin/needle"]);
        machine.spawn(6000 + n, 600, 1000, &["/bin/hay"]);
    }
    machine.screen(80, 24);
    machine.keys("/needle<Enter>");
    assert_eq!(selected(&mut machine), 5000);
    let mut visited = Vec::new();
    for key in ["n", "n", "n", "N", "N"] {
        machine.keys(key);
        visited.push(selected(&mut machine));
    }
    assert_eq!(visited, [5001, 5002, 5000, 5002, 5001]);
    machine.keys("<Esc>");
    assert_eq!(selected(&mut machine), 5001, "the found one stays selected");
    assert!(machine.screen(80, 24).contains("hay"));
}

#[test]
fn the_filter_line_can_be_edited() {
    let mut machine = Machine::booted();
    machine.keys("/one two<C-w>x<Backspace>y");
    assert_eq!(machine.app.look().filter.text(), "one y");
    machine.keys("<C-u>q");
    assert_eq!(machine.app.look().filter.text(), "q");
    assert_eq!(machine.keys("<C-c>"), Some(Effect::Quit));
}

#[test]
fn a_pause_holds_the_view_while_capture_goes_on() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh", "before"]);
    machine.screen(80, 24);
    machine.keys("Gp");
    let before = machine.screen(80, 24);
    assert!(before.contains("PAUSED 0s ago, 0 events since"), "{before}");
    machine.spawn(1600, 600, 1000, &["/bin/sh", "meanwhile"]);
    machine.code(1500, 1);
    machine.pass(SECOND * 120);
    machine.pass(SECOND);
    let during = machine.screen(80, 24);
    let tree = |screen: &str| screen.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(tree(&before), tree(&during), "not a cell of the tree changes");
    assert!(during.contains("PAUSED 2m 1s ago, 3 events since"), "{during}");
    machine.keys("<Enter>");
    assert!(machine.screen(80, 24).contains("sh [1500]"));
    machine.keys("<Esc>hh");
    assert!(!machine.screen(80, 24).contains("before"), "folds work in a pause");
    machine.keys("lG");
    assert_eq!(selected(&mut machine), 1500);
    machine.keys("p");
    let after = machine.screen(80, 24);
    assert!(after.contains("meanwhile") && !after.contains("before") && !after.contains("PAUSED"), "{after}");
    assert_eq!(selected(&mut machine), 600, "the selected one has gone meanwhile");
}

#[test]
fn folds_made_in_a_pause_of_what_has_gone_leave_nothing_behind() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh"]);
    machine.spawn(1501, 1500, 1000, &["/bin/leaf"]);
    machine.screen(80, 24);
    machine.keys("p");
    machine.code(1501, 0);
    machine.code(1500, 0);
    machine.pass(SECOND * 120);
    machine.pass(SECOND);
    machine.keys("Gh");
    assert_eq!(selected(&mut machine), 1500);
    machine.keys("<Space>h<Space>");
    let folded = |machine: &Machine, pid| machine.app.list().rows().is_folded(RowId::Process(machine.key(pid)));
    assert!(folded(&machine, 1500) && folded(&machine, 600));
    machine.keys("p");
    assert!(!folded(&machine, 1500), "gone");
    assert!(folded(&machine, 600), "folded as in the pause");
}

#[test]
fn rows_are_built_once_a_frame_and_not_for_a_measurement() {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    let rows = |machine: &Machine| (machine.app.list().rows().len(), machine.app.list().rows().is_stale());
    let (before, _) = rows(&machine);
    machine.keys("/bash x<Backspace><C-w><C-u>cro");
    assert_eq!(rows(&machine), (before, true), "while keys come");
    machine.screen(80, 24);
    assert_eq!(rows(&machine), (2, false));
    machine.usage(400, SECOND, 1 << 20, 'R');
    assert_eq!(rows(&machine), (2, false), "no row comes or goes by a measurement");
    let screen = machine.screen(80, 24);
    assert!(screen.contains("running"), "{screen}");
}

#[test]
fn what_is_pasted_is_text_and_never_keys() {
    let mut machine = Machine::booted();
    let paste = |machine: &mut Machine, text: &str| machine.app.update(Action::Paste(text.to_owned()));
    assert_eq!(paste(&mut machine, "q/d"), None);
    assert_eq!(machine.app.look().filter.text(), "");
    assert!(machine.app.look().dead);
    machine.keys("/a");
    paste(&mut machine, "b q\r\nc\n");
    assert_eq!(machine.app.look().filter.text(), "ab qc");
    paste(&mut machine, &"塩".repeat(100_000));
    machine.keys("x");
    let text = machine.app.look().filter.text();
    assert!(text.starts_with("ab qc塩") && text.ends_with('塩') && text.chars().count() == 256, "{text}");
}

#[test]
fn quit_and_the_other_effects_come_out_as_data() {
    let mut machine = Machine::booted();
    for (keys, effect) in [
        ("q", Effect::Quit),
        ("<F10>", Effect::Quit),
        ("<C-c>", Effect::Quit),
        ("<C-z>", Effect::Suspend),
        ("<C-l>", Effect::Redraw),
        ("w", Effect::ExportDot),
    ] {
        assert_eq!(machine.keys(keys), Some(effect), "{keys}");
    }
    assert_eq!(machine.keys("?q"), None, "q closes a page first");
    assert_eq!(machine.keys("q"), Some(Effect::Quit));
}

#[test]
fn nothing_is_drawn_when_nothing_changes() {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    assert!(!machine.app.is_dirty());
    machine.pass(SECOND / 10);
    assert!(!machine.app.is_dirty(), "a tenth of a second shows nowhere");
    machine.pass(SECOND);
    assert!(machine.app.is_dirty());
    machine.screen(80, 24);
    machine.fork(9000, 600, 1000, "new");
    assert!(machine.app.is_dirty());
    machine.screen(80, 24);
    machine.keys("j");
    assert!(machine.app.is_dirty());
}

#[test]
fn i13_drawing_changes_nothing_at_any_size_in_any_mode() {
    let mut machine = Machine::booted();
    for n in 0..500 {
        machine.spawn(5000 + n, if n % 3 == 0 { 600 } else { 4999 + n }, 1000, &["/bin/sh", "-c", "漢字 work"]);
        machine.pass(SECOND / 400);
    }
    machine.exit(5400, ExitStatus::Unknown);
    machine.lose(3);
    for keys in ["", "G", "s", "/work", "<Enter>", "<Enter>G", "?G", "<Esc><Esc>p", ">>>", "w", "<Esc>/zzz", "<Esc>zM"]
    {
        machine.keys(keys);
        for (width, height) in [
            (1, 1),
            (1, 24),
            (80, 1),
            (2, 2),
            (3, 3),
            (20, 5),
            (40, 10),
            (80, 24),
            (139, 30),
            (140, 8),
            (300, 100),
            (500, 200),
        ] {
            machine.draw_with(&Theme::ansi(), width, height);
            let before = format!("{:?}", machine.app);
            paint(&machine.app, &Theme::ansi(), width, height);
            // A size that the app has not been told of yet.
            paint(&machine.app, &Theme::ansi(), height, width);
            assert!(before == format!("{:?}", machine.app), "changed by drawing at {width}x{height} after '{keys}'");
        }
    }
}

#[test]
fn rows_that_vanish_below_move_nothing_until_the_window_is_moved() {
    let mut machine = Machine::booted();
    for n in 0..60 {
        machine.spawn(5000 + n, 600, 1000, &["/bin/work"]);
    }
    machine.screen(80, 24);
    machine.keys("Gkkkkkkkkkk");
    let (pid, line) = (selected(&mut machine), place(&mut machine));
    let offset = machine.app.list().offset();
    for n in 50..60 {
        machine.code(5000 + n, 0);
    }
    machine.pass(SECOND * 120);
    machine.pass(SECOND);
    assert_eq!((selected(&mut machine), place(&mut machine)), (pid, line));
    // So for whoever goes a line up or down.
    machine.keys("k");
    assert_eq!((selected(&mut machine), machine.app.list().offset()), (pid - 1, offset));
    // Another look fills the window again.
    machine.keys("d");
    machine.screen(80, 24);
    let list = machine.app.list();
    assert_eq!(list.offset() + list.height(), list.rows().len());
}

#[test]
fn however_many_rows_vanish_below_half_of_the_window_is_filled() {
    let mut machine = Machine::booted();
    for n in 0..60 {
        machine.spawn(5000 + n, 600, 1000, &["/bin/work"]);
    }
    machine.screen(80, 24);
    machine.keys("G");
    for n in 0..60 {
        machine.code(5000 + n, 0);
    }
    machine.spawn(6000, 600, 1000, &["/bin/last"]);
    machine.keys("/work<Enter><Esc>");
    machine.pass(SECOND * 120);
    machine.pass(SECOND);
    machine.screen(80, 24);
    let list = machine.app.list();
    assert!(list.rows().len() - list.offset() >= list.height().min(list.rows().len()) / 2, "{}", list.offset());
}
