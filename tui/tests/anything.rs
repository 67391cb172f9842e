//! Any keys, in any order, at any size, while anything happens: the screen holds.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{Machine, SECOND};
use proptest::prelude::*;
use ptree_core::ExitStatus;
use ptree_tui::action::{COMMANDS, Mode};

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Fork(u32, u32),
    Exit(u32, u8),
    Reparent(u32, u32),
    Usage(u32),
    Pass(u64),
    Draw(u16, u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let mut keys: Vec<String> = COMMANDS
        .iter()
        .flat_map(|spec| Mode::ALL.into_iter().flat_map(|mode| spec.keys_in(mode)))
        .flat_map(|keys| keys.split(' ').map(str::to_owned))
        .collect();
    keys.extend(["c", "5", "塩", "F7"].map(str::to_owned));
    let pid = 1000..1030_u32;
    let step = prop_oneof![
        6 => prop::sample::select(keys).prop_map(Step::Key),
        5 => (pid.clone(), pid.clone()).prop_map(|(pid, forker)| Step::Fork(pid, forker)),
        2 => (pid.clone(), 0..3_u8).prop_map(|(pid, code)| Step::Exit(pid, code)),
        1 => (pid.clone(), pid.clone()).prop_map(|(pid, parent)| Step::Reparent(pid, parent)),
        1 => pid.prop_map(Step::Usage),
        1 => (1..90 * SECOND).prop_map(Step::Pass),
        2 => (1..160_u16, 1..40_u16).prop_map(|(width, height)| Step::Draw(width, height)),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn i12_i13_the_selection_is_in_sight_and_moves_only_by_keys_or_by_need(steps in steps()) {
        let mut machine = Machine::booted();
        machine.screen(80, 24);
        // From here on the selection belongs to the user.
        machine.keys("j");
        machine.screen(80, 24);
        for step in steps {
            let before = machine.app.list().selected();
            let by_key = matches!(step, Step::Key(_));
            let (mut width, mut height) = (80, 24);
            match step {
                Step::Key(key) => {
                    machine.app.press(&key);
                }
                Step::Fork(pid, forker) => {
                    // Time goes on, so that a pid that comes again is another process.
                    machine.pass(1000);
                    machine.fork(pid, if pid == forker { 600 } else { forker }, 1000, "work");
                }
                Step::Exit(pid, code) => machine.exit(pid, ExitStatus::Code(code)),
                Step::Reparent(pid, parent) => machine.reparent(pid, parent),
                Step::Usage(pid) => machine.usage(pid, SECOND, 1 << 20, 'R'),
                Step::Pass(ns) => machine.pass(ns),
                Step::Draw(w, h) => (width, height) = (w, h),
            }
            machine.screen(width, height);
            let list = machine.app.list();
            let rows = list.rows();
            if rows.is_empty() {
                continue;
            }
            prop_assert!(list.index() < rows.len());
            prop_assert_eq!(list.selected(), rows.get(list.index()).map(|row| row.id));
            prop_assert!((list.offset()..list.offset() + list.height().max(1)).contains(&list.index()));
            // A list that was just entered shows its top until the user moves in it.
            if !by_key && list.is_touched() && before.is_some_and(|id| rows.position(id).is_some()) {
                prop_assert_eq!(list.selected(), before, "it was still there");
            }
        }
    }
}
