//! What is put on the clipboard. All of it is escaped: it may be pasted into a shell.

use ptree_core::{ProcKey, Process, text};

use super::App;
use crate::action::{Effect, Mode};
use crate::label;

/// Bytes that every terminal takes at once.
const MAX: usize = 64 << 10;

impl App {
    pub(super) fn copy_command(&mut self) -> Option<Effect> {
        let key = self.looked_at()?;
        let image = self.tree().get(key).and_then(Process::program);
        let Some(argv) = image.and_then(|image| image.argv.as_ref()) else {
            self.say(format!("The command line of process {} is not known", key.pid), true);
            return None;
        };
        let (line, cut) = (text::command_line(argv), image.is_some_and(|image| image.argv_truncated));
        self.copy(line, if cut { ", without the arguments that were not captured" } else { "" })
    }

    pub(super) fn copy_pid(&mut self) -> Option<Effect> {
        let key = self.looked_at()?;
        self.copy(key.pid.to_string(), "")
    }

    /// The root first: `systemd [1] > sshd [600] > bash [700]`.
    pub(super) fn copy_lineage(&mut self) -> Option<Effect> {
        let key = self.looked_at()?;
        let own = self.tree().get(key)?;
        let line = std::iter::once(own).chain(self.tree().ancestors(key, self.look().lineage));
        let mut names: Vec<String> = line.map(label::name_and_pid).collect();
        names.reverse();
        self.copy(names.join(" > "), "")
    }

    /// The process whose page is open, or the selected one.
    pub(super) fn looked_at(&mut self) -> Option<ProcKey> {
        match &self.details {
            Some(details) if self.mode == Mode::Details => Some(details.key()),
            _ => self.selected_process(),
        }
    }

    fn copy(&mut self, text: String, but: &str) -> Option<Effect> {
        if text.len() > MAX {
            self.say(format!("{} are too much for a terminal's clipboard", text::bytes(text.len() as u64)), true);
            return None;
        }
        self.say(format!("Copied{but}: {text}"), false);
        Some(Effect::Copy(text))
    }
}
