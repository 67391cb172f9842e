//! Everything a user can do, in one table: name, description and keys by mode. Key lookup, help and the hints at the
//! bottom of the screen all read it, so none of them can disagree (I14).
//!
//! Does not know what the commands do to the app.

use std::path::PathBuf;

/// What has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The tree.
    Tree,
    /// The line in which a filter is typed.
    Filter,
    /// The page on one process.
    Details,
    /// The page of keys.
    Help,
}

/// A request to the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Something from the table.
    Command(Command),
    /// A character typed into the filter line.
    Type(char),
    /// A text pasted, which is for the filter line alone: elsewhere it is no keys to be obeyed.
    Paste(String),
    /// The terminal's size, columns and rows.
    Resize(u16, u16),
    /// An export ended: the file, or why there is none.
    Exported(Result<PathBuf, String>),
    /// A suspension could not be done: nobody would wake us.
    SuspendRefused,
}

/// What the runtime must do for the app, which itself touches nothing outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Give the terminal back to the shell until we are continued.
    Suspend,
    /// Clear the terminal and draw everything anew.
    Redraw,
    /// Write the tree to a new DOT file, then report [`Action::Exported`].
    ExportDot,
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
    /// Its keys in a mode.
    #[must_use]
    pub fn keys_in(&self, mode: Mode) -> &'static [&'static str] {
        self.keys.iter().find(|(of, _)| *of == mode).map_or(&[], |(_, keys)| keys)
    }
}

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
        Up "up" "One line up" "" Tree["Up" "k"] Filter["Up"] Details["Up" "k"] Help["Up" "k"];
        Down "down" "One line down" "" Tree["Down" "j"] Filter["Down"] Details["Down" "j"] Help["Down" "j"];
        PageUp "page-up" "One page up" "" Tree["PgUp"] Filter["PgUp"] Details["PgUp"] Help["PgUp"];
        PageDown "page-down" "One page down" "" Tree["PgDn"] Filter["PgDn"] Details["PgDn" "Space"] Help["PgDn" "Space"];
        HalfUp "half-page-up" "Half a page up" "" Tree["C-u"] Details["C-u"] Help["C-u"];
        HalfDown "half-page-down" "Half a page down" "" Tree["C-d"] Details["C-d"] Help["C-d"];
        First "first" "To the top" "" Tree["g" "Home"] Details["g" "Home"] Help["g" "Home"];
        Last "last" "To the bottom" "" Tree["G" "End"] Details["G" "End"] Help["G" "End"];
        Left "left" "Fold, or go to the parent" "" Tree["Left" "h"];
        Right "right" "Unfold, or go to the first child" "" Tree["Right" "l"];
        NextMatch "next-match" "Next match of the filter" "" Tree["n"];
        PreviousMatch "previous-match" "Previous match of the filter" "" Tree["N"];
        Culprit "culprit" "To the process that the latest alert names" "" Tree["a"];
    }
    "Look" {
        Details "details" "All about this process" "details" Tree["Enter"];
        Filter "filter" "Show only what matches" "filter" Tree["/"];
        ClearFilter "clear-filter" "Drop the filter" "" Tree["Esc"];
        ToggleFold "fold" "Fold or unfold this subtree" "fold" Tree["Space"];
        FoldAll "fold-all" "Fold all" "" Tree["-" "z M"];
        UnfoldAll "unfold-all" "Unfold all" "" Tree["+" "=" "*" "z R"];
        Pause "pause" "Hold the view still while capture goes on" "pause" Tree["p"] Details["p"];
        Panels "panels" "Show or hide users and alerts" "panels" Tree["s" "Tab"];
        Figures "figures" "Figures on ptree-tui itself: memory, frames" "" Tree["D"];
        Lineage "lineage" "Parents: who forked, or the kernel's parent now" "lineage" Tree["o"];
        Dead "dead" "Show or hide the dead" "dead" Tree["d"];
        Join "join" "Join finished siblings of one name, or not" "" Tree["c"];
        SortNext "sort" "Sort siblings by the next column" "sort" Tree["F6" "S"];
        SortCpu "sort-cpu" "Sort by share of CPU" "" Tree["P"];
        SortMemory "sort-memory" "Sort by memory" "" Tree["M"];
        SortTime "sort-time" "Sort by CPU time" "" Tree["T"];
        SortBirth "sort-birth" "Sort by start" "" Tree["B"];
        SortReverse "sort-reverse" "Sort the other way round" "" Tree["I"];
        Kernel "kernel-threads" "Show or hide kernel threads" "" Tree["t"];
        ScrollLeft "scroll-left" "Commands to the left" "" Tree["<" "S-Left"];
        ScrollRight "scroll-right" "Commands to the right" "" Tree[">" "S-Right"];
    }
    "Do" {
        Export "export-dot" "Write the tree to a new DOT file here" "export" Tree["e"];
        Redraw "redraw" "Draw everything anew" "" Tree["C-l"] Filter["C-l"] Details["C-l"] Help["C-l"];
        Suspend "suspend" "Back to the shell until `fg`" "" Tree["C-z"] Filter["C-z"] Details["C-z"] Help["C-z"];
        Help "help" "This help" "help" Tree["?" "F1"] Filter["F1"] Details["?" "F1"];
        Back "back" "Close this page" "close" Details["Esc" "q" "Enter" "Left" "h"] Help["Esc" "q" "Enter" "?" "F1"];
        Quit "quit" "Leave" "quit" Tree["q" "F10" "C-c"] Filter["F10" "C-c"] Details["F10" "C-c"] Help["F10" "C-c"];
    }
    "While typing a filter" {
        AcceptFilter "accept-filter" "Keep it" "keep" Filter["Enter"];
        CancelFilter "cancel-filter" "Drop it" "drop" Filter["Esc"];
        Complete "complete" "Complete the name of a field or a value" "complete" Filter["Tab"];
        EraseChar "erase-character" "Erase a character" "" Filter["Backspace" "C-h"];
        EraseWord "erase-word" "Erase a word" "" Filter["C-w"];
        EraseAll "erase-all" "Erase all of it" "" Filter["C-u"];
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
    fn i14_no_key_is_bound_twice_in_a_mode_nor_hidden_behind_a_prefix() {
        for mode in [Mode::Tree, Mode::Filter, Mode::Details, Mode::Help] {
            let keys: Vec<&str> = COMMANDS.iter().flat_map(|spec| spec.keys_in(mode)).copied().collect();
            for (i, key) in keys.iter().enumerate() {
                assert!(!keys[..i].contains(key), "'{key}' is bound twice in {mode:?}");
                let prefix = format!("{key} ");
                assert!(!keys.iter().any(|other| other.starts_with(&prefix)), "'{key}' hides a sequence in {mode:?}");
            }
        }
    }
}
