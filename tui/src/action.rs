//! Everything a user can do, in one table: name, description and keys by mode. Key lookup, help and the hints at the
//! bottom of the screen all read it, so none of them can disagree (I14).
//!
//! Does not know what the commands do to the app.

use std::path::PathBuf;

use ptree_core::Fact;

use crate::act::{Order, Report};
use crate::inspect::{Answer, Question};

/// What has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The tree.
    Tree,
    /// The line in which a filter is typed.
    Filter,
    /// The page on one process.
    Details,
    /// The line in which is typed what to look for on that page.
    DetailsSearch,
    /// The page of keys.
    Help,
    /// The line in which is typed what to look for in the help.
    HelpSearch,
    /// The page of what can be done to processes: what is typed narrows it.
    Acts,
    /// The page of those to whom it would be done, until that is confirmed.
    Confirm,
    /// The page of those to whom it could not be done.
    Report,
    /// A page of figures: churn, users or alerts.
    Page,
    /// The list of columns.
    Columns,
    /// The list of what rows can be sorted by.
    Sorts,
}

impl Mode {
    /// All, those in which a command is most at home first.
    pub const ALL: [Self; 12] = [
        Self::Tree,
        Self::Filter,
        Self::Details,
        Self::DetailsSearch,
        Self::Acts,
        Self::Confirm,
        Self::Report,
        Self::Help,
        Self::HelpSearch,
        Self::Page,
        Self::Columns,
        Self::Sorts,
    ];

    /// Stable name, for configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Filter => "filter",
            Self::Details => "details",
            Self::DetailsSearch => "details-search",
            Self::Help => "help",
            Self::HelpSearch => "help-search",
            Self::Acts => "acts",
            Self::Confirm => "confirm",
            Self::Report => "report",
            Self::Page => "page",
            Self::Columns => "columns",
            Self::Sorts => "sorts",
        }
    }

    /// What has the keyboard in it, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Tree => "the tree, the list of all processes and the timeline",
            Self::Filter => "the line in which a filter is typed",
            Self::Details => "all about one process",
            Self::DetailsSearch => "the line in which a word for that page is typed",
            Self::Help => "the help",
            Self::HelpSearch => "the line in which a word for the help is typed",
            Self::Acts => "the list of what can be done to processes",
            Self::Confirm => "the question whether it is to be done",
            Self::Report => "the list of those to whom it could not be done",
            Self::Page => "churn, users and alerts",
            Self::Columns => "the list of columns",
            Self::Sorts => "the list of sorts",
        }
    }

    /// Whether keys that are not bound type their character into a line.
    #[must_use]
    pub const fn is_typing(self) -> bool {
        matches!(self, Self::Filter | Self::Acts | Self::HelpSearch | Self::DetailsSearch)
    }
}

/// Something that was drawn, and can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// A hint at the bottom.
    Hint(Command),
    /// The line of the active alert.
    Alert,
    /// The heading of a column, by which rows can be sorted.
    Heading(Fact),
    /// What leads to a row of the tree that has others below it, by index.
    Mark(usize),
    /// A row of the tree, by index.
    Row(usize),
    /// A line of the list to choose from, by index; and whether its mark was hit.
    Choice(usize, bool),
}

/// A request to the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Something from the table.
    Command(Command),
    /// A character typed into a line.
    Type(char),
    /// A text pasted, which is for a line being typed alone: elsewhere it is no keys to be obeyed.
    Paste(String),
    /// The left button was pressed on something that was drawn, or twice in a row.
    Click {
        /// What stands there; `None` where nothing does that means anything.
        hit: Option<Hit>,
        /// It is the second time there.
        double: bool,
    },
    /// The wheel was turned by so many lines, downwards where positive.
    Wheel(isize),
    /// The terminal's size, columns and rows.
    Resize(u16, u16),
    /// An export ended: the file, or why there is none.
    Exported(Result<PathBuf, String>),
    /// What came of an [`Effect::Act`].
    Acted(Report),
    /// What came of an [`Effect::Inspect`].
    Inspected(Answer),
    /// A suspension could not be done: nobody would wake us.
    SuspendRefused,
}

/// What the runtime must do for the app, which itself touches nothing outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Give the terminal back to the shell until we are continued.
    Suspend,
    /// Clear the terminal and draw everything anew.
    Redraw,
    /// Write the tree to a new DOT file, then report [`Action::Exported`].
    ExportDot,
    /// Do this to processes, beside the loop, then report [`Action::Acted`].
    Act(Order),
    /// Ask this of /proc, beside the loop, then report [`Action::Inspected`].
    Inspect(Question),
    /// Have the terminal put this text on the clipboard.
    Copy(String),
}

/// What limits what may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The processes that are shown are not of this machine, or no more: nobody can be acted on.
    pub elsewhere: bool,
    /// Processes are only looked at: nobody is acted on, no file is written and no environment is shown.
    pub read_only: bool,
}

impl Limits {
    /// What keeps a command from being obeyed, in a sentence; `None` when nothing does.
    #[must_use]
    pub fn bar(self, command: Command) -> Option<&'static str> {
        let acts = command.spec().is_some_and(Spec::acts);
        match command {
            _ if acts && self.elsewhere => Some("A recording: there is nobody to act on"),
            _ if acts && self.read_only => Some("--read-only: processes are only looked at"),
            Command::Export if self.read_only => Some("--read-only: no file is written"),
            Command::Environment if self.read_only => Some("--read-only: no environment is shown"),
            _ => None,
        }
    }
}

/// What can be asked for within limits.
pub fn commands(limits: Limits) -> impl Iterator<Item = &'static Spec> {
    COMMANDS.iter().filter(move |spec| limits.bar(spec.command).is_none())
}

impl Command {
    /// Its line in the table.
    #[must_use]
    pub fn spec(self) -> Option<&'static Spec> {
        COMMANDS.iter().find(|spec| spec.command == self)
    }

    /// Stable name, for configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().map_or("", |spec| spec.name)
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// What it is about.
    pub command: Command,
    /// Stable name, for configuration.
    pub name: &'static str,
    /// One line for the help.
    pub description: &'static str,
    /// One word for the bottom line; empty for what is not hinted at.
    pub hint: &'static str,
    /// Heading in the help.
    pub section: &'static str,
    /// Keys by mode. Two keys with a space between are pressed one after the other.
    pub keys: &'static [(Mode, &'static [&'static str])],
}

impl Spec {
    /// Whether it is there to act on processes.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.section == ACTS
    }

    /// In few words: its hint, or what its description says first.
    #[must_use]
    pub fn brief(&self) -> String {
        if !self.hint.is_empty() {
            return self.hint.to_owned();
        }
        let first = self.description.split([',', ';', ':']).next().unwrap_or_default();
        let mut chars = first.chars();
        chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
    }

    /// The mode in which it is most at home.
    #[must_use]
    pub fn home(&self) -> Mode {
        Mode::ALL.into_iter().find(|mode| !self.keys_in(*mode).is_empty()).unwrap_or(Mode::Tree)
    }

    /// Its keys in a mode.
    #[must_use]
    pub fn keys_in(&self, mode: Mode) -> &'static [&'static str] {
        self.keys.iter().find(|(of, _)| *of == mode).map_or(&[], |(_, keys)| keys)
    }
}

/// The section of the commands that act on processes.
const ACTS: &str = "Act on processes";

macro_rules! commands {
    ($($section:literal { $($variant:ident $name:literal $description:literal $hint:literal
        $($mode:ident [$($key:literal)+])+;)+ })+) => {
        /// What a key can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Command {
            $($(#[doc = $description] $variant,)+)+
        }

        /// The table, in the order of the help.
        pub const COMMANDS: &[Spec] = &[$($(Spec {
            command: Command::$variant,
            name: $name,
            description: $description,
            hint: $hint,
            section: $section,
            keys: &[$((Mode::$mode, &[$($key),+])),+],
        },)+)+];
    };
}

commands! {
    "Move" {
        Up "up" "One line up" "" Tree["Up" "k"] Filter["Up"] Details["Up" "k"] Help["Up" "k"] HelpSearch["Up"] DetailsSearch["Up"] Acts["Up"] Confirm["Up" "k"] Report["Up" "k"] Page["Up" "k"] Columns["Up" "k"] Sorts["Up" "k"];
        Down "down" "One line down" "" Tree["Down" "j"] Filter["Down"] Details["Down" "j"] Help["Down" "j"] HelpSearch["Down"] DetailsSearch["Down"] Acts["Down"] Confirm["Down" "j"] Report["Down" "j"] Page["Down" "j"] Columns["Down" "j"] Sorts["Down" "j"];
        PageUp "page-up" "One page up" "" Tree["PgUp" "C-b"] Filter["PgUp"] Details["PgUp" "C-b"] Help["PgUp" "C-b"] HelpSearch["PgUp"] DetailsSearch["PgUp"] Acts["PgUp"] Confirm["PgUp" "C-b"] Report["PgUp" "C-b"] Page["PgUp" "C-b"] Columns["PgUp" "C-b"] Sorts["PgUp" "C-b"];
        PageDown "page-down" "One page down" "" Tree["PgDn" "C-f"] Filter["PgDn"] Details["PgDn" "C-f" "Space"] Help["PgDn" "C-f" "Space"] HelpSearch["PgDn"] DetailsSearch["PgDn"] Acts["PgDn"] Confirm["PgDn" "C-f" "Space"] Report["PgDn" "C-f" "Space"] Page["PgDn" "C-f" "Space"] Columns["PgDn" "C-f"] Sorts["PgDn" "C-f"];
        HalfUp "half-page-up" "Half a page up" "" Tree["C-u"] Details["C-u"] Help["C-u"] Confirm["C-u"] Report["C-u"] Page["C-u"] Columns["C-u"] Sorts["C-u"];
        HalfDown "half-page-down" "Half a page down" "" Tree["C-d"] Details["C-d"] Help["C-d"] Confirm["C-d"] Report["C-d"] Page["C-d"] Columns["C-d"] Sorts["C-d"];
        First "first" "To the top" "" Tree["g g" "Home"] Details["g g" "Home"] Help["g g" "Home"] Acts["Home"] Confirm["g g" "Home"] Report["g g" "Home"] Page["g g" "Home"] Columns["g g" "Home"] Sorts["g g" "Home"];
        Last "last" "To the bottom" "" Tree["G" "End"] Details["G" "End"] Help["G" "End"] Acts["End"] Confirm["G" "End"] Report["G" "End"] Page["G" "End"] Columns["G" "End"] Sorts["G" "End"];
        Left "left" "Fold, or go to the parent" "" Tree["Left" "h"];
        Right "right" "Unfold, or go to the first child" "" Tree["Right" "l"];
        Parent "parent" "To the parent" "" Tree["u"];
        Follow "follow" "Keep the selected process in sight, or not" "" Tree["F"];
        NextMatch "next-match" "Next match of the filter, or on a page" "" Tree["n"] Details["n"];
        PreviousMatch "previous-match" "Previous match of the filter, or on a page" "" Tree["N"] Details["N"];
        Killer "killer" "To the process that killed this one" "" Tree["b"] Details["b"];
        Culprit "culprit" "To the process that the latest alert names" "" Tree["a"];
    }
    "Views" {
        ViewTree "view-tree" "The tree" "" Tree["1"] Page["1" "Esc"] Details["1"];
        ViewFlat "view-flat" "All processes as one list" "" Tree["2"] Page["2"] Details["2"];
        ToggleFlat "toggle-flat" "The tree or the one list, in turn" "" Tree["F5"] Page["F5"] Details["F5"];
        ViewChurn "view-churn" "Who launches most, and at what cost" "" Tree["3"] Page["3"] Details["3"];
        ViewTimeline "view-timeline" "Lifetimes as bars" "" Tree["4"] Page["4"] Details["4"];
        ViewUsers "view-users" "Figures by user" "" Tree["5"] Page["5"] Details["5"];
        ViewAlerts "view-alerts" "All alerts" "" Tree["6"] Page["6"] Details["6"];
        Go "go" "On a page: to what a line stands for" "go there" Page["Enter"];
        Group "group" "Churn: by launcher, or by name" "by name" Page["Tab"];
        ZoomIn "zoom-in" "Timeline: less at once" "closer" Tree["}"];
        ZoomOut "zoom-out" "Timeline: more at once" "wider" Tree["{"];
        FollowNow "follow-now" "Timeline: up to now again" "live" Tree["0"];
    }
    "Look" {
        Details "details" "All about this process" "details" Tree["Enter"];
        Filter "filter" "Show only what matches" "filter" Tree["/" "F4" "F3" "\\"];
        ClearFilter "clear-filter" "Drop the filter, or show all again" "" Tree["Esc"];
        ToggleFold "fold" "Fold or unfold this subtree" "fold" Tree["Space" "z a" "z o" "z c"];
        FoldAll "fold-all" "Fold all" "" Tree["-" "z M"];
        UnfoldAll "unfold-all" "Unfold all" "" Tree["+" "=" "*" "z R"];
        FoldLevel "fold-level" "Fold the deepest level that is open" "" Tree["z m"];
        UnfoldLevel "unfold-level" "Unfold the uppermost level that is folded" "" Tree["z r"];
        Focus "focus" "Show this subtree alone" "" Tree["f"] Details["f"];
        Unfocus "unfocus" "Back to what was shown before" "" Tree["Backspace"];
        Pause "pause" "Hold the view still while capture goes on" "pause" Tree["p"] Details["p"] Page["p"];
        Panels "panels" "Show or hide users and alerts" "panels" Tree["s" "Tab"] Page["s"];
        Figures "figures" "Figures on ptree-tui itself: memory, frames" "" Tree["D"] Page["D"];
        Lineage "lineage" "Parents by fork, or the kernel's parents now" "lineage" Tree["o"];
        Dead "dead" "Show or hide the dead" "dead" Tree["d"];
        Join "join" "Join finished siblings of one name, or not" "" Tree["c"];
        SortList "sort-list" "Choose by what to sort" "sort" Tree["F6"];
        SortNext "sort" "Sort by the next column" "sort" Tree["S"] Page["F6" "S"];
        SortCpu "sort-cpu" "Sort by share of CPU" "" Tree["P"];
        SortMemory "sort-memory" "Sort by memory" "" Tree["M"];
        SortTime "sort-time" "Sort by CPU time" "" Tree["T"];
        SortBirth "sort-birth" "Sort by start" "" Tree["B"];
        SortReverse "sort-reverse" "Sort the other way round" "" Tree["I"] Page["I"] Sorts["I"];
        Kernel "kernel-threads" "Show or hide kernel threads" "" Tree["t" "K"];
        Environment "environment" "Its environment; again: read anew" "environment" Tree["e"] Details["e"];
        Files "files" "Its open files and folder; again: read anew" "files" Tree["L"] Details["L"];
        FindHere "search-page" "On its page: look for a text" "search" Details["/" "F3" "F4"];
        ScrollLeft "scroll-left" "Commands, or the timeline, to the left" "" Tree["<" "S-Left"];
        ScrollRight "scroll-right" "Commands, or the timeline, to the right" "" Tree[">" "S-Right"];
    }
    "Columns" {
        Columns "columns" "Choose columns, their order and widths" "" Tree["C" "F2"];
        ToggleColumn "toggle-column" "Columns: show or hide this one" "show/hide" Columns["Space" "Enter"];
        ColumnLeft "column-left" "Columns: further to the left" "left" Columns["<" "K" "S-Left"];
        ColumnRight "column-right" "Columns: further to the right" "right" Columns[">" "J" "S-Right"];
        Wider "wider" "Columns: wider" "wider" Columns["+" "="];
        Narrower "narrower" "Columns: narrower" "narrower" Columns["-"];
        ColumnsAnew "columns-anew" "Columns: as they were at first" "as at first" Columns["r"];
        CopyColumns "copy-columns" "Columns: copy, as lines for the config" "copy" Columns["y"];
        ChooseSort "choose-sort" "Sorts: sort by this" "sort by this" Sorts["Enter" "Space"];
    }
    "Act on processes" {
        Act "act" "Signal, freeze, thaw or kill: asks first" "signal" Tree["F9" "x"] Details["F9" "x"];
        Freeze "freeze" "Freeze this subtree, as against a fork bomb" "" Tree["X"] Details["X"];
        Tag "tag" "Tag or untag, to act on several" "" Tree["v"] Details["v"];
        TagSubtree "tag-subtree" "Tag it and all below it" "" Tree["V"] Details["V"];
        UntagAll "untag-all" "Untag all" "" Tree["U"] Details["U"];
        NiceLess "nice-less" "Nice value down: before others" "" Tree["F7" "]"] Details["F7" "]"];
        NiceMore "nice-more" "Nice value up: after others" "" Tree["F8" "["] Details["F8" "["];
        Choose "choose" "While choosing: take this one" "choose" Acts["Enter"];
        Confirm "confirm" "While asked: yes, do it" "yes" Confirm["y"];
        Subtree "with-subtree" "While choosing: with all below it, or not" "subtree" Acts["Tab"] Confirm["Tab"];
        Protected "even-protected" "While asked: even to the protected" "protected too" Confirm["!"];
    }
    "Copy to the clipboard" {
        CopyCommand "copy-command" "Its command line, as for a shell" "" Tree["y c"] Details["y c"];
        CopyPid "copy-pid" "Its pid" "" Tree["y p"] Details["y p"];
        CopyLineage "copy-lineage" "Names and pids of it and all above it" "" Tree["y l"] Details["y l"];
    }
    "Do" {
        Export "export-dot" "Write the tree to a new DOT file here" "export" Tree["w"];
        Redraw "redraw" "Draw everything anew" "" Tree["C-l"] Filter["C-l"] Details["C-l"] Help["C-l"] HelpSearch["C-l"] DetailsSearch["C-l"] Acts["C-l"] Confirm["C-l"] Report["C-l"] Page["C-l"] Columns["C-l"] Sorts["C-l"];
        Suspend "suspend" "Back to the shell, until fg" "" Tree["C-z"] Filter["C-z"] Details["C-z"] Help["C-z"] HelpSearch["C-z"] DetailsSearch["C-z"] Acts["C-z"] Confirm["C-z"] Report["C-z"] Page["C-z"] Columns["C-z"] Sorts["C-z"];
        Help "help" "This help" "help" Tree["?" "F1"] Filter["F1"] Details["?" "F1"] Acts["F1"] Confirm["?" "F1"] Report["?" "F1"] Page["?" "F1"] Columns["?" "F1"] Sorts["?" "F1"];
        FindHelp "search-help" "In the help: only what contains a word" "search" Help["/" "F4" "F3"];
        Back "back" "Close this page" "close" Details["Esc" "q" "Enter" "Left" "h"] Help["Esc" "q" "Enter" "?" "F1"] Acts["Esc"] Confirm["Esc" "n" "q"] Report["Esc" "q" "Enter"] Columns["Esc" "q" "C" "F2"] Sorts["Esc" "q" "F6"];
        Quit "quit" "Leave" "quit" Tree["q" "F10" "C-c" "Z Z" "Z Q"] Filter["F10" "C-c"] Details["F10" "C-c"] Help["F10" "C-c"] HelpSearch["F10" "C-c"] DetailsSearch["F10" "C-c"] Acts["F10" "C-c"] Confirm["F10" "C-c"] Report["F10" "C-c"] Page["q" "F10" "C-c"] Columns["F10" "C-c"] Sorts["F10" "C-c"];
    }
    "While typing" {
        AcceptFilter "accept" "Keep it" "keep" Filter["Enter"] HelpSearch["Enter"] DetailsSearch["Enter"];
        CancelFilter "cancel" "Drop it" "drop" Filter["Esc"] HelpSearch["Esc"] DetailsSearch["Esc"];
        Complete "complete" "Complete the name of a field or a value" "complete" Filter["Tab"];
        EraseChar "erase-character" "Erase a character" "" Filter["Backspace" "C-h"] HelpSearch["Backspace" "C-h"] DetailsSearch["Backspace" "C-h"] Acts["Backspace" "C-h"];
        EraseWord "erase-word" "Erase a word" "" Filter["C-w"] HelpSearch["C-w"] DetailsSearch["C-w"] Acts["C-w"];
        EraseAll "erase-all" "Erase all of it" "" Filter["C-u"] HelpSearch["C-u"] DetailsSearch["C-u"] Acts["C-u"];
        Older "older" "An older filter; also Up on an empty line" "" Filter["C-p"];
        Newer "newer" "A newer filter; also Down among the old" "" Filter["C-n"];
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn i14_every_command_is_named_described_and_reachable() {
        let mut names = HashSet::new();
        for spec in COMMANDS {
            assert!(!spec.description.is_empty() && !spec.section.is_empty(), "{spec:?}");
            assert!(spec.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{spec:?}");
            assert!(names.insert(spec.name), "two commands are called '{}'", spec.name);
            assert!(!spec.keys.is_empty(), "no key for '{}'", spec.name);
        }
    }

    #[test]
    fn what_may_not_act_has_no_key_that_would() {
        let within = |elsewhere, read_only| commands(Limits { elsewhere, read_only });
        assert_eq!(within(false, false).count(), COMMANDS.len());
        assert_eq!(within(true, false).chain(within(false, true)).filter(|spec| spec.acts()).count(), 0);
        let names: Vec<&str> = COMMANDS.iter().filter(|spec| spec.acts()).map(|spec| spec.name).collect();
        assert!(["act", "freeze", "confirm", "nice-more"].iter().all(|name| names.contains(name)), "{names:?}");
    }
}
