//! What the screen shows, as pictures in text: a scripted machine, a fixed clock, keys typed into the whole app.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{BEGIN, Machine, SECOND};
use ptree_core::ExitStatus;
use ptree_source::{Batch, TimeAnchor};
use ptree_tui::screen::theme::Theme;
use ratatui::style::{Color, Modifier};

/// A shell at work: some of its children run, some have ended well, badly, by a signal.
fn busy() -> Machine {
    let mut machine = Machine::booted();
    machine.usage(1, 3 * SECOND, 12 << 20, 'S');
    machine.usage(700, 90 * SECOND, 35 << 20, 'S');
    machine.spawn(1001, 600, 1000, &["/usr/bin/make", "-j2", "all"]);
    machine.spawn(1002, 1001, 1000, &["/usr/bin/cc", "-c", "a.c"]);
    machine.spawn(1003, 1001, 1000, &["/usr/bin/cc", "-c", "b.c"]);
    machine.spawn(1004, 1001, 1000, &["/usr/bin/cc", "-c", "c.c"]);
    machine.pass(SECOND * 5 / 4);
    machine.code(1002, 0);
    machine.code(1003, 1);
    machine.exit(1004, ExitStatus::Signal { signal: 11, core: true });
    machine.spawn(1005, 1001, 1000, &["/usr/bin/ld", "-o", "all"]);
    machine.fork(1006, 400, 0, "cron");
    machine.usage(1, 3 * SECOND + SECOND / 40, 12 << 20, 'S');
    machine.usage(1005, SECOND, 120 << 20, 'R');
    machine
}

/// An alert: a shell forks far too much.
fn alarmed() -> Machine {
    let mut machine = busy();
    for n in 0..600 {
        machine.fork(2000 + n, 600, 1000, "bash");
        machine.code(2000 + n, 0);
        machine.pass(SECOND / 300);
    }
    machine
}

#[test]
fn folded_subtree_says_how_many_it_hides() {
    let mut machine = busy();
    machine.screen(80, 24);
    machine.keys("/make<Enter><Esc><Space>");
    insta::assert_snapshot!(machine.screen(80, 24));
}

#[test]
fn details_of_a_dead_process_with_a_history() {
    let mut machine = Machine::booted();
    machine.fork(1500, 600, 1000, "bash");
    machine.pass(SECOND / 1000);
    machine.exec(1500, 600, 1000, &["/usr/bin/env", "sh", "job.sh"]);
    machine.pass(SECOND / 1000);
    machine.exec(1500, 600, 1000, &["/bin/sh", "job.sh", "a b", "it's", ""]);
    machine.spawn(1501, 1500, 1000, &["/bin/sleep", "60"]);
    machine.pass(SECOND * 2);
    machine.exit(1500, ExitStatus::Signal { signal: 9, core: false });
    machine.reparent(1501, 1);
    machine.pass(SECOND);
    machine.screen(80, 24);
    machine.keys("/job.sh<Enter><Enter>");
    insta::assert_snapshot!(machine.screen(80, 60));
}

#[test]
fn details_of_an_orphan_show_both_lineages() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh", "daemon.sh"]);
    machine.spawn(1501, 1500, 1000, &["/usr/bin/daemond"]);
    machine.code(1500, 0);
    machine.reparent(1501, 1);
    machine.screen(80, 24);
    machine.keys("/daemond<Enter><Enter>G");
    insta::assert_snapshot!(machine.screen(80, 24));
}

#[test]
fn who_started_it_stands_below_its_state() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh", "build.sh"]);
    machine.spawn(1501, 1500, 1000, &["/usr/bin/a\x1b[31m"]);
    machine.spawn(1502, 1501, 1000, &["/usr/bin/cc"]);
    machine.screen(100, 24);
    machine.keys("/comm=cc<Enter><Enter>");
    let line = |machine: &mut Machine, width| {
        let screen = machine.screen(width, 24);
        let mut lines = screen.lines().skip_while(|line| !line.trim_start().starts_with("Status"));
        lines.nth(1).unwrap().trim().to_owned()
    };
    assert_eq!(line(&mut machine, 120), "Started by     init › sshd -D [listen › -bash › sh › a\\x1b[31m");
    assert_eq!(line(&mut machine, 44), "Started by     … › -bash › sh › a\\x1b[31m");
}

#[test]
fn details_outlive_the_process() {
    let mut machine = busy();
    machine.screen(80, 24);
    machine.keys("/b.c<Enter><Enter>");
    let before = machine.screen(80, 24);
    machine.pass(SECOND * 300);
    let after = machine.screen(80, 24);
    assert!(before.contains("exit 1 after 1.25s"), "{before}");
    assert!(after.contains("exit 1 after 1.25s") && after.contains("has left the tree"), "{after}");
}

#[test]
fn kernel_lineage_moves_the_orphan() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/sh", "daemon.sh"]);
    machine.spawn(1501, 1500, 1000, &["/usr/bin/daemond"]);
    machine.code(1500, 0);
    machine.reparent(1501, 1);
    machine.keys("ot");
    insta::assert_snapshot!(machine.screen(80, 24));
}

/// The clock of the machine was an hour slow when the capture began.
#[test]
fn all_times_follow_when_the_wall_clock_is_set() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/usr/bin/job"]);
    let start = |machine: &mut Machine| {
        let screen = machine.screen(120, 24);
        let line = screen.lines().find(|line| line.contains("job")).unwrap();
        line.split_ascii_whitespace().find(|word| word.matches(':').count() == 2).unwrap().to_owned()
    };
    assert_eq!(start(&mut machine), "14:00:00");
    let clock = TimeAnchor { boottime_ns: BEGIN + SECOND, unix_ns: (1_795_269_600 + 3601) * SECOND };
    machine.app.ingest(&Batch { clock: Some(clock), ..Batch::default() }, machine.now_ns);
    assert_eq!(start(&mut machine), "15:00:00");
}

/// A shell of which a dozen `cc1` have finished, some of them badly.
fn built() -> Machine {
    let mut machine = Machine::booted();
    machine.spawn(1400, 600, 1000, &["/usr/bin/make", "-j2"]);
    for n in 0..12 {
        machine.spawn(1500 + n, 1400, 1000, &["/usr/lib/gcc/cc1", "-quiet"]);
        machine.pass(SECOND / 4);
        machine.code(1500 + n, u8::from(n % 5 == 0));
    }
    machine.spawn(1600, 1400, 1000, &["/usr/bin/ld", "-o", "prog"]);
    machine
}

#[test]
fn finished_children_of_one_name_are_one_row_at_80x24() {
    let mut machine = built();
    insta::assert_snapshot!(machine.screen(80, 24));
}

#[test]
fn a_joined_row_unfolds_by_enter_and_c_lets_all_stand_alone() {
    let mut machine = built();
    machine.screen(80, 24);
    machine.keys("Gk");
    let line = machine.selected_line();
    assert!(line.contains("cc1 ×12"), "{line}");
    machine.keys("<Enter>");
    insta::assert_snapshot!(machine.screen(80, 24));
    machine.keys("jjc");
    machine.screen(80, 24);
    let line = machine.selected_line();
    assert!(line.contains("1501") && line.contains("cc1"), "the selection stays on its process: {line}");
}

#[test]
fn siblings_are_sorted_and_a_volatile_sort_stands_still_while_keys_come() {
    let mut machine = Machine::booted();
    let pids = |machine: &mut Machine| {
        machine.screen(80, 24);
        let rows = machine.app.list().rows().iter();
        rows.map(|row| row.id.nearest().pid).filter(|pid| *pid > 1500).collect::<Vec<_>>()
    };
    for pid in 1501..1504 {
        machine.spawn(pid, 600, 1000, &["/bin/work"]);
    }
    machine.usage(1502, SECOND / 2, 1 << 20, 'R');
    machine.screen(80, 24);
    machine.keys("T");
    assert_eq!(pids(&mut machine), [1502, 1501, 1503]);
    machine.keys("k");
    machine.usage(1503, SECOND, 1 << 20, 'R');
    assert_eq!(pids(&mut machine), [1502, 1501, 1503], "a key was pressed just now");
    machine.pass(SECOND * 4);
    assert_eq!(pids(&mut machine), [1503, 1502, 1501]);
    machine.keys("I");
    assert_eq!(pids(&mut machine), [1501, 1502, 1503]);
    assert!(machine.screen(120, 24).contains("sorted by time reversed"));
    machine.keys("B");
    assert_eq!(pids(&mut machine), [1501, 1502, 1503]);
}

#[test]
fn alert_at_200x50_and_its_end() {
    let mut machine = alarmed();
    for _ in 0..20 {
        machine.pass(SECOND / 2);
    }
    machine.keys("d");
    insta::assert_snapshot!(machine.screen(200, 50));
}

#[test]
fn the_culprit_is_one_key_away_even_below_a_fold() {
    let mut machine = alarmed();
    machine.screen(80, 24);
    machine.keys("zM");
    machine.screen(80, 24);
    machine.keys("a");
    let line = machine.selected_line();
    assert!(line.contains("600") && line.contains("-bash"), "{line}");
}

#[test]
fn waiting_and_failed_screens_say_so() {
    let mut machine = Machine::new();
    let waiting = machine.screen(80, 24);
    assert!(waiting.contains("waiting for events") && waiting.contains("Looking at what is running"), "{waiting}");
    machine.app.capture_ended(Err("the ring buffer is gone".to_owned()));
    let failed = machine.screen(80, 24);
    assert!(failed.contains("CAPTURE FAILED") && failed.contains("the ring buffer is gone"), "{failed}");
}

#[test]
fn a_failure_is_told_harmlessly_where_there_is_no_process_either() {
    for mut machine in [Machine::new(), Machine::booted()] {
        machine.app.capture_ended(Err("of 'a\u{2028}\u{202e}\u{1b}b'".to_owned()));
        let screen = machine.screen(80, 24);
        assert!(screen.contains(r"of 'a\xe2\x80\xa8\xe2\x80\xae\x1bb'"), "{screen}");
        assert!(!screen.contains(|c| c != '\n' && ptree_core::text::is_control(c)), "{screen:?}");
    }
}

#[test]
fn a_failure_of_the_capture_is_told_over_a_full_tree_too() {
    let mut machine = busy();
    machine.app.capture_ended(Err("the ring buffer is gone".to_owned()));
    let failed = machine.screen(80, 24);
    assert!(failed.contains("CAPTURE FAILED") && failed.contains("the ring buffer is gone"), "{failed}");
}

#[test]
fn i11_losses_stand_out_at_every_size_and_in_every_mode() {
    let mut machine = busy();
    assert!(machine.screen(80, 24).contains("0 lost"));
    machine.lose(7);
    for keys in ["", "/no", "<Enter>", "<Esc><Enter>", "?", "<Esc><Esc>s", "w", "p"] {
        machine.keys(keys);
        for (width, height) in
            [(200, 50), (80, 24), (40, 10), (20, 8), (20, 6), (20, 5), (20, 3), (20, 2), (20, 1), (6, 1), (6, 24)]
        {
            let buffer = machine.draw_with(&Theme::ansi(), width, height);
            let lines = common::lines(&buffer);
            let y = if height >= 6 { 0 } else { height - 1 };
            let line = lines[usize::from(y)].trim_start();
            assert!(line.starts_with(if width == 6 { "7 los" } else { "7 lost" }), "{width}x{height} '{keys}': {line}");
            assert_eq!(buffer[(1, y)].bg, Color::Red, "{width}x{height} '{keys}'");
        }
    }
}

#[test]
fn a_pause_does_not_hide_that_the_capture_is_over() {
    for (result, told) in [(Ok(()), "CAPTURE ENDED"), (Err("gone".to_owned()), "CAPTURE FAILED")] {
        let mut machine = busy();
        machine.keys("p");
        machine.app.capture_ended(result);
        machine.keys("j");
        let screen = machine.screen(80, 24);
        assert!(screen.contains(told) && screen.contains("PAUSED"), "{screen}");
    }
}

#[test]
fn all_of_the_help_can_be_reached_at_any_size() {
    let mut machine = busy();
    machine.keys("?");
    for (width, height) in [(80, 24), (120, 12), (120, 40), (139, 20), (250, 10)] {
        machine.keys("gg");
        let mut seen = String::new();
        for _ in 0..160 {
            seen += &machine.screen(width, height);
            machine.keys("j");
        }
        for spec in ptree_tui::action::COMMANDS {
            assert!(seen.contains(spec.description), "'{}' at {width}x{height}", spec.name);
        }
        assert!(seen.contains("of the dead, its peak"), "the last mark at {width}x{height}");
    }
}

#[test]
fn of_a_long_filter_the_end_the_cursor_and_the_hints_are_in_sight() {
    let mut machine = busy();
    let text: String = (0..40).map(|n| format!("w{n:02} ")).collect();
    machine.keys(&format!("/{}ends", text));
    // With a line for itself, and without.
    for (width, height) in [(80, 24), (40, 24), (80, 7), (40, 7)] {
        let buffer = machine.draw_with(&Theme::ansi(), width, height);
        let lines = common::lines(&buffer);
        let row = lines.iter().position(|line| line.starts_with("/…")).unwrap();
        let line = &lines[row];
        assert!(line.contains("w39 ends   0 matches"), "{line}");
        let cursor = u16::try_from(line.chars().position(|c| c == 's').unwrap() + 1).unwrap();
        let row = u16::try_from(row).unwrap();
        assert!(buffer[(cursor, row)].modifier.contains(Modifier::REVERSED), "{line}");
        let last = lines.last().unwrap();
        assert!(width < 80 || last.contains("Enter keep") && last.contains("Esc drop"), "{last}");
    }
    machine.keys("<Enter>");
    assert!(machine.screen(80, 24).lines().last().unwrap().contains("w39 ends  0 matches"));
}

#[test]
fn a_mistake_in_a_filter_is_pointed_at_and_the_last_good_one_holds() {
    let mut machine = busy();
    machine.screen(80, 24);
    machine.keys("/cc coom=make x");
    insta::assert_snapshot!(machine.screen(80, 24));
    let buffer = machine.draw_with(&Theme::ansi(), 80, 24);
    assert_eq!(buffer[(4, 23)].fg, Color::Red);
    assert!(buffer[(4, 22)].modifier.contains(Modifier::UNDERLINED));
    // What is not finished is no mistake yet.
    machine.keys("<C-u>cc lifetime<2h30");
    let buffer = machine.draw_with(&Theme::ansi(), 80, 24);
    assert_ne!(buffer[(13, 23)].fg, Color::Red);
    assert_eq!(machine.app.look().filter.text(), "cc lifetime<2h");
    machine.keys("<Enter>");
    assert_eq!(machine.app.mode(), ptree_tui::action::Mode::Filter, "a mistake is not kept");
    machine.keys("m<Enter>");
    assert_eq!(machine.app.look().filter.text(), "cc lifetime<2h30m");
    assert_eq!(machine.app.mode(), ptree_tui::action::Mode::Tree);
}

#[test]
fn carets_stand_under_their_place_at_every_width() {
    for (line, place) in
        [("/塩漬 coom=1", "coom"), ("/x and )", ")"), ("/aaaa bbbb cccc dddd eeee ffff coom=1", "coom")]
    {
        for width in [20, 30, 40, 80, 200] {
            let mut machine = busy();
            machine.keys(line);
            let screen = machine.screen(width, 24);
            let [.., above, below] = screen.lines().collect::<Vec<_>>()[..] else { unreachable!() };
            let columns = |text: &str| ptree_tui::measure::width(text);
            let expected = columns(above.split_once(place).unwrap().0);
            let at = below.find('^').map(|at| columns(&below[..at]));
            // Where there is no room for both, the message goes before the carets.
            assert!(at == Some(expected) || width < 200 && at.is_none(), "{above}\n{below}");
            assert!(width < 80 || below.ends_with('?') || below.ends_with('^') || below.ends_with("this"), "{below}");
        }
    }
}

#[test]
fn a_low_screen_says_in_the_same_line_what_is_wrong() {
    let mut machine = busy();
    machine.keys("/coom=1");
    let screen = machine.screen(80, 6);
    assert!(screen.lines().last().unwrap().starts_with("/coom=1   there is no field 'coom'"), "{screen}");
}

#[test]
fn tab_completes_as_far_as_there_is_no_choice() {
    let mut machine = busy();
    machine.keys("/c");
    let last = |machine: &mut Machine| machine.screen(80, 24).lines().last().unwrap().to_owned();
    assert_eq!(last(&mut machine), "Tab comm  cgroup  cgroup-id  container  code  core  cpu  children");
    machine.keys("on");
    assert_eq!(last(&mut machine), "Tab container  container's id, or how it begins");
    machine.keys("<Tab>");
    assert_eq!(machine.app.filter_line(), "container");
    machine.keys("<C-u>state=s<Tab>");
    assert_eq!(last(&mut machine), "Tab sleeping  stopped");
    machine.keys("t<Tab> lif<Tab>");
    assert_eq!(machine.app.filter_line(), "state=stopped lifetime");
    machine.keys(" xyz<Tab>");
    assert_eq!(machine.app.filter_line(), "state=stopped lifetime xyz");
    // Of the whole name of a field, what usually follows.
    for (typed, completed) in [
        ("cont<Tab><Tab>", "container~"),
        ("x cpu<Tab>", "x cpu>"),
        ("!comm<Tab>", "!comm="),
        ("comm=comm<Tab>", "comm=comm"),
        ("parent:<Tab>", "parent:"),
    ] {
        machine.keys("<C-u>");
        machine.keys(typed);
        assert_eq!(machine.app.filter_line(), completed);
    }
}

#[test]
fn help_while_typing_comes_back_to_the_line() {
    let mut machine = busy();
    machine.keys("/cc<F1>");
    assert!(machine.screen(80, 220).contains("lifetime<10ms"));
    machine.keys("<Esc> -c");
    assert_eq!(machine.app.filter_line(), "cc -c");
}

#[test]
fn rows_follow_what_the_filter_asks_about() {
    let mut machine = busy();
    let pids = |machine: &mut Machine| {
        machine.screen(80, 24);
        let rows = machine.app.list().rows().iter().filter(|row| row.matched);
        rows.filter_map(|row| Some(row.id.process()?.pid)).collect::<Vec<_>>()
    };
    machine.keys("/cpu>10%");
    assert_eq!(pids(&mut machine), [0_u32; 0]);
    machine.pass(SECOND);
    machine.usage(1005, 2 * SECOND, 1 << 20, 'R');
    assert_eq!(pids(&mut machine), [1005], "measured");
    machine.keys("<C-u>code=3");
    assert_eq!(pids(&mut machine), [0_u32; 0]);
    machine.code(1005, 3);
    assert_eq!(pids(&mut machine), [1005], "ended");
    machine.keys("<C-u>comm=cron lifetime>1d4h");
    assert_eq!(pids(&mut machine), [0_u32; 0]);
    machine.pass(3600 * SECOND);
    assert_eq!(pids(&mut machine), [400], "time has passed");
}

#[test]
fn start_is_shown_from_96_columns_on() {
    let mut machine = busy();
    machine.fork(4_194_303, 600, 1000, "longest pid");
    assert!(machine.screen(96, 24).contains(" START "));
}

#[test]
fn details_tell_how_many_children_a_second_are_forked() {
    let mut machine = busy();
    for n in 0..100 {
        machine.fork(3000 + n, 700, 1000, "vim");
        machine.pass(SECOND / 50);
    }
    machine.screen(80, 24);
    machine.keys("/700<Enter><Enter>");
    let screen = machine.screen(80, 100);
    let line = screen.lines().find(|line| line.starts_with("Children, 100 forked in all, ")).unwrap();
    let rate: f64 = line.split(' ').nth(5).unwrap().parse().unwrap();
    assert!((45.0..=55.0).contains(&rate), "{line}");
    machine.keys("p");
    machine.pass(10 * SECOND);
    assert!(machine.screen(80, 100).contains(line), "a pause holds all that is shown");
    machine.keys("p");
    assert!(!machine.screen(80, 100).contains("a second now"));
}

#[test]
fn a_very_long_argument_is_shown_as_far_as_there_is_room() {
    let mut machine = Machine::booted();
    let long = "塩".repeat(10_000);
    machine.spawn(1500, 600, 1000, &["/bin/prog", "short", &long, "after"]);
    let screen = machine.screen(200, 24);
    let line = screen.lines().find(|line| line.contains("prog short")).unwrap();
    assert!(line.contains("塩塩塩") && line.contains('…') && !line.contains("after"), "{line}");
    let process = machine.app.tree().get(machine.key(1500)).unwrap();
    for columns in [0, 1, 80, 200] {
        let arguments = ptree_tui::label::arguments(process, columns);
        assert!(unicode_width::UnicodeWidthStr::width(arguments.as_str()) > columns, "{columns}: {arguments}");
        assert!(arguments.len() <= 20 + 4 * columns, "{columns}: {arguments}");
    }
}

#[test]
fn the_dead_are_dim_and_failures_red() {
    let mut machine = busy();
    let buffer = machine.draw_with(&Theme::ansi(), 80, 24);
    let lines = common::lines(&buffer);
    let row =
        |pid: &str| u16::try_from(lines.iter().position(|line| line.trim_start().starts_with(pid)).unwrap()).unwrap();
    let column = u16::try_from(lines[2].find("STATUS").unwrap()).unwrap();
    assert!(
        buffer[(0, row("1002"))].modifier.contains(Modifier::DIM)
            || buffer[(3, row("1002"))].modifier.contains(Modifier::DIM)
    );
    assert!(!buffer[(3, row("1005"))].modifier.contains(Modifier::DIM));
    assert_eq!(buffer[(column, row("1003"))].fg, Color::Red);
    assert_eq!(buffer[(column, row("1004"))].fg, Color::Red);
    assert_ne!(buffer[(column, row("1002"))].fg, Color::Red);
}

#[test]
fn without_colours_there_is_none() {
    let mut machine = alarmed();
    machine.lose(1);
    for keys in ["s", "?", "<Esc><Enter>", "<Esc>p", "/x"] {
        machine.keys(keys);
        let buffer = machine.draw_with(&Theme::mono(), 80, 24);
        assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    }
}

#[test]
fn i16_nothing_from_outside_reaches_the_terminal_raw() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\nline\ttab\u{9b}31m\u{202e}rtl\u{200b}\u{7f}";
    let mut machine = Machine::booted();
    machine.users(&[(1000, evil), (66, evil)]);
    machine.fork_bytes(3000, 600, 66, b"\x1b[2J\xff\n\xc2\x9b");
    machine.exec(3000, 600, 66, &[evil, evil, evil]);
    machine.fork_bytes(3001, 3000, 66, b"\x1b[31m\x07\x08");
    machine.code(3001, 1);
    machine.app.capture_ended(Err(evil.to_owned()));
    machine.app.update(ptree_tui::action::Action::Exported(Err(evil.to_owned())));
    for keys in ["", "G<Enter>", "<Esc>k<Enter>", "<Esc>s", "/\u{1b}\u{202e}"] {
        machine.keys(keys);
        for (width, height) in [(80, 24), (200, 50), (300, 100)] {
            let buffer = machine.draw_with(&Theme::ansi(), width, height);
            for cell in &buffer.content {
                let harmful = |c: char| {
                    c.is_control() || ('\u{200b}'..='\u{200f}').contains(&c) || ('\u{202a}'..='\u{202e}').contains(&c)
                };
                assert!(!cell.symbol().chars().any(harmful), "{:?}", cell.symbol());
            }
        }
    }
    machine.app.tick(machine.now_ns + 60 * SECOND);
    machine.keys("<Esc>");
    assert!(machine.screen(300, 100).contains("\\x1b]0;owned\\x07"));
}

#[test]
fn wide_characters_keep_the_columns_aligned() {
    let mut machine = Machine::booted();
    machine.users(&[(1000, "用户名字很长")]);
    let screen = machine.screen(80, 24);
    let place = |line: &str, what: &str| line.find(what).map(|at| unicode_width::UnicodeWidthStr::width(&line[..at]));
    let of = |what: &str| screen.lines().find(|line| line.contains(what)).unwrap();
    assert_eq!(place(of("-bash"), "alive"), place(of("init"), "alive"));
}

#[test]
fn commands_scroll_sideways() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/bin/prog", "0123456789", "abcdefghij", "the end of a long line"]);
    assert!(!machine.screen(80, 24).contains("the end of"));
    machine.keys(">><S-Right>");
    let screen = machine.screen(80, 24);
    assert!(screen.contains("the end of"), "{screen}");
    machine.keys("<<<lt>");
    assert!(machine.screen(80, 24).contains("scrolled"));
    machine.keys("<<<<");
    assert!(machine.screen(80, 24).contains("prog 0123456789"));
}

#[test]
fn a_very_deep_chain_leaves_room_for_the_name() {
    let mut machine = Machine::booted();
    for depth in 0..300 {
        machine.spawn(5000 + depth, if depth == 0 { 600 } else { 4999 + depth }, 1000, &["/bin/nest", "deep"]);
    }
    machine.keys("G");
    let screen = machine.screen(80, 24);
    assert!(screen.lines().any(|line| line.contains("5299") && line.contains("nest deep")), "{screen}");
}

#[test]
fn what_the_kernel_does_not_give_is_said_at_the_top() {
    let top = |parts: &[&str], width| {
        let mut machine = Machine::degraded(parts);
        machine.found(1, 0, 0, &["/sbin/init"]);
        machine.screen(width, 24).lines().next().unwrap().to_owned()
    };
    assert!(top(&["ends", "memory"], 120).contains(" degraded: ends, memory "));
    assert!(top(&["ends", "memory"], 80).contains(" degraded: ends, memory "), "{}", top(&["ends", "memory"], 80));
    // A recording may say anything.
    let long = top(&["x\u{1b}[31m", &"y".repeat(500)], 120);
    assert!(long.contains("degraded: x\\x1b[31m, yyy") && long.contains(" live "), "{long}");
    assert!(!top(&[], 120).contains("degraded"));
}

#[test]
fn a_pause_holds_the_figures_and_lets_the_counters_go_on() {
    let mut machine = busy();
    machine.pass(SECOND);
    let before = machine.screen(200, 50);
    machine.keys("p");
    for pid in 3000..3040 {
        machine.spawn(pid, 400, 0, &["/bin/true"]);
        machine.code(pid, 0);
    }
    machine.lose(2);
    machine.pass(75 * SECOND);
    machine.pass(SECOND);
    for (width, height) in [(40, 10), (80, 24), (200, 50)] {
        insta::assert_snapshot!(format!("paused_at_{width}x{height}"), machine.screen(width, height));
    }
    let held = machine.screen(200, 50);
    // All but the events, at the right.
    let rates = |screen: &str| screen.lines().nth(1).unwrap().chars().take(100).collect::<String>();
    assert_eq!(rates(&before), rates(&held));
    let counts = |screen: &str| screen.lines().next().unwrap().split("  ").last().unwrap().to_owned();
    assert!(held.contains(" 10 live  3 dead") && counts(&before) == counts(&held), "{held}");
    machine.keys("p");
    let after = machine.screen(200, 50);
    assert!(!after.contains("PAUSED") && after.contains(" 2 lost"), "{after}");
    assert_ne!(before.lines().next(), after.lines().next());
}

#[test]
fn when_a_storm_is_over_the_alert_says_what_it_was() {
    let mut machine = alarmed();
    let during = machine.screen(100, 24);
    assert!(during.contains("spawn rate 299/s, peak 299/s (limit 200): -bash [600] makes 100%"), "{during}");
    for _ in 0..30 {
        machine.pass(SECOND / 10);
    }
    let after = machine.screen(100, 24);
    assert!(after.contains("spawn rate was up to 299/s (limit 200), now 0/s: -bash [600] made 100%"), "{after}");
}

#[test]
fn an_alert_always_says_whom_it_names_and_how_to_get_there() {
    let mut machine = alarmed();
    let line = |machine: &mut Machine, width| {
        let screen = machine.screen(width, 24);
        screen.lines().find(|line| line.starts_with(" spawn rate")).unwrap().to_owned()
    };
    let narrow = line(&mut machine, 80);
    assert!(narrow.starts_with(" spawn rate 299/s: -bash [600] makes 100%  "), "{narrow}");
    for width in [40, 60, 80, 100, 200] {
        let line = line(&mut machine, width);
        assert!(line.ends_with("  (a goes there)") || width < 60 && line.ends_with("… (a goes there)"), "{line}");
    }
    let tiny = line(&mut machine, 20);
    assert!(tiny.starts_with(" spawn rate 299/s:"), "no room for both: {tiny}");
}

#[test]
fn figures_and_panels_are_shown_one_or_both_at_any_size() {
    for (width, height) in [(40, 10), (80, 24), (200, 50)] {
        let mut machine = busy();
        // From neither on, whether there is room beside the tree or not.
        machine.screen(width, height);
        if width > 140 {
            machine.keys("s");
        }
        let mut seen = Vec::new();
        for keys in ["D", "s", "D", "s"] {
            machine.keys(keys);
            let screen = machine.screen(width, height);
            seen.push((screen.contains("PTREE-TUI ITSELF"), screen.contains("SPAWNED")));
            if seen.len() == 2 {
                insta::assert_snapshot!(format!("figures_and_panels_at_{width}x{height}"), screen);
            }
        }
        assert_eq!(seen, [(true, false), (true, true), (false, true), (false, false)], "{width}x{height}");
    }
}

#[test]
fn where_panels_have_no_room_that_is_said() {
    let mut machine = busy();
    for keys in ["s", "D"] {
        machine.screen(80, 7);
        machine.keys(keys);
        assert!(machine.screen(80, 7).contains("Panels take a screen of 8 lines"));
    }
    machine.screen(80, 24);
    machine.keys("3s");
    assert!(!machine.screen(80, 24).contains("below the tree"), "they have been hidden");
    machine.keys("s");
    assert!(machine.screen(80, 24).contains("Panels stand below the tree: 1 shows it"));
}

#[test]
fn the_end_of_the_capture_is_told_with_its_time() {
    let mut machine = busy();
    machine.app.capture_ended(Ok(()));
    for (width, height) in [(40, 10), (80, 24), (200, 50)] {
        let screen = machine.screen(width, height);
        let first = screen.lines().next().unwrap();
        assert!(first.contains("CAPTURE ENDED 14:00:01"), "{first}");
    }
}

#[test]
fn a_storm_of_threads_shows_in_the_header_with_who_begins_them() {
    let mut machine = Machine::booted();
    machine.spawn(1500, 600, 1000, &["/usr/bin/pool"]);
    assert!(!machine.screen(200, 50).contains("thread "), "only while there are some");
    for second in 1..4_u32 {
        machine.pass(SECOND);
        machine.threads(1500, 1 + 4000 * second);
    }
    machine.pass(SECOND / 10);
    let screen = machine.screen(200, 50);
    assert!(screen.contains("thread 4") && screen.contains("pool [1500] makes 100%"), "{screen}");
    assert!(screen.contains("thread rate"), "{screen}");
}
