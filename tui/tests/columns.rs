//! Columns and sorts: chosen, ordered, resized, kept, and what the sums over subtrees say.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{Machine, SECOND};
use insta::assert_snapshot;
use ptree_core::event::Usage;
use ptree_core::{Event, Fact, Session, Tty};
use ptree_tui::action::{Action, Effect, Mode};
use ptree_tui::app::{Options, Preferences};
use ptree_tui::column::{COLUMNS, Chosen, Column};
use ptree_tui::config::file::parse;

/// Ann's make runs shells, each with a compiler, one of which fails; the editor idles.
fn building() -> Machine {
    let mut machine = Machine::booted();
    machine.pass(2 * SECOND);
    machine.spawn(1000, 600, 1000, &["/usr/bin/make", "-j2", "all"]);
    for pid in (1001..1009).step_by(2) {
        machine.spawn(pid, 1000, 1000, &["/bin/sh", "-c", "cc a.c"]);
        machine.spawn(pid + 1, pid, 1000, &["/usr/bin/cc", "a.c"]);
        machine.pass(SECOND / 2);
        machine.code(pid + 1, u8::from(pid == 1005));
        machine.code(pid, 0);
    }
    machine.spawn(1100, 1000, 1000, &["/usr/bin/ld", "-o", "all"]);
    machine.usage(700, 30 * SECOND, 90 << 20, 'S');
    machine.usage(1000, SECOND, 12 << 20, 'S');
    machine.usage(1100, SECOND / 4, 200 << 20, 'R');
    machine.pass(SECOND);
    machine.usage(1100, SECOND, 300 << 20, 'R');
    machine.usage(1000, SECOND, 12 << 20, 'S');
    machine.pass(SECOND);
    machine
}

/// Its screen, with these columns.
fn with_columns(machine: Machine, columns: &[Column]) -> Machine {
    let mut machine = machine;
    machine.keys("C");
    for column in columns {
        select(&mut machine, *column);
        machine.keys(" ");
    }
    machine.keys("<Esc>");
    machine
}

/// Selects a line in the list of columns.
fn select(machine: &mut Machine, column: Column) {
    let at = machine.app.columns().all().position(|other| other == column).unwrap();
    machine.keys("gg");
    machine.keys(&"j".repeat(at));
}

fn shown(machine: &Machine) -> Vec<&'static str> {
    machine.app.columns().shown().iter().map(|column| column.spec().name).collect()
}

#[test]
fn the_chooser_at_three_sizes() {
    let mut machine = building();
    machine.keys("C");
    assert_snapshot!("chooser_at_40x10", machine.screen(40, 10));
    assert_snapshot!("chooser_at_80x24", machine.screen(80, 24));
    select(&mut machine, Column::TreeTime);
    machine.keys(" ");
    select(&mut machine, Column::TreeTime);
    machine.keys("K");
    assert_snapshot!("chooser_at_200x50", machine.screen(200, 50));
}

#[test]
fn subtrees_are_summed_up_in_their_columns() {
    let sums = [Column::TreeCpu, Column::TreeTime, Column::TreeRss, Column::TreeAlive, Column::TreeFailed];
    let mut machine = with_columns(building(), &sums);
    assert_snapshot!("sums_at_80x24", machine.screen(80, 24));
    machine.keys("2");
    let flat = machine.screen(80, 24);
    assert!(flat.contains("CPU+"), "in the flat list as well: {flat}");
    machine.keys("4");
    assert!(machine.screen(200, 24).contains("CPU+"), "and beside the timeline");
}

/// What a process belongs to, and how it spends its time.
const BELONGING: [Column; 13] = [
    Column::Session,
    Column::ProcessGroup,
    Column::Terminal,
    Column::Nice,
    Column::Login,
    Column::AuditSession,
    Column::UserTime,
    Column::SystemTime,
    Column::RunDelay,
    Column::ThreadsBegun,
    Column::ThreadsMost,
    Column::ReadRate,
    Column::WriteRate,
];

#[test]
fn what_processes_belong_to_and_how_they_spend_their_time_has_columns_and_stands_in_the_details() {
    let mut columns = Chosen::default();
    columns.show(BELONGING);
    let mut machine =
        Machine::with(Options { preferences: Preferences { columns, ..Preferences::default() }, ..Machine::options() });
    machine.found(1, 0, 0, &["/sbin/init"]);
    machine.found(500, 1, 0, &["/usr/bin/web"]);
    machine.spawn(1000, 500, 1000, &["/bin/job"]);
    let session = Session {
        sid: Some(500),
        pgid: Some(1000),
        nice: Some(-5),
        tty: Some(Tty::new(b"pts/3")),
        login_uid: Some(4242),
        audit_session: Some(17),
    };
    let (ts_ns, key) = (machine.now_ns, machine.key(1000));
    machine.event(Event::Session { ts_ns, key, session });
    let (ts_ns, key) = (machine.now_ns, machine.key(500));
    let alone = Session { tty: Some(Tty::NONE), login_uid: Some(Session::NO_LOGIN), ..Session::default() };
    machine.event(Event::Session { ts_ns, key, session: alone });
    let usage = |ts_ns, key, seconds: u64| {
        Event::Usage(Usage {
            ts_ns,
            key,
            cpu_ns: 3 * seconds * SECOND,
            user_ns: Some(2 * seconds * SECOND),
            run_delay_ns: Some(7 * seconds * SECOND),
            rss_bytes: None,
            read_bytes: Some(seconds << 20),
            write_bytes: Some(seconds << 21),
            threads_begun: Some(9),
            threads: 3,
            state: 'R',
        })
    };
    for seconds in 1..3 {
        machine.pass(SECOND);
        for pid in [500, 1000] {
            let (ts_ns, key) = (machine.now_ns, machine.key(pid));
            machine.event(usage(ts_ns, key, seconds));
        }
    }
    let line = |machine: &mut Machine, command: &str| {
        let screen = machine.screen(200, 20);
        let line = screen.lines().find(|line| line.contains(command)).unwrap_or_else(|| panic!("{screen}"));
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()[..13].join(" ")
    };
    assert_eq!(line(&mut machine, "job"), "500 1000 pts/3 -5 4242 17 4.00s 2.00s 14.00s 9 - 1.0M 2.0M");
    assert_eq!(line(&mut machine, "web"), "- - ? - - - 4.00s 2.00s 14.00s 9 - 1.0M 2.0M");
    assert_eq!(line(&mut machine, "init"), "- - - - - - - - - - - - -");
    machine.keys("<Down><Down><Enter>");
    let details = machine.screen(100, 60);
    for told in [
        "500, process group 1000",
        "pts/3",
        "-5",
        "4242, session 17",
        "4.00s in user mode, 2.00s in the kernel",
        "14.00s",
        "2.0M, 1.0M a second now",
        "4.0M, 2.0M a second now",
    ] {
        assert!(details.contains(told), "{told}: {details}");
    }
    machine.keys("<Esc>");
    machine.code(1000, 0);
    let of_the_dead = line(&mut machine, "job");
    assert!(
        of_the_dead.starts_with("500 1000 pts/3 -5 4242 17 ") && of_the_dead.ends_with(" 1 1 - -"),
        "{of_the_dead}"
    );
}

#[test]
fn every_column_has_something_to_tell() {
    let mut columns = Chosen::default();
    let others = COLUMNS.iter().filter(|spec| !spec.usual && !spec.column.is_sum()).map(|spec| spec.column);
    columns.show(others.filter(|column| !BELONGING.contains(column)));
    columns.set_width(Column::Cgroup, 12);
    let mut machine =
        Machine::with(Options { preferences: Preferences { columns, ..Preferences::default() }, ..Machine::options() });
    machine.found(1, 0, 0, &["/sbin/init"]);
    machine.found_in("/system.slice/cron.service", 400, 1, 0, &["/usr/sbin/cron", "-f"]);
    machine.screen(180, 20);
    machine.keys("s");
    let docker = format!("/docker/{}/system.slice/web.service", "0123456789abcdef".repeat(4));
    machine.found_in(&docker, 500, 1, 0, &["/usr/bin/web"]);
    machine.usage(500, SECOND, 1 << 20, 'S');
    machine.spawn(1000, 400, 1000, &["/bin/sh", "-c", "run-parts"]);
    machine.pass(SECOND);
    machine.code(1000, 0);
    assert_snapshot!("others_at_180x20", machine.screen(180, 20));
}

#[test]
fn units_and_containers_are_called_as_people_call_them_and_cgroups_as_they_are() {
    let mut columns = Chosen::default();
    columns.show([Column::Cgroup, Column::Unit, Column::Container]);
    columns.set_width(Column::Cgroup, 60);
    let mut machine =
        Machine::with(Options { preferences: Preferences { columns, ..Preferences::default() }, ..Machine::options() });
    machine.found(1, 0, 0, &["/sbin/init"]);
    let path = r"/machine.slice/machine-qemu\x2d1\x2dvm.scope";
    machine.found_in(path, 500, 1, 0, &["/usr/bin/qemu"]);
    machine.found_in("/lxc/esc\x1b[31m", 501, 1, 0, &["/bin/evil"]);
    let screen = machine.screen(200, 20);
    let line = |command: &str| screen.lines().find(|line| line.contains(command)).unwrap_or_else(|| panic!("{screen}"));
    let qemu = line("qemu-1-vm ");
    assert!(qemu.contains(path) && !screen.contains("x5c"), "{screen}");
    // Of the unit there is room for as much as its column is wide.
    assert!(qemu.contains(" machine-qemu-1") && line("evil").contains(r"esc\x1b[31m"), "{screen}");
    machine.keys("<Down><Enter>");
    let details = machine.screen(200, 50);
    assert!(details.contains(path), "{details}");
}

/// A build of whose shells, all finished, each ran a compiler; one of these failed.
fn building_with_shells() -> Machine {
    let mut machine = building();
    for pid in (1201..1230).step_by(2) {
        machine.fork(pid, 1000, 1000, "sh");
        machine.fork(pid + 1, pid, 1000, "cc");
        machine.code(pid + 1, u8::from(pid == 1205));
        machine.code(pid, 0);
    }
    machine
}

#[test]
fn sums_go_on_counting_those_who_have_left_and_joined_rows_tell_what_is_below() {
    let machine = building_with_shells();
    let mut machine = with_columns(machine, &[Column::TreeFailed, Column::TreeTime]);
    for seconds in [1, 57] {
        machine.pass(seconds * SECOND);
        let screen = machine.screen(120, 24);
        let make = screen.lines().find(|line| line.contains("make -j2")).unwrap();
        assert!(make.contains(" 2 "), "both that failed: {make}");
        let joined = screen.lines().find(|line| line.contains("sh ×19")).unwrap_or_else(|| panic!("{screen}"));
        assert!(joined.contains("2 failed below"), "{screen}");
    }
    machine.pass(120 * SECOND);
    let screen = machine.screen(120, 24);
    let make = screen.lines().find(|line| line.contains("make -j2")).unwrap();
    assert!(make.contains(" 2 ") && !screen.contains("sh ×"), "they have all left: {screen}");
    machine.keys("/make<Enter>");
    machine.screen(120, 24);
    machine.keys("<Enter>");
    let screen = machine.screen(120, 60);
    for (label, value) in [("Alive", "2"), ("Finished", "38"), ("Failed", "2"), ("Forked in it", "39")] {
        let line = screen.lines().find(|line| line.trim_start().starts_with(label)).unwrap_or_default();
        assert!(line.ends_with(&format!(" {value}")), "{label}: {line}\n{screen}");
    }
}

#[test]
fn a_joined_row_does_not_tell_of_what_a_filter_hides_below_it() {
    let machine = building_with_shells();
    let mut machine = with_columns(machine, &[Column::TreeAlive]);
    let mut told = |keys: &str| {
        machine.keys(keys);
        machine.pass(SECOND);
        let screen = machine.screen(120, 24);
        let heading = screen.lines().find(|line| line.contains("ALIVE+")).unwrap_or_else(|| panic!("{screen}"));
        let end = heading.split_once("ALIVE+").unwrap().0.chars().count() + 5;
        let joined = screen.lines().find(|line| line.contains("sh ×")).unwrap_or_else(|| panic!("{screen}"));
        (joined.chars().nth(end).unwrap(), joined.contains("failed below"))
    };
    assert_eq!(told(""), ('0', true));
    assert_eq!(told("/comm=sh<Enter>"), ('-', false));
}

#[test]
fn columns_are_moved_resized_and_put_back() {
    let mut machine = building();
    machine.keys("<F2>");
    assert_eq!(machine.app.mode(), Mode::Columns);
    select(&mut machine, Column::State);
    machine.keys("KKKKKKKKK");
    assert_eq!(shown(&machine)[..2], ["state", "pid"], "no further than the left edge");
    machine.keys(">");
    assert_eq!(shown(&machine)[..2], ["pid", "state"]);
    machine.keys("++=-");
    assert_eq!(machine.app.columns().width(Column::State), Some(14));
    let screen = machine.screen(80, 24);
    assert!(screen.contains("  PID STATUS         USER"), "at once: {screen}");
    machine.keys(" ");
    assert!(!machine.app.columns().is_shown(Column::State));
    select(&mut machine, Column::State);
    machine.keys("J");
    let screen = machine.screen(80, 24);
    assert!(screen.contains("It is not shown"), "{screen}");
    machine.keys("r");
    assert_eq!(machine.app.columns(), &Chosen::default());
    machine.keys("C");
    assert_eq!(machine.app.mode(), Mode::Tree);
}

#[test]
fn what_is_copied_is_a_configuration_that_says_the_same() {
    let mut machine = with_columns(building(), &[Column::TreeCpu, Column::Time]);
    machine.keys("C");
    select(&mut machine, Column::User);
    machine.keys("+");
    let Some(Effect::Copy(text)) = machine.keys("y") else { panic!("nothing was copied") };
    assert_eq!(&parse(&text, "file").unwrap().columns, machine.app.columns());
    assert!(machine.screen(80, 24).contains("Copied"));
}

#[test]
fn the_mouse_chooses_and_the_wheel_scrolls() {
    let mut machine = building();
    machine.keys("C");
    let line = |screen: &str, word: &str| u16::try_from(screen.lines().position(|line| line.contains(word)).unwrap());
    let screen = machine.screen(80, 24);
    let row = line(&screen, "lifetime ").unwrap();
    machine.click(30, row, false);
    assert!(machine.app.columns().is_shown(Column::Lifetime), "selected only");
    machine.click(1, row, false);
    assert!(!machine.app.columns().is_shown(Column::Lifetime));
    let before = machine.screen(80, 24);
    machine.app.update(Action::Wheel(3));
    assert_ne!(machine.screen(80, 24), before);
    machine.keys("<Esc><F6>gg");
    let row = line(&machine.screen(80, 24), "effective user's name").unwrap();
    machine.click(20, row, true);
    assert_eq!((machine.app.mode(), machine.app.look().sort.by), (Mode::Tree, Fact::User));
}

#[test]
fn the_selected_process_stays_in_sight_above_a_list() {
    let mut machine = building();
    for pid in 1300..1320 {
        machine.spawn(pid, 400, 0, &["/bin/backup", &format!("disk-{pid}")]);
    }
    machine.screen(80, 24);
    machine.keys("/disk-1311<Enter>");
    machine.screen(80, 24);
    machine.keys("<Esc>");
    machine.screen(80, 24);
    machine.keys("jjjjjjjj");
    let before = machine.screen(80, 24);
    assert!(before.lines().position(|line| line.contains("disk-1319")).unwrap() > 9, "{before}");
    for keys in ["C", "<Esc><F6>", "<Esc>"] {
        machine.keys(keys);
        let screen = machine.screen(80, 24);
        assert!(screen.contains("disk-1319"), "{screen}");
    }
    machine.screen(80, 14);
    let height = machine.app.list().height();
    machine.keys("C");
    machine.screen(80, 14);
    assert_eq!(machine.app.list().height(), height, "where no row is in sight, nothing is moved");
}

#[test]
fn what_is_sorted_by_is_chosen_from_a_list_and_marked_in_the_heading() {
    let mut machine = building();
    machine.keys("P<F6>");
    assert_snapshot!("sorts_at_80x24", machine.screen(80, 24));
    machine.keys("j<Enter>");
    let screen = machine.screen(120, 24);
    assert!(screen.contains("TIME▾") && screen.contains("sorted by time"), "{screen}");
    machine.keys("I");
    assert!(machine.screen(120, 24).contains("TIME▴"));
    machine.keys("<F6><Enter>");
    assert!(machine.app.look().sort.reversed, "the same again changes nothing");
    machine.keys("<F6>G<Esc>");
    assert_eq!((machine.app.mode(), machine.app.look().sort.by), (Mode::Tree, Fact::Time));
}

#[test]
fn the_arrow_says_whether_the_least_or_the_most_comes_first() {
    let mut machine = building();
    for (by, mark) in [(Fact::Pid, "PID▴"), (Fact::User, "USER▴"), (Fact::Name, "COMMAND▴"), (Fact::Cpu, "CPU▾")]
    {
        machine.keys("<F6>gg");
        while Fact::sorts().nth(machine.app.chooser().index()) != Some(by) {
            machine.keys("j");
        }
        machine.keys("<Enter>");
        assert!(machine.screen(80, 24).contains(mark), "{by:?}");
        machine.keys("I");
        let other = if mark.ends_with('▾') { mark.replace('▾', "▴") } else { mark.replace('▴', "▾") };
        assert!(machine.screen(80, 24).contains(&other), "{by:?}");
        machine.keys("<F6>");
        let list = machine.screen(80, 24);
        assert!(list.contains(&format!(" {}  ", &other[other.len() - '▾'.len_utf8()..])), "{list}");
        machine.keys("<Esc>B");
    }
}

#[test]
fn the_next_column_to_sort_by_is_one_of_those_shown() {
    let mut machine = Machine::booted();
    let mut keys = Vec::new();
    for _ in 0..9 {
        machine.keys("S");
        keys.push(machine.app.look().sort.by);
    }
    use Fact::{Cpu, Lifetime, Name, Pid, Rss, Start, State, Time, User};
    assert_eq!(keys, [Lifetime, Cpu, Time, Rss, State, Name, Pid, User, Start]);
}

#[test]
fn a_subtree_rises_with_what_is_below_it_once_no_key_is_pressed() {
    let mut machine = building();
    machine.spawn(1300, 400, 0, &["/bin/backup"]);
    machine.keys("<F6>G");
    let at = Fact::sorts().position(|key| key == Fact::TreeTime).unwrap();
    machine.keys("gg");
    machine.keys(&"j".repeat(at));
    machine.keys("<Enter>");
    let order = |machine: &mut Machine| {
        let screen = machine.screen(120, 30);
        screen.find("cron").unwrap() < screen.find("sshd").unwrap()
    };
    assert!(!order(&mut machine), "ann's builds have cost most");
    machine.keys("k");
    machine.usage(1300, 500 * SECOND, 1 << 20, 'R');
    machine.pass(SECOND);
    assert!(!order(&mut machine), "it stands still while keys are pressed");
    machine.pass(10 * SECOND);
    assert!(order(&mut machine));
}

#[test]
fn what_this_kernel_does_not_tell_has_no_column_and_the_list_says_so() {
    let mut machine = Machine::degraded(&["memory", "peak-memory"]);
    machine.found(1, 0, 0, &["/sbin/init"]);
    let screen = machine.screen(120, 24);
    assert!(screen.contains("CPU") && !screen.contains("RSS"), "{screen}");
    assert!(screen.contains("degraded: memory, peak-memory"), "{screen}");
    machine.keys("<F2>");
    let screen = machine.screen(120, 40);
    let line = screen.lines().find(|line| line.starts_with("[x] RSS")).unwrap();
    assert!(line.contains("not on this kernel; memory in use"), "{line}");
}
