//! The page on which it is chosen what is done, and that shows to whom before it is confirmed.

use ptree_core::{Lineage, ProcKey, Process, Tree};
use rustc_hash::FxHashSet;

use super::choice::{Choice, choices, first_choice};
use crate::action::Mode;

/// Lines above the list: what is done to whom, and what is typed or who is left out.
const ABOVE: usize = 2;

/// See the module.
#[derive(Clone, Debug)]
pub struct Page {
    roots: Vec<ProcKey>,
    subtree: bool,
    typed: String,
    index: usize,
    choice: Option<Choice>,
    /// It was opened for this choice.
    is_direct: bool,
    even_protected: bool,
    whom: Vec<ProcKey>,
    protected: Vec<(ProcKey, &'static str)>,
    scroll: usize,
    height: usize,
}

impl Page {
    pub(super) fn new(roots: Vec<ProcKey>, choice: Option<Choice>) -> Self {
        Self {
            roots,
            subtree: choice.is_some_and(Choice::is_for_subtrees),
            typed: String::new(),
            index: first_choice(),
            choice,
            is_direct: choice.is_some(),
            even_protected: false,
            whom: Vec::new(),
            protected: Vec::new(),
            scroll: 0,
            height: 0,
        }
    }

    /// The processes that were selected or tagged.
    #[must_use]
    pub fn roots(&self) -> &[ProcKey] {
        &self.roots
    }

    /// Whether all below them are meant as well.
    #[must_use]
    pub fn with_subtree(&self) -> bool {
        self.subtree || self.choice.is_some_and(Choice::is_for_subtrees)
    }

    /// What is typed to narrow the choices.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The choice that stands out, among [`choices`] for what is typed.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// What is to be done, once it is chosen.
    #[must_use]
    pub fn choice(&self) -> Option<Choice> {
        self.choice
    }

    /// To whom it is going to be done: alive, parents before their children.
    #[must_use]
    pub fn whom(&self) -> &[ProcKey] {
        &self.whom
    }

    /// Who is meant as well but protected, and why: left out unless [`Page::even_protected`].
    #[must_use]
    pub fn protected(&self) -> &[(ProcKey, &'static str)] {
        if self.even_protected() { &[] } else { &self.protected }
    }

    /// Whether anybody is protected, left out or not.
    #[must_use]
    pub fn meets_protected(&self) -> bool {
        !self.protected.is_empty()
    }

    /// Whether those that are protected are to be hit too.
    #[must_use]
    pub fn even_protected(&self) -> bool {
        self.even_protected && self.choice.is_some_and(Choice::may_hit_protected)
    }

    /// The first line of the list.
    #[must_use]
    pub fn scroll(&self) -> usize {
        self.scroll
    }

    pub(in crate::app) fn type_text(&mut self, text: &str) {
        self.typed = text.chars().filter(|c| !c.is_control()).take(32).collect();
        self.index = if self.typed.is_empty() { first_choice() } else { 0 };
    }

    pub(in crate::app) fn move_by(&mut self, lines: isize, mode: Mode) {
        let at = if mode == Mode::Acts { &mut self.index } else { &mut self.scroll };
        *at = at.saturating_add_signed(lines);
        self.clamp(mode);
    }

    pub(in crate::app) fn toggle_subtree(&mut self) {
        self.subtree = !self.subtree;
    }

    pub(in crate::app) fn toggle_protected(&mut self) {
        self.even_protected = !self.even_protected;
    }

    /// Takes the choice that stands out; false if there is none.
    pub(super) fn choose(&mut self) -> bool {
        self.choice = choices(&self.typed).get(self.index).copied();
        self.scroll = 0;
        self.choice.is_some()
    }

    /// Back to the choices; false where it was opened without them.
    pub(super) fn reconsider(&mut self) -> bool {
        (self.scroll, self.even_protected) = (0, false);
        if !self.is_direct {
            self.choice = None;
        }
        !self.is_direct
    }

    pub(super) fn resize(&mut self, height: usize, mode: Mode) {
        self.height = height;
        self.clamp(mode);
    }

    fn clamp(&mut self, mode: Mode) {
        let rows = self.height.saturating_sub(ABOVE);
        if mode == Mode::Acts {
            self.index = self.index.min(choices(&self.typed).len().saturating_sub(1));
            self.scroll = self.scroll.min(self.index).max((self.index + 1).saturating_sub(rows.max(1)));
        } else {
            self.scroll = self.scroll.min(self.whom.len().saturating_sub(rows));
        }
    }

    /// Looks anew who is meant.
    pub(super) fn refresh(&mut self, tree: &Tree, lineage: Lineage, own_pid: u32) {
        let meant = match self.choice {
            _ if !self.with_subtree() => self.roots.iter().filter_map(|&root| tree.get(root)).collect(),
            // Whoever was forked from there, even if it belongs to somebody else by now, and who was adopted.
            Some(choice) if choice.is_for_subtrees() => subtrees(tree, &self.roots, &BOTH),
            _ => subtrees(tree, &self.roots, &[lineage]),
        };
        let protection = Protection::new(tree, own_pid);
        self.protected.clear();
        self.whom.clear();
        for process in meant.into_iter().filter(|process| process.is_alive()) {
            let why = protection.of(process);
            self.protected.extend(why.map(|why| (process.key, why)));
            if why.is_none() || self.even_protected() {
                self.whom.push(process.key);
            }
        }
    }
}

/// Both ways to be below somebody.
pub(super) const BOTH: [Lineage; 2] = [Lineage::Forked, Lineage::Kernel];

/// All processes at or below some, each once.
pub(super) fn subtrees<'t>(tree: &'t Tree, roots: &[ProcKey], lineages: &[Lineage]) -> Vec<&'t Process> {
    let mut met = FxHashSet::default();
    let mut found = Vec::new();
    for &lineage in lineages {
        for &root in roots {
            let below = tree.walk_from(root, lineage).map(|visit| visit.process);
            found.extend(below.filter(|process| met.insert(process.key)));
        }
    }
    found
}

/// Who is not to be hit by mistake.
pub(super) struct Protection {
    own_pid: u32,
    above_us: FxHashSet<ProcKey>,
}

impl Protection {
    pub(super) fn new(tree: &Tree, own_pid: u32) -> Self {
        let own = tree.live_by_pid(own_pid).map(|own| own.key);
        let above = BOTH.into_iter().filter_map(|lineage| Some(tree.ancestors(own?, lineage))).flatten();
        Self { own_pid, above_us: above.map(|process| process.key).collect() }
    }

    /// Why one is protected, if it is.
    pub(super) fn of(&self, process: &Process) -> Option<&'static str> {
        match process.key {
            key if key.pid == 1 => Some("the first process of all"),
            _ if process.is_kernel() => Some("of the kernel"),
            key if key.pid == self.own_pid => Some("this program"),
            key if self.above_us.contains(&key) => Some("this program runs below it"),
            _ => None,
        }
    }
}
