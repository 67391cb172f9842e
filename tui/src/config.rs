//! What a user has chosen once and for all: settings, keys, filters with names and styles, from a TOML file.
//!
//! [`settings`] is the table of settings, from which the file is [read](file), the commented default is printed and the
//! JSON schema is made (both in [`print`]). The file is never written. Does not know the command line, which comes before it.

pub mod file;
pub mod print;
pub mod settings;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ptree_core::filter::Names;
use ptree_core::text;
use ptree_source::caller::{Caller, as_caller, caller};
use ratatui::style::Style;

use crate::column::Chosen;
use crate::given;
use crate::keymap::Bindings;
use crate::screen::theme::ThemeName;

/// Where the file is below a folder of configuration.
const FILE: &str = "ptree-tui/config.toml";
/// No such file is longer, bytes.
const LONGEST: usize = 1 << 20;
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
    /// Whether processes are only looked at: nobody is signalled, frozen or reniced, no file is written, no environment is shown.
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
    /// From the file that is asked for, or else from the first that exists: the user's, the machine's. Without any, the
    /// default. Where somebody [calls](caller()) who has less privilege, that is the user, and what that user may not read is
    /// not read: an error would quote it.
    ///
    /// # Errors
    /// When the file cannot be read or something in it is wrong; when the one asked for does not exist.
    pub fn load(asked: Option<&Path>) -> Result<Self, ConfigError> {
        if let Some(path) = asked {
            return Self::read(path);
        }
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        for path in places(caller().and_then(Caller::home), variable) {
            // In a folder that may not be looked into, such as the home of another user, there is none for us either; nor where
            // nothing can be looked at as the caller.
            match as_caller(|| path.symlink_metadata().is_ok()) {
                Ok(true) => return Self::read(&path),
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
                Err(error) => return Err(unread(&path, &error)),
            }
        }
        Ok(Self::default())
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = given::read_text(path, LONGEST).map_err(|error| unread(path, &error))?;
        file::parse(&text, &text::path(path))
    }
}

fn unread(path: &Path, error: &io::Error) -> ConfigError {
    ConfigError(vec![format!("'{}': {error}", text::path(path))])
}

/// Where to look, in order. A `home` of the user database stands in for what the environment says.
fn places(home: Option<Option<PathBuf>>, variable: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let below = |home: PathBuf| home.join(".config");
    let own = match home {
        Some(home) => home.map(below),
        // A path that is not absolute is to be ignored.
        None => variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| variable("HOME").map(|home| below(home.into()))),
    };
    own.into_iter().chain([PathBuf::from("/etc")]).map(|folder| folder.join(FILE)).collect()
}
