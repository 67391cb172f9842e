//! What a user can choose: themes, ASCII, keys, the mouse, names of filters; and the help and the history of the lines.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{Machine, SECOND, lines, paint};
use ptree_core::{ExitStatus, Fact, RowId};
use ptree_tui::action::{Action, COMMANDS, Command, Effect, Mode};
use ptree_tui::app::{App, Options, Preferences};
use ptree_tui::keymap::Bindings;
use ptree_tui::screen::theme::ability::{Ability, Colours};
use ptree_tui::screen::theme::{ROLES, Theme, ThemeName};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

/// Live, dead, failed and selected rows; an alert and a pause.
fn eventful() -> Machine {
    let mut machine = Machine::booted();
    machine.spawn(1001, 600, 1000, &["/usr/bin/make", "塩"]);
    machine.spawn(1002, 1001, 1000, &["/usr/bin/cc", "-c", "a.c"]);
    machine.spawn(1003, 1001, 1000, &["/usr/bin/cc", "-c", "b.c"]);
    machine.pass(SECOND);
    machine.code(1002, 0);
    machine.exit(1003, ExitStatus::Signal { signal: 11, core: false });
    for n in 0..600 {
        machine.fork(2000 + n, 400, 0, "cron");
        machine.code(2000 + n, 0);
        machine.pass(SECOND / 300);
    }
    machine.app.update(Action::Resize(80, 24));
    machine.app.prepare(ptree_tui::view::measure(&machine.app));
    machine.keys("jjp");
    machine
}

/// The second half of a wide character, which is never drawn.
fn is_hidden(buffer: &Buffer, x: u16, y: u16) -> bool {
    x > 0 && ptree_tui::measure::width(buffer[(x - 1, y)].symbol()) > 1
}

/// The screen as letters for styles, one a cell: the meanings of a theme in the order of its definition.
fn styles(buffer: &Buffer, theme: &Theme) -> String {
    let known: Vec<_> = ROLES.iter().map(|role| Style::reset().patch(theme.plain).patch((role.get)(theme))).collect();
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        for x in 0..buffer.area.width {
            if is_hidden(buffer, x, y) {
                row.push(' ');
                continue;
            }
            let cell = &buffer[(x, y)];
            let style = Style::reset().patch(cell.style());
            let at = known
                .iter()
                .position(|known| (known.fg, known.bg, known.add_modifier) == (style.fg, style.bg, style.add_modifier));
            row.push(match at {
                Some(0) if cell.symbol() == " " => ' ',
                Some(at) => char::from(b'a' + u8::try_from(at).unwrap()),
                None => '?',
            });
        }
        out += row.trim_end();
        out.push('\n');
    }
    out
}

#[test]
fn every_theme_styles_by_meaning_at_three_sizes() {
    let mut machine = eventful();
    for name in ThemeName::ALL {
        let theme = Theme::new(name, &[], Ability { colours: Colours::True, unicode: true });
        for (width, height) in [(40, 10), (80, 24), (200, 50)] {
            let buffer = machine.draw_with(&theme, width, height);
            let styles = styles(&buffer, &theme);
            assert!(!styles.contains('?'), "{name:?} has a style of no meaning at {width}x{height}:\n{styles}");
            if name == ThemeName::Dark {
                insta::assert_snapshot!(format!("styles_at_{width}x{height}"), styles);
            }
        }
    }
}

#[test]
fn high_contrast_covers_the_whole_screen_and_mono_has_no_colour() {
    let mut machine = eventful();
    for (name, colours) in [(ThemeName::HighContrast, Colours::True), (ThemeName::Dark, Colours::None)] {
        let theme = Theme::new(name, &[], Ability { colours, unicode: true });
        for (width, height) in [(1, 1), (40, 10), (200, 50)] {
            let buffer = machine.draw_with(&theme, width, height);
            let cells = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
            for (x, y) in cells.filter(|&(x, y)| !is_hidden(&buffer, x, y)) {
                let cell = &buffer[(x, y)];
                if name == ThemeName::HighContrast {
                    assert!(cell.bg != Color::Reset && cell.fg != Color::Reset, "{cell:?}");
                } else {
                    assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{cell:?}");
                }
            }
        }
    }
}

#[test]
fn without_unicode_everything_is_ascii_and_where_it_was() {
    let unicode = Theme::ansi();
    let ascii = Theme { ascii: true, ..unicode };
    let mut machine = eventful();
    for keys in ["", "<Space>", "<Space>?", "<Esc>/塩", "<Enter><Enter>"] {
        machine.keys(keys);
        for (width, height) in [(1, 1), (40, 10), (80, 24), (200, 50), (500, 200)] {
            let before = lines(&machine.draw_with(&unicode, width, height));
            let after = lines(&machine.draw_with(&ascii, width, height));
            for (before, after) in before.iter().zip(&after) {
                assert!(after.is_ascii(), "'{keys}' {after}");
                assert_eq!(ptree_tui::measure::width(before), after.len(), "{before}\n{after}");
            }
        }
    }
    let mut machine = eventful();
    insta::assert_snapshot!(lines(&machine.draw_with(&ascii, 80, 24)).join("\n"));
}

#[test]
fn strange_characters_keep_columns_aligned() {
    let mut machine = Machine::booted();
    let names =
        ["e\u{301}a\u{308}", "👩‍👩‍👧‍👦 family", "\u{202e}rtl", "\u{200f}שלום", "a\u{200d}b", "🇩🇪🇫🇷", "ﷺ", "\u{feff}bom"];
    for (n, name) in names.iter().enumerate() {
        machine.spawn(3000 + u32::try_from(n).unwrap(), 600, 1000, &["/bin/x", name, "END"]);
    }
    for width in [40, 80, 200] {
        let buffer = machine.draw_with(&Theme::ansi(), width, 30);
        let text = lines(&buffer).join("\n");
        for mark in ["\u{202e}", "\u{200f}", "\u{feff}"] {
            assert!(!text.contains(mark), "what turns or hides text is escaped: {}", text.escape_debug());
        }
        // The panels, or nothing, stand behind: in the same column on each line.
        for line in lines(&buffer) {
            assert!(ptree_tui::measure::width(&line) <= usize::from(width), "{line}");
        }
    }
    let shown = machine.screen(80, 30);
    for n in 0..names.len() {
        let line = shown.lines().find(|line| line.contains(&format!(" {} ", 3000 + n))).unwrap();
        let place = line.find("─ x ").map(|at| ptree_tui::measure::width(&line[..at]));
        assert_eq!(
            place,
            shown.lines().find_map(|line| Some(ptree_tui::measure::width(&line[..line.find("─ x ")?]))),
            "{line}"
        );
    }
}

fn click(machine: &mut Machine, text: &str, double: bool) {
    let screen = machine.screen(80, 24);
    let (row, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
    let column = ptree_tui::measure::width(&line[..line.find(text).unwrap()]);
    let (column, row) = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
    machine.click(column, row, double);
}

fn built() -> Machine {
    let mut machine = Machine::booted();
    machine.spawn(1001, 600, 1000, &["/usr/bin/make", "all"]);
    machine.spawn(1002, 1001, 1000, &["/usr/bin/cc", "-c", "a.c"]);
    machine
}

#[test]
fn a_click_selects_and_a_double_click_opens() {
    let mut machine = built();
    click(&mut machine, "cc -c", false);
    assert!(machine.selected_line().contains("cc -c a.c"));
    assert_eq!(machine.app.mode(), Mode::Tree);
    click(&mut machine, "vim", true);
    machine.screen(80, 24);
    assert_eq!((machine.app.mode(), machine.app.details().unwrap().title().contains("700")), (Mode::Details, true));
    let before = machine.screen(80, 24);
    machine.click(3, 5, false);
    assert_eq!(machine.screen(80, 24), before, "a page takes no clicks");
}

#[test]
fn a_click_on_the_guide_of_a_row_folds_it_and_one_on_the_mark_unfolds_it() {
    let mut machine = built();
    click(&mut machine, "└─ make", false);
    let screen = machine.screen(80, 24);
    assert!(screen.contains("▸ +1 make") && !screen.contains("cc -c"), "{screen}");
    assert!(machine.selected_line().contains("make"));
    click(&mut machine, "▸ +1 make", false);
    assert!(machine.screen(80, 24).contains("cc -c"));
    click(&mut machine, "cc -c", false);
    let cc = machine.app.list().selected();
    click(&mut machine, "└─ cc", false);
    assert_eq!(machine.app.list().selected(), cc, "there is nothing below it to fold");
    assert!(machine.screen(80, 24).contains("cc -c"));
}

#[test]
fn a_click_on_a_heading_sorts_and_another_one_turns_it_round() {
    let mut machine = built();
    let sort = |machine: &Machine| (machine.app.look().sort.by, machine.app.look().sort.reversed);
    for (heading, key) in [("USER", Fact::User), ("RSS", Fact::Rss), ("STATUS", Fact::State), ("COMMAND", Fact::Name)] {
        click(&mut machine, heading, false);
        assert_eq!(sort(&machine), (key, false), "{heading}");
        click(&mut machine, heading, false);
        assert_eq!(sort(&machine), (key, true), "{heading}");
    }
}

#[test]
fn what_may_follow_the_first_key_of_a_sequence_is_listed_as_far_as_there_is_room() {
    let mut machine = built();
    machine.screen(80, 24);
    let mut last = |keys: &str, width| {
        machine.keys(keys);
        machine.screen(width, 24).lines().last().unwrap().to_owned()
    };
    assert_eq!(last("y", 80), "y…  c its command line  p its pid  l names and pids of it and all above it");
    assert_eq!(last("", 40), "y…  c its command line  p its pid  l na…");
    assert!(last("<Esc>z", 80).starts_with("z…  a o c fold  M fold all  R unfold all  m fold the deepest"));
    assert_eq!(last("<Esc>g", 80), "g…  g to the top");
    assert_eq!(last("<Esc>Z", 80), "Z…  Z Q quit");
    assert_eq!(last("<Esc><Enter>y", 80), "y…  c its command line  p its pid  l names and pids of it and all above it");
    assert_eq!(last("<Esc><Esc>:", 80), "':' does nothing here: ? tells all keys");
}

#[test]
fn the_wheel_scrolls_what_is_shown() {
    let mut machine = built();
    machine.screen(80, 24);
    machine.app.update(Action::Wheel(3));
    let third = machine.app.list().rows().get(3).unwrap().id;
    machine.screen(80, 24);
    assert_eq!(machine.app.list().selected(), Some(third));
    machine.keys("?");
    machine.app.update(Action::Wheel(3));
    machine.screen(80, 24);
    assert_eq!((machine.app.help_scroll(), machine.app.list().selected()), (3, Some(third)));
    machine.app.update(Action::Wheel(-30));
    machine.screen(80, 24);
    assert_eq!(machine.app.help_scroll(), 0);
}

#[test]
fn a_click_on_the_alert_goes_to_whom_it_names() {
    let mut machine = eventful();
    machine.keys("pgg");
    click(&mut machine, "spawn rate", false);
    assert_eq!(machine.app.list().selected(), Some(RowId::Process(machine.key(400))));
}

#[test]
fn i13_clicks_anywhere_at_any_size_do_no_harm() {
    for (width, height) in [(1, 1), (2, 3), (20, 5), (80, 24), (200, 50)] {
        let mut machine = eventful();
        for n in 0..400_u16 {
            machine.draw_with(&Theme::ansi(), width, height);
            let (column, row) = (n * 7 % (width + 2), n * 3 % (height + 2));
            machine.click(column, row, n % 5 == 0);
            if n % 11 == 0 {
                machine.keys("<Esc>");
            }
        }
    }
}

fn with(bindings: Bindings) -> Machine {
    let mut machine = Machine::with(Options {
        engine: ptree_core::engine::Config::default(),
        filter: ptree_core::Filter::default(),
        zone: jiff::tz::TimeZone::UTC,
        preferences: Preferences { bindings, ..Preferences::default() },
        is_here: true,
        read_only: false,
        own_pid: 601,
    });
    machine.found(1, 0, 0, &["/sbin/init"]);
    machine
}

#[test]
fn other_keys_work_and_help_and_hints_show_them() {
    let mut bindings = Bindings::default();
    bindings.rebind(Mode::Tree, Command::Help, vec![", y".to_owned()]);
    bindings.rebind(Mode::Tree, Command::Dead, vec!["M-d".to_owned()]);
    let mut machine = with(bindings);
    let screen = machine.screen(200, 24);
    assert!(screen.contains("M-d dead") && screen.contains(", y help"), "{screen}");
    machine.keys("?");
    assert_eq!(machine.app.mode(), Mode::Tree, "the key of the table is free");
    machine.keys(",");
    assert!(machine.screen(80, 24).contains(",…"));
    machine.keys("y");
    assert_eq!(machine.app.mode(), Mode::Help);
    let help = machine.screen(200, 80);
    assert!(
        help.contains(" ,y                 This help") && help.contains(" M-d                Show or hide the dead"),
        "{help}"
    );
}

#[test]
fn a_key_that_does_nothing_says_where_to_find_those_that_do() {
    let mut machine = built();
    let last = |machine: &mut Machine| machine.screen(80, 24).lines().last().unwrap().to_owned();
    for (keys, told) in [
        ("W", "W does nothing here: ? tells all keys"),
        ("<C-w>", "Ctrl-w does nothing here: ? tells all keys"),
        ("zx", "zx does nothing here: ? tells all keys"),
        // A sequence given up is no mistake.
        ("z<Esc>", "Enter details"),
        ("3W", "W does nothing here: ? tells all keys"),
        // There the hints must stay in sight.
        ("1<F9><Enter>w", "y yes"),
    ] {
        machine.screen(80, 24);
        machine.keys(keys);
        assert!(last(&mut machine).starts_with(told), "{keys}: {}", last(&mut machine));
    }
}

#[test]
fn keys_of_other_programs_do_what_is_expected_of_them() {
    let mut machine = built();
    let folded = |machine: &mut Machine| machine.screen(80, 24).contains('▸');
    machine.screen(80, 24);
    for keys in ["za", "zc", " "] {
        machine.keys(keys);
        assert!(folded(&mut machine), "{keys}");
        machine.keys("zo");
        assert!(!folded(&mut machine), "{keys}");
    }
    machine.keys("\\");
    assert_eq!(machine.app.mode(), Mode::Filter);
    machine.keys("<Esc>K");
    assert!(machine.screen(80, 24).contains("kthreadd"));
    assert_eq!(machine.keys("ZZ"), Some(Effect::Quit));
    assert_eq!(machine.keys("ZQ"), Some(Effect::Quit));
}

#[test]
fn the_next_match_is_found_below_folds_too() {
    let mut machine = built();
    machine.screen(80, 24);
    machine.keys("-/cc -c<Enter>");
    assert!(!machine.screen(80, 24).contains("cc -c a.c"));
    machine.keys("n");
    machine.screen(80, 24);
    assert!(machine.selected_line().contains("cc -c a.c"), "{}", machine.selected_line());
    machine.keys("/-nothing<Enter>n");
    assert_eq!(machine.app.message().unwrap().text, "Nothing matches the filter");
}

#[test]
fn i14_the_help_has_every_action_even_one_without_a_key() {
    let mut bindings = Bindings::default();
    bindings.rebind(Mode::Tree, Command::Figures, Vec::new());
    let mut machine = with(bindings);
    machine.keys("?");
    let help = machine.screen(250, 100);
    for spec in COMMANDS {
        assert!(help.contains(spec.description), "{}", spec.name);
    }
}

#[test]
fn the_help_can_be_searched() {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    machine.keys("?/mem");
    let screen = machine.screen(80, 24);
    for found in ["Sort by memory", "rss>100MiB", "/mem   ", " lines", "Keys and marks  with 'mem'"] {
        assert!(screen.contains(found), "'{found}' in\n{screen}");
    }
    assert!(!screen.contains("One line up"), "{screen}");
    machine.keys("<Enter>");
    assert_eq!(machine.app.mode(), Mode::Help);
    assert!(machine.screen(80, 24).contains("Sort by memory"));
    machine.keys("/xyz");
    assert!(machine.screen(80, 24).contains("Nothing in the help has this in it."));
    machine.keys("<Esc>");
    assert!(machine.screen(80, 24).contains("One line up"), "dropped");
    machine.keys("/mem<Enter><Esc>?");
    assert!(machine.screen(80, 24).contains("One line up"), "forgotten when it was closed");
    assert_eq!(machine.app.filter_line(), "", "the filter is another line");
}

#[test]
fn filters_of_before_come_back() {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    machine.keys("/vim<Enter>/<C-u>cron<Enter><Esc>/");
    machine.keys("<Up>");
    assert_eq!(machine.app.filter_line(), "cron");
    machine.keys("<Up>");
    assert_eq!(machine.app.filter_line(), "vim");
    assert!(machine.screen(80, 24).contains("1 match"), "it holds at once");
    machine.keys("<Down><Down>");
    assert_eq!(machine.app.filter_line(), "");
    machine.keys("b");
    let selected = machine.app.list().selected();
    machine.screen(80, 24);
    machine.keys("<Down>");
    machine.screen(80, 24);
    assert_eq!(machine.app.filter_line(), "b");
    assert_ne!(machine.app.list().selected(), selected, "where something is typed, Down moves");
    machine.keys("<C-p>");
    assert_eq!(machine.app.filter_line(), "cron", "that key asks for nothing else");
    machine.keys("<C-n>");
    assert_eq!(machine.app.filter_line(), "b");
}

#[test]
fn names_of_filters_are_known_on_the_screen() {
    let mut preferences = Preferences::default();
    preferences.names.insert("editors", "comm=vim or comm=emacs");
    let header = Machine::new().app.header().clone();
    let mut machine = Machine::booted();
    let options = Options {
        engine: ptree_core::engine::Config::default(),
        filter: ptree_core::Filter::default(),
        zone: jiff::tz::TimeZone::UTC,
        preferences,
        is_here: true,
        read_only: false,
        own_pid: 601,
    };
    machine.app = App::new(options, header);
    machine.found(1, 0, 0, &["/sbin/init"]);
    machine.found(700, 1, 1000, &["/usr/bin/vim", "notes.txt"]);
    machine.keys("/@ed<Tab>");
    machine.screen(80, 24);
    assert_eq!(machine.app.filter_line(), "@editors");
    assert_eq!(machine.app.list().rows().wanted(), 1);
    machine.keys("x");
    assert!(machine.screen(80, 24).contains("no filter is called 'editorsx'; did you mean 'editors'?"));
}

#[test]
fn the_parent_is_one_key_away() {
    let mut machine = built();
    click(&mut machine, "cc -c", false);
    machine.keys("u");
    assert!(machine.selected_line().contains("make all"));
    machine.keys("uu");
    assert!(machine.selected_line().contains("sshd"));
    machine.keys("uuu");
    assert!(machine.selected_line().contains("init"));
}

#[test]
fn every_size_is_drawn_in_every_mode_and_theme() {
    for keys in ["", "/x", "<Enter>", "?", "?/m"] {
        let mut machine = eventful();
        machine.keys(keys);
        for (width, height) in [(1, 1), (3, 200), (500, 2), (20, 5), (500, 200)] {
            machine.app.update(Action::Resize(width, height));
            machine.app.prepare(ptree_tui::view::measure(&machine.app));
            for name in ThemeName::ALL {
                let theme = Theme::new(name, &[], Ability { colours: Colours::Palette, unicode: false });
                assert_eq!(paint(&machine.app, &theme, width, height).area, Rect::new(0, 0, width, height));
            }
        }
    }
}

/// The place of a text on the last line.
fn hint(machine: &mut Machine, width: u16, height: u16, text: &str) -> (u16, u16) {
    let line = machine.screen(width, height).lines().last().unwrap().to_owned();
    let at = line.find(text).unwrap_or_else(|| panic!("no '{text}' in: {line}"));
    (u16::try_from(ptree_tui::measure::width(&line[..at])).unwrap(), height - 1)
}

#[test]
fn a_click_on_a_hint_does_what_it_says_in_every_mode() {
    let click = |machine: &mut Machine, (column, row): (u16, u16)| machine.click(column, row, false);
    let mut machine = Machine::booted();
    for (text, mode) in [
        ("Enter details", Mode::Details),
        ("? help", Mode::Help),
        ("search", Mode::HelpSearch),
        ("drop", Mode::Help),
        ("close", Mode::Details),
        ("Esc", Mode::Tree),
        ("filter", Mode::Filter),
        ("Esc drop", Mode::Tree),
    ] {
        let place = hint(&mut machine, 80, 24, text);
        click(&mut machine, place);
        assert_eq!(machine.app.mode(), mode, "{text}");
    }
    // Up to the end of its words, and no further.
    let (quit, row) = hint(&mut machine, 80, 24, "q quit");
    assert_eq!(click(&mut machine, (quit + 5, row)), Some(Effect::Quit));
    assert_eq!(click(&mut machine, (quit + 20, row)), None);
    let (pause, _) = hint(&mut machine, 80, 24, "p pause");
    click(&mut machine, (pause, row - 1));
    assert_eq!(machine.app.paused(), None, "the line above is none of it");

    // Where a message stands, there is no hint.
    let place = hint(&mut machine, 80, 24, "p pause");
    machine.keys("n");
    machine.screen(80, 24);
    click(&mut machine, place);
    assert_eq!(machine.app.paused(), None);
    machine.screen(80, 24);
    click(&mut machine, place);
    assert!(machine.app.paused().is_some());

    // On a low screen losses stand before the hints.
    let mut machine = Machine::booted();
    machine.lose(7);
    let place = hint(&mut machine, 60, 4, "Space");
    assert!(place.0 > 7, "{place:?}");
    machine.keys("gg");
    machine.screen(60, 4);
    let before = machine.app.list().rows().len();
    click(&mut machine, place);
    machine.screen(60, 4);
    assert!(machine.app.list().rows().len() < before, "folded");
}

#[test]
fn values_are_completed_from_the_processes_there_are() {
    let mut machine = Machine::booted();
    machine.screen(80, 24);
    machine.keys("/user=");
    let offer = machine.screen(80, 24).lines().last().unwrap().to_owned();
    assert_eq!(offer, "Tab ann  root");
    machine.keys("r<Tab>");
    assert_eq!(machine.app.filter_line(), "user=root");
    machine.keys("<C-u>unit=us<Tab> comm=cr<Tab>");
    assert_eq!(machine.app.filter_line(), "unit=user.slice comm=cron");
    machine.keys("<C-u>comm=\"");
    let before = machine.app.filter_line().to_owned();
    machine.keys("<Tab>");
    assert_eq!(machine.app.filter_line(), before, "nothing is taken away");
}

#[test]
fn the_header_tells_when_a_cap_shortens_the_stay_of_the_dead() {
    let options = Machine::options();
    let engine = ptree_core::Config { keep_max: 3, ..options.engine };
    let mut machine = Machine::with(Options { engine, ..options });
    machine.found(1, 0, 0, &["/sbin/init"]);
    for pid in 10..20 {
        machine.fork(pid, 1, 0, "sh");
        machine.code(pid, 0);
        machine.pass(SECOND);
    }
    let screen = machine.screen(80, 24);
    assert!(screen.lines().next().unwrap().contains("1 live   3 dead, kept 3s  self"), "{screen}");
    machine.pass(10 * SECOND);
    let screen = machine.screen(80, 24);
    assert!(screen.lines().next().unwrap().contains("1 live  3 dead  self"), "{screen}");
}
