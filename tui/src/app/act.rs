//! Acting on processes, as far as the app goes: tags, the page on which it is chosen what is done and to whom, and the
//! work that is under way. What must be done outside leaves as an [`Order`](crate::act::Order), and a [`Report`] comes back.

mod choice;
mod job;
mod page;

use std::collections::BTreeSet;

use ptree_core::{ProcKey, Process, RowId};

pub use self::choice::{Choice, choices};
use self::job::Job;
pub use self::page::Page;
use self::page::{BOTH, subtrees};
use super::App;
use crate::act::{Failed, Report, Target};
use crate::action::{Command, Effect, Mode};
use crate::keymap::spelled_out;

/// Tags, the open page, the work under way.
#[derive(Debug, Default)]
pub(super) struct Acting {
    tags: BTreeSet<ProcKey>,
    page: Option<Page>,
    job: Option<Job>,
    /// To whom something could not be done, while that is shown.
    failures: Option<Failures>,
}

/// The page on those to whom something could not be done.
#[derive(Debug)]
pub struct Failures {
    /// What it was.
    pub what: String,
    /// To whom, and why not.
    pub list: Vec<Failed>,
    /// Lines by which it is scrolled.
    pub scroll: usize,
}

impl App {
    /// Whether a process is tagged.
    #[must_use]
    pub fn is_tagged(&self, key: ProcKey) -> bool {
        self.acting.tags.contains(&key)
    }

    /// How many are tagged.
    #[must_use]
    pub fn tagged(&self) -> usize {
        self.acting.tags.len()
    }

    /// The open page on which it is chosen what is done to whom.
    #[must_use]
    pub fn act_page(&self) -> Option<&Page> {
        self.acting.page.as_ref()
    }

    /// To whom something could not be done, while that is shown.
    #[must_use]
    pub fn failures(&self) -> Option<&Failures> {
        self.acting.failures.as_ref()
    }

    pub(super) fn act_page_mut(&mut self) -> Option<&mut Page> {
        self.acting.page.as_mut()
    }

    pub(super) fn failures_mut(&mut self) -> Option<&mut Failures> {
        self.acting.failures.as_mut()
    }

    /// One that has ended cannot be acted on.
    pub(super) fn forget_tag(&mut self, key: ProcKey) {
        self.acting.tags.remove(&key);
    }

    pub(super) fn tag(&mut self) {
        let Some(key) = self.alive() else { return };
        let untagged = self.acting.tags.remove(&key);
        if !untagged {
            self.acting.tags.insert(key);
        }
        if self.mode == Mode::Details {
            let now = if untagged { "no longer tagged" } else { "tagged" };
            return self.say(format!("Process {} is {now}", key.pid), false);
        }
        self.list.step(1);
    }

    pub(super) fn tag_subtree(&mut self) {
        let Some(key) = self.looked_at() else { return };
        let below = self.session.engine().tree().walk_from(key, self.look().lineage).map(|visit| visit.process);
        self.acting.tags.extend(below.filter(|process| process.is_alive()).map(|process| process.key));
        self.say(format!("{} tagged", self.tagged()), false);
    }

    pub(super) fn untag_all(&mut self) {
        self.acting.tags.clear();
    }

    /// The selected process; says so where a row stands for many.
    pub(super) fn selected_process(&mut self) -> Option<ProcKey> {
        let id = self.list.row()?.id;
        if let RowId::Joined { .. } = id {
            self.say("This row stands for processes that have ended: Enter shows them".to_owned(), false);
        }
        id.process()
    }

    /// The process whose page is open or the selected one, if it lives; says so if not.
    fn alive(&mut self) -> Option<ProcKey> {
        let key = self.looked_at()?;
        if self.session.engine().tree().get(key).is_some_and(Process::is_alive) {
            return Some(key);
        }
        self.say(format!("Process {} has ended: nothing can be done to it", key.pid), false);
        None
    }

    /// All that are tagged, where these are meant: not from the page on one process.
    fn tags_meant(&self) -> Option<Vec<ProcKey>> {
        let meant = self.mode != Mode::Details && !self.acting.tags.is_empty();
        meant.then(|| self.acting.tags.iter().copied().collect())
    }

    /// Says so if none of these lives; false if nobody below them does either.
    fn anybody_to_act_on(&mut self, roots: &[ProcKey]) -> bool {
        let tree = self.session.engine().tree();
        if roots.iter().filter_map(|&root| tree.get(root)).any(Process::is_alive) {
            return true;
        }
        let below = subtrees(tree, roots, &BOTH).into_iter().any(Process::is_alive);
        let said = match self.key(Mode::Acts, Command::Subtree) {
            _ if !below => "It has ended: nobody to act on".to_owned(),
            Some(key) => format!("It has ended: {} means those below it", spelled_out(key)),
            None => "It has ended, others below it have not".to_owned(),
        };
        self.say(said, false);
        below
    }

    /// Opens the page of choices, or for one of them that of whom it would be done to.
    pub(super) fn open_acts(&mut self, choice: Option<Choice>) {
        if let Some(job) = &self.acting.job {
            let busy = format!("Still at work: {}", job.title());
            return self.say(busy, false);
        }
        let roots = self.tags_meant().unwrap_or_else(|| self.looked_at().into_iter().collect());
        if roots.is_empty() || !self.anybody_to_act_on(&roots) {
            return;
        }
        self.acting.page = Some(Page::new(roots, choice));
        self.mode = if choice.is_some() { Mode::Confirm } else { Mode::Acts };
    }

    /// From the choices to those whom it would be done to.
    pub(super) fn choose(&mut self) {
        if self.acting.page.as_mut().is_some_and(Page::choose) {
            self.mode = Mode::Confirm;
        }
    }

    /// Brings the page up to date with the tree as it really is, also in a pause.
    pub(super) fn refresh_act_page(&mut self, height: usize) {
        let lineage = self.look().lineage;
        let own_pid = self.own_pid;
        if let Some(page) = &mut self.acting.page {
            page.refresh(self.session.engine().tree(), lineage, own_pid);
            page.resize(height, self.mode);
        }
        if let Some(failures) = &mut self.acting.failures {
            failures.scroll = failures.scroll.min(failures.list.len().saturating_sub(height.saturating_sub(1)));
        }
    }

    /// From the question whether to do it back to the choices; false where it was opened without them.
    pub(super) fn reconsider(&mut self) -> bool {
        self.acting.page.as_mut().is_some_and(Page::reconsider)
    }

    /// Back to where it was asked for.
    pub(super) fn close_acts(&mut self) {
        self.acting.page = None;
        self.acting.failures = None;
        self.mode = self.below_acts();
    }

    /// Where acting was asked for: on the page on a process, or in the tree.
    fn below_acts(&self) -> Mode {
        if self.details().is_some() { Mode::Details } else { Mode::Tree }
    }

    /// Does what was chosen, to those that were shown.
    pub(super) fn confirm_act(&mut self) -> Option<Effect> {
        let page = self.acting.page.as_ref()?;
        let choice = page.choice()?;
        if page.whom().is_empty() {
            return None;
        }
        let tree = self.session.engine().tree();
        let targets: Vec<Target> = page.whom().iter().filter_map(|&key| tree.get(key)).map(Target::of).collect();
        let spared = page.protected().iter().map(|(key, _)| *key).collect();
        let mut job = Job::new(choice, page.roots().to_vec(), &targets, page.even_protected());
        let order = job.first_order(targets, spared);
        self.acting.job = Some(job);
        self.acting.page = None;
        self.mode = self.below_acts();
        self.say_progress();
        Some(Effect::Act(order))
    }

    /// Whether anybody is tagged, so that what is done is not done to the selected one.
    pub(super) fn has_tags(&self) -> bool {
        !self.acting.tags.is_empty()
    }

    /// Changes the nice value of the selected process or of all that are tagged, at once: it is undone as easily.
    pub(super) fn renice(&mut self, by: i32) -> Option<Effect> {
        if self.acting.job.is_some() {
            return None;
        }
        let keys = self.tags_meant().unwrap_or_else(|| self.alive().into_iter().collect());
        let tree = self.session.engine().tree();
        let targets: Vec<Target> = keys.iter().filter_map(|&key| tree.get(key)).map(Target::of).collect();
        if targets.is_empty() {
            return None;
        }
        let mut job = Job::renice(by, &targets);
        let order = job.first_order(targets, Vec::new());
        self.acting.job = Some(job);
        Some(Effect::Act(order))
    }

    /// Takes what came of an order; gives the next one of the same work, if any.
    pub(super) fn acted(&mut self, report: Report) -> Option<Effect> {
        let mut job = self.acting.job.take()?;
        let order = job.take(report, self.session.now_ns());
        if order.is_some() || !job.is_over() {
            self.acting.job = Some(job);
            self.say_progress();
            return order.map(Effect::Act);
        }
        self.end_job(job);
        None
    }

    fn end_job(&mut self, job: Job) {
        let (text, bad) = job.outcome();
        let list = job.into_failed();
        // One fits into the message.
        if list.len() > 1 && matches!(self.mode, Mode::Tree | Mode::Details) {
            self.acting.failures = Some(Failures { what: text.clone(), list, scroll: 0 });
            self.mode = Mode::Report;
        }
        self.say(text, bad);
    }

    /// Goes on with what waits for news from the kernel.
    pub(super) fn go_on_acting(&mut self) -> Option<Effect> {
        let mut job = self.acting.job.take()?;
        let order = job.go_on(self.session.engine().tree(), self.session.now_ns(), self.own_pid);
        if job.is_over() {
            self.end_job(job);
            return None;
        }
        self.acting.job = Some(job);
        if order.is_some() {
            self.say_progress();
        }
        order.map(Effect::Act)
    }

    fn say_progress(&mut self) {
        if let Some(progress) = self.acting.job.as_ref().and_then(Job::progress) {
            self.say(progress, false);
        }
    }
}
