//! What a user has chosen once and for all: settings, keys, filters with names and styles, from a TOML file.
//!
//! [`settings`] is the table of settings, from which the file is [read](file), the commented default is printed and the
//! JSON schema is made (both in [`print`]). The file is never written. Does not know the command line, which comes before it.

pub mod file;
pub mod print;
pub mod settings;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ptree_core::filter::Names;
use ptree_core::text;
use ratatui::style::Style;

use crate::column::Chosen;
use crate::keymap::Bindings;
use crate::view::theme::ThemeName;

/// Where the file is below a folder of configuration.
const FILE: &str = "ptree-tui/config.toml";
/// No such file is longer, bytes.
const LONGEST: u64 = 1 << 20;
/// No more of a value is quoted in an error, characters.
pub(crate) const QUOTED: usize = 60;

/// Everything that can be chosen. The default is what holds without a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What the model keeps and watches for.
    pub engine: ptree_core::Config,
    /// Size of the kernel's ring buffer, bytes.
    pub ring_buffer: u32,
    /// Time between two measurements of what the living use.
    pub interval: Duration,
    /// What the screen looks like.
    pub theme: ThemeName,
    /// Which characters it may use.
    pub symbols: Symbols,
    /// Whether it listens to the mouse.
    pub mouse: bool,
    /// Shortest time between two frames that no key asked for.
    pub frame: Duration,
    /// Whether the dead are shown.
    pub dead: bool,
    /// Whether kernel threads are shown.
    pub kernel: bool,
    /// From how many finished children of one process with one name on these are joined in one row; 0 for never.
    pub join_from: usize,
    /// Whether processes are only looked at: nobody can be signalled, frozen or reniced.
    pub read_only: bool,
    /// A filter to begin with.
    pub filter: String,
    /// Which keys do what.
    pub bindings: Bindings,
    /// What `@name` stands for.
    pub names: Names,
    /// Which columns are shown, in what order and how wide.
    pub columns: Chosen,
    /// Styles by the name of their role.
    pub styles: Vec<(&'static str, Style)>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            engine: ptree_core::Config::default(),
            ring_buffer: 8 << 20,
            interval: Duration::from_secs(1),
            theme: ThemeName::default(),
            symbols: Symbols::default(),
            mouse: true,
            frame: Duration::from_millis(50),
            dead: true,
            kernel: false,
            join_from: 10,
            read_only: false,
            filter: String::new(),
            bindings: Bindings::default(),
            names: Names::default(),
            columns: Chosen::default(),
            styles: Vec::new(),
        }
    }
}

/// Which characters the screen may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Symbols {
    /// What the locale says.
    #[default]
    Auto,
    /// All of them.
    Unicode,
    /// ASCII alone.
    Ascii,
}

impl Symbols {
    /// Their names, in the order of the definition.
    pub const NAMES: [&str; 3] = ["auto", "unicode", "ascii"];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// What has this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Auto, Self::Unicode, Self::Ascii].into_iter().find(|symbols| symbols.name() == name)
    }
}

/// Why there is no configuration: each line says what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// From the file that is asked for, or else from the first that exists: the user's, that of who called `sudo`, the
    /// machine's. Without any, the default.
    ///
    /// # Errors
    /// When the file cannot be read or something in it is wrong; when the one asked for does not exist.
    pub fn load(asked: Option<&Path>) -> Result<Self, ConfigError> {
        if let Some(path) = asked {
            let opened = File::open(path).map_err(|error| unread(path, &error))?;
            return Self::read(path, opened);
        }
        for (path, owner) in places(|name| std::env::var(name).ok().filter(|value| !value.is_empty())) {
            match open(&path, owner) {
                Ok(file) => return Self::read(&path, file),
                // In a folder that may not be looked into, such as the home of another user, there is none for us either.
                Err(_) if path.symlink_metadata().is_err() => {}
                Err(error) => return Err(unread(&path, &error)),
            }
        }
        Ok(Self::default())
    }

    fn read(path: &Path, file: File) -> Result<Self, ConfigError> {
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).map_err(|error| unread(path, &error))?;
        file::parse(&text, &text::path(path))
    }
}

fn unread(path: &Path, error: &io::Error) -> ConfigError {
    ConfigError(vec![format!("'{}': {error}", text::path(path))])
}

/// Opens a file that, where an owner is given, must be the owner's: so nobody who may call us by `sudo` makes us read,
/// and quote in an error, what is not theirs.
fn open(path: &Path, owner: Option<u32>) -> io::Result<File> {
    let file = File::open(path)?;
    match owner {
        Some(uid) if file.metadata()?.uid() != uid => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, "it does not belong to the user who called sudo"))
        }
        _ => Ok(file),
    }
}

/// Where to look, in order, and whose the file must be.
fn places(variable: impl Fn(&str) -> Option<String>) -> Vec<(PathBuf, Option<u32>)> {
    let below = |home: String| Path::new(&home).join(".config");
    // A path that is not absolute is to be ignored.
    let xdg = variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let own = xdg.or_else(|| variable("HOME").map(below));
    let caller = variable("SUDO_UID").and_then(|uid| uid.parse::<u32>().ok()).filter(|uid| *uid != 0);
    let caller = caller.and_then(|uid| {
        let user = nix::unistd::User::from_uid(uid.into()).ok()??;
        Some((user.dir.join(".config"), Some(uid)))
    });
    let folders = own.map(|folder| (folder, None)).into_iter().chain(caller).chain([(PathBuf::from("/etc"), None)]);
    folders.map(|(folder, owner)| (folder.join(FILE), owner)).collect()
}
