//! Who or what killed a process, wherever that is said: on its page, in its column, in exports; and the way to the killer.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is how to fail")]

mod common;

use common::{Machine, SECOND};
use ptree_core::killer::{KillCause, Killer, Sender};
use ptree_core::{Comm, ExitStatus, ProcKey};
use ptree_tui::export::dot;
use ptree_tui::label;

const VICTIM: u32 = 1500;
/// One that has never been in the tree.
const GONE: ProcKey = ProcKey::new(812, 5);

/// Who sent the signal.
type Who = dyn Fn(&Machine) -> Option<Sender>;

fn by(key: ProcKey, comm: &str) -> Option<Sender> {
    Some(Sender { key, comm: Comm::new(comm.as_bytes()), uid: 0 })
}

/// One that has just been killed, and is selected.
fn killed(signal: u8, cause: KillCause, sender: impl FnOnce(&Machine) -> Option<Sender>) -> Machine {
    let mut machine = Machine::booted();
    machine.spawn(VICTIM, 600, 1000, &["/usr/bin/victim"]);
    machine.pass(SECOND);
    let killer = Killer { cause, sender: sender(&machine) };
    machine.kill(VICTIM, ExitStatus::Signal { signal, core: signal == 11 }, killer);
    machine.screen(80, 24);
    machine.keys("/victim<Enter>");
    machine.screen(80, 24);
    machine.keys("<Esc>");
    machine.screen(80, 24);
    machine
}

#[test]
fn the_page_of_a_process_its_column_and_exports_say_who_killed_it() {
    use KillCause::{Fault, Kernel, Oom, Terminal, Timer, User};
    let who: [(u8, KillCause, &Who, &str, &str); 8] = [
        (9, User, &|_| by(GONE, "cron.sh"), "SIGKILL by cron.sh [812] (root)", "cron.sh [812]"),
        (6, User, &|machine| by(machine.key(VICTIM), "victim"), "SIGABRT by itself", "itself"),
        (9, Oom, &|_| by(ProcKey::new(77, 5), "java"), "OOM, while java [77] allocated", "OOM"),
        (9, Oom, &|machine| by(machine.key(VICTIM), "victim"), "OOM, while it allocated", "OOM"),
        (11, Fault, &|_| None, "SIGSEGV core (fault)", "fault"),
        (2, Terminal, &|_| None, "SIGINT (terminal)", "terminal"),
        (14, Timer, &|_| None, "SIGALRM (timer)", "timer"),
        (13, Kernel, &|_| None, "SIGPIPE (kernel)", "kernel"),
    ];
    for (signal, cause, sender, ending, column) in who {
        let mut machine = killed(signal, cause, sender);
        assert_eq!(label::killer(machine.app.tree().get(machine.key(VICTIM)).unwrap()), column);
        let mut dot = Vec::new();
        machine.app.export(|scope| dot::write(&mut dot, scope)).unwrap();
        let dot = String::from_utf8(dot).unwrap();
        assert!(dot.contains(&format!("\\n{ending}\"")), "{ending}: {dot}");
        machine.keys("<Enter>");
        let page = machine.screen(80, 24);
        assert!(page.contains(&format!("{ending} after 1.00s")), "{ending}: {page}");
    }
}

#[test]
fn in_the_tree_lack_of_memory_shows_at_a_glance() {
    let mut machine = killed(9, KillCause::Oom, |_| None);
    let screen = machine.screen(200, 24);
    assert!(screen.contains("SIGKILL OOM"), "{screen}");
    assert!(screen.contains("'out of memory' matched victim [1500]"), "{screen}");
}

#[test]
fn a_key_goes_to_the_killer_from_the_tree_and_from_the_page() {
    let mut machine = killed(15, KillCause::User, |machine| by(machine.key(400), "cron"));
    machine.keys("<Enter>b");
    let page = machine.screen(80, 24);
    assert!(page.lines().any(|line| line.starts_with("cron [400]")), "{page}");
    machine.keys("<Esc>");
    assert!(machine.selected_line().contains("cron"), "{}", machine.selected_line());
    machine.keys("b");
    assert!(machine.screen(80, 24).contains("cron [400] lives"));
}

#[test]
fn where_there_is_nowhere_to_go_it_is_said_why() {
    for (cause, sender, wants) in [
        (KillCause::User, by(ProcKey::new(812, 5), "cron.sh"), "has left the tree: cron.sh [812]"),
        (KillCause::Terminal, None, "victim [1500] was killed by no process (terminal)"),
    ] {
        let mut machine = killed(2, cause, |_| sender);
        machine.keys("b");
        let screen = machine.screen(80, 24);
        assert!(screen.contains(wants), "{screen}");
    }
}
