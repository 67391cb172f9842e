//! Every view and page at the three sizes that matter: a corner of a screen, the usual terminal, all of a big one. One
//! picture each, to be looked at with the eyes of somebody who sees it for the first time.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use std::fmt::Write as _;
use std::time::Duration;

use common::{Machine, SECOND};
use ptree_core::ExitStatus;
use ptree_tui::act::{Deed, Failed, Failure, Report};
use ptree_tui::action::Action;
use ptree_tui::own::Own;

const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (200, 50)];

/// Ann's build: some compilers run, some have ended well, badly, by a signal; a dozen assemblers are one row.
fn build() -> Machine {
    let mut machine = Machine::booted();
    machine.usage(1, 3 * SECOND, 12 << 20, 'S');
    machine.usage(700, 90 * SECOND, 35 << 20, 'S');
    machine.spawn(1001, 600, 1000, &["/usr/bin/make", "-j2", "all"]);
    for pid in 1002..1006 {
        machine.spawn(pid, 1001, 1000, &["/usr/bin/cc", "-c", "a.c"]);
    }
    machine.pass(SECOND * 5 / 4);
    machine.code(1002, 0);
    machine.code(1003, 1);
    machine.exit(1004, ExitStatus::Signal { signal: 11, core: true });
    for pid in 1010..1022 {
        machine.spawn(pid, 1001, 1000, &["/usr/bin/as", "-o", "a.o"]);
        machine.pass(SECOND / 20);
        machine.code(pid, u8::from(pid == 1015));
    }
    machine.spawn(1030, 1001, 1000, &["/usr/bin/ld", "-o", "all"]);
    machine.fork(1031, 400, 0, "cron");
    machine.usage(1, 3 * SECOND + SECOND / 40, 12 << 20, 'S');
    machine.usage(1030, SECOND, 120 << 20, 'R');
    machine.pass(SECOND / 2);
    machine
}

/// A shell forks far too much.
fn alarm() -> Machine {
    let mut machine = build();
    for pid in 2000..2600 {
        machine.fork(pid, 600, 1000, "bash");
        machine.code(pid, 0);
        machine.pass(SECOND / 300);
    }
    machine
}

/// Two of three could not be killed.
fn refused() -> Machine {
    let mut machine = build();
    machine.keys("/make<Enter><Esc>x<Tab><Enter>");
    machine.screen(80, 24);
    machine.keys("y");
    let failed = |pid, name: &str, why| Failed { key: machine.key(pid), name: format!("{name} [{pid}]"), why };
    let failed = vec![failed(1001, "make", Failure::Gone), failed(1005, "cc", Failure::Denied)];
    let done = vec![machine.key(1030)];
    machine.app.update(Action::Acted(Report { deed: Deed::Signal(15), done, failed, nice: None }));
    machine
}

fn measured() -> Machine {
    let mut machine = build();
    machine.app.set_own(Own {
        cpu: 0.031,
        rss_bytes: Some(26 << 20),
        frame: Duration::from_micros(820),
        longest_frame: Duration::from_millis(3),
    });
    machine
}

fn losing() -> Machine {
    let mut machine = build();
    machine.lose(1234);
    machine
}

fn failed() -> Machine {
    let mut machine = Machine::new();
    machine.app.capture_ended(Err("the ring buffer is gone".to_owned()));
    machine
}

fn ended() -> Machine {
    let mut machine = build();
    machine.app.capture_ended(Ok(()));
    machine
}

/// A name, what has happened, and what is typed.
type Picture = (&'static str, fn() -> Machine, &'static str);

const PICTURES: [Picture; 28] = [
    ("waiting", Machine::new, ""),
    ("failed", failed, ""),
    ("ended", ended, ""),
    ("tree", build, ""),
    ("tree_paused_and_losing", losing, "p"),
    ("tree_with_alert_and_panels", alarm, "s"),
    ("tree_with_figures", measured, "D"),
    ("focus", build, "/make<Enter><Esc>f"),
    ("flat", build, "2"),
    ("churn", build, "3"),
    ("churn_by_name", build, "3<Tab>"),
    ("timeline", build, "4}}"),
    ("users", build, "5"),
    ("alerts", alarm, "6"),
    ("alerts_none", build, "6"),
    ("details", build, "/1030<Enter><Enter>"),
    ("details_of_a_dead", build, "/1004<Enter><Enter>"),
    ("help", build, "?"),
    ("help_search", build, "?/mem"),
    ("help_search_in_vain", build, "?/xyz"),
    ("acts", build, "/1030<Enter><Esc>x"),
    ("acts_typed", build, "/1030<Enter><Esc>xter"),
    ("confirm", build, "/make<Enter><Esc>x<Tab>kill<Enter>"),
    ("report", refused, ""),
    ("filter", build, "/cc -c"),
    ("filter_wrong", build, "/cc coom=make x"),
    ("filter_completed", build, "/c"),
    ("filter_in_vain", build, "/nothing like this<Enter>"),
];

#[test]
fn every_view_and_page_at_three_sizes() {
    let mut missing = Vec::new();
    for (name, scene, keys) in PICTURES {
        let mut pictures = String::new();
        for (width, height) in SIZES {
            let mut machine = scene();
            machine.screen(width, height);
            machine.keys(keys);
            // What the first frame asks for is there in the second.
            machine.screen(width, height);
            let _ = write!(pictures, "-- {width}x{height} --\n{}\n", machine.screen(width, height));
        }
        // All are looked at before the first that differs ends the test.
        if std::panic::catch_unwind(|| insta::assert_snapshot!(name, pictures)).is_err() {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "these look different: {missing:?}");
}
