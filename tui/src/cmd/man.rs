//! `ptree-tui man`: the manual page in roff, made of the tables of options, keys, filters and settings.
//!
//! Only what no table has is said here: the description, the environment, the files and the examples.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, Command};
use ptree_core::facts::FACTS;
use ptree_core::filter::{PREFIXES, SYNTAX};
use roff::{Inline, Roff, bold, italic, roman};

use crate::action::{COMMANDS, Mode, Spec};
use crate::cli::EXIT_STATUS;
use crate::config::Config;
use crate::config::print::value;
use crate::config::settings::{Kind, SETTINGS};
use crate::keymap::spelled_out;
use crate::screen::theme::ThemeName;

const DESCRIPTION: [&str; 4] = [
    "`ptree-tui` shows who started whom on this machine, as it happens. Programs in the kernel (eBPF) report every fork, \
     exec and exit, so a process that lives for a millisecond is seen like any other. Finished processes stay in the tree \
     for a while, with their exit status, their lifetime and what they cost.",
    "Without a command it takes the full screen; `?` lists the keys there, and `q` leaves. It needs root, or the \
     capabilities `cap_bpf` and `cap_perfmon`; `ptree-tui doctor` says what this machine allows. Recordings are shown \
     without any privilege.",
    "Every event is either shown or counted as lost: the header of the screen and the output of `stream` say how many were.",
    "Options may stand before or behind the command.",
];

const ENVIRONMENT: [(&str, &str); 6] = [
    ("NO_COLOR", "No colours when it is set to anything, unless `--theme` is given."),
    ("COLORTERM", "`truecolor` or `24bit`: all colours; else as many as `TERM` promises."),
    ("TERM", "The kind of terminal. On `dumb` there is no screen, and on `linux` nothing but ASCII."),
    (
        "LC_ALL, LC_CTYPE, LANG",
        "The first that is set says whether the terminal takes UTF-8; else only ASCII is drawn.",
    ),
    ("XDG_CONFIG_HOME, HOME", "Where the configuration is looked for."),
    ("SUDO_UID, SUDO_GID", "Whose configuration is read after root's, and to whom files are given that are written."),
];

const FILES: [(&str, &str); 3] = [
    (
        "$XDG_CONFIG_HOME/ptree-tui/config.toml",
        "The configuration; `~/.config` stands in for the variable. With sudo, then that of who called it.",
    ),
    ("/etc/ptree-tui/config.toml", "The configuration where there is none of the user's."),
    (
        "/sys/kernel/btf/vmlinux",
        "What the kernel tells of its own structs. Without it nothing can be watched, unless `--btf` gives another.",
    ),
];

/// Command lines, and what they are for.
const EXAMPLES: [(&str, &str); 8] = [
    ("sudo ptree-tui", "Watch all that happens."),
    ("sudo ptree-tui --filter 'ancestor:sshd not kernel=yes'", "Only what is below a login from elsewhere."),
    ("sudo ptree-tui --uid 1000 --keep 10m", "One user's processes, the finished ones for ten minutes."),
    ("sudo ptree-tui stream --filter 'code!=0 or signal~.'", "What fails, one JSON object a line."),
    ("sudo ptree-tui stream --duration 10s > events.ndjson", "Record ten seconds."),
    ("ptree-tui replay events.ndjson --speed 2", "See them again, twice as fast."),
    ("ssh host sudo ptree-tui stream --usage | ptree-tui replay -", "Watch another machine."),
    ("sudo ptree-tui snapshot --format dot | dot -Tsvg > tree.svg", "The tree as a picture, by GraphViz."),
];

/// Prints it.
///
/// # Errors
/// When the output cannot be written.
pub fn run() -> Result<ExitCode> {
    super::print(page(crate::cli::command()).as_bytes())
}

/// The page.
fn page(mut command: Command) -> String {
    command.build();
    let mut page = Page(Roff::new());
    let version = format!("ptree-tui {}", command.get_version().unwrap_or_default());
    // Without a date, so that the same program always prints the same page.
    page.0.control("TH", ["PTREE-TUI", "1", "\"\"", &version, "User Commands"]);
    page.section("NAME");
    page.text("ptree-tui - live process tree, fed by eBPF");
    page.section("SYNOPSIS");
    page.0.text([bold("ptree-tui"), roman(" ["), italic("OPTIONS"), roman("] ["), italic("COMMAND"), roman("]")]);
    page.section("DESCRIPTION");
    for (n, text) in DESCRIPTION.into_iter().enumerate() {
        if n > 0 {
            page.0.control("PP", []);
        }
        page.text(text);
    }
    page.section("OPTIONS");
    options(&mut page, &command, |_| true);
    commands(&mut page, &command);
    keys(&mut page);
    filters(&mut page);
    configuration(&mut page);
    page.section("EXIT STATUS");
    for (status, meaning) in EXIT_STATUS {
        page.item([bold(status.to_string())], meaning);
    }
    page.section("ENVIRONMENT");
    for (names, meaning) in ENVIRONMENT {
        page.item([bold(names)], meaning);
    }
    page.section("FILES");
    for (path, meaning) in FILES {
        page.item([italic(path)], meaning);
    }
    page.section("EXAMPLES");
    for (line, meaning) in EXAMPLES {
        page.item([bold(line)], meaning);
    }
    page.0.render()
}

/// Those that are told of.
fn options(page: &mut Page, command: &Command, which: impl Fn(&Arg) -> bool) {
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set() && which(arg)) {
        let mut about = sentence(&arg.get_help().map(ToString::to_string).unwrap_or_default());
        let values: Vec<_> = arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
        if !values.is_empty() && arg.get_action().takes_values() {
            about += &format!(" One of {}.", values.join(", "));
        }
        if let [default] = arg.get_default_values()
            && arg.get_action().takes_values()
        {
            about += &format!(" Without it, `{}`.", default.to_string_lossy());
        }
        page.item(spelling(arg), &about);
    }
}

/// An option with all its names and its value.
fn spelling(arg: &Arg) -> Vec<Inline> {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let names: Vec<_> = short.into_iter().chain(arg.get_long().map(|long| format!("--{long}"))).collect();
    let mut spelling = vec![bold(names.join(", "))];
    let value = arg.get_value_names().unwrap_or_default().first().filter(|_| arg.get_action().takes_values());
    if let Some(value) = value {
        spelling.push(roman(if names.is_empty() { "" } else { " " }));
        spelling.push(italic(value.as_str()));
    }
    spelling
}

fn commands(page: &mut Page, command: &Command) {
    page.section("COMMANDS");
    let is_told = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    for command in command.get_subcommands().filter(is_told) {
        let mut usage = command.get_name().to_owned();
        for arg in command.get_positionals() {
            usage += &format!(" {}", arg.get_value_names().unwrap_or_default().join(" "));
        }
        page.part(&usage);
        page.text(&sentence(&command.get_about().map(ToString::to_string).unwrap_or_default()));
        options(page, command, |arg| !arg.is_global_set() && arg.get_id() != "help");
    }
}

fn keys(page: &mut Page) {
    page.section("KEYS");
    page.text(
        "`gg` is one key after the other; `Ctrl-d` is both at once. In parentheses stands the name of the action, by which \
         the configuration gives it other keys. The keys are those of the tree; where other pages and lines have an action \
         as well, or alone, it is said. They are:",
    );
    for mode in Mode::ALL {
        page.item([bold(mode.name())], &sentence(mode.about()));
    }
    let mut section = "";
    for spec in COMMANDS {
        if spec.section != section {
            section = spec.section;
            page.part(section);
        }
        let home = spec.home();
        let mut head = alternatives(spec.keys_in(home));
        head.push(roman(format!("  ({})", spec.name)));
        page.item(head, &format!("{}{}", sentence(spec.description), elsewhere(spec, home)));
    }
    page.part("Mouse");
    page.text(
        "A click selects, a double click opens, the wheel scrolls; a click on the heading of a column sorts, one on the lines \
         before a command folds, one on an alert goes to whom it names. With Shift the terminal selects text as ever; \
         `--no-mouse` leaves the mouse to it.",
    );
}

/// In which modes an action has which keys, but for that in which it is most at home; those with the same keys together.
fn elsewhere(spec: &Spec, home: Mode) -> String {
    let mut told: Vec<(Vec<&str>, &[&str])> = Vec::new();
    let mut same = Vec::new();
    for (mode, keys) in spec.keys.iter().filter(|(mode, _)| *mode != home) {
        if *keys == spec.keys_in(home) {
            same.push(mode.name());
        } else if let Some((modes, _)) = told.iter_mut().find(|(_, known)| known == keys) {
            modes.push(mode.name());
        } else {
            told.push((vec![mode.name()], keys));
        }
    }
    let mut out = String::new();
    if home != Mode::Tree {
        out += &format!(" In {}.", [vec![home.name()], same].concat().join(", "));
    } else if !same.is_empty() {
        out += &format!(" Also in {}.", same.join(", "));
    }
    for (modes, keys) in told {
        let keys: Vec<_> = keys.iter().map(|keys| format!("`{}`", spelled_out(keys))).collect();
        out += &format!(" In {}: {}.", modes.join(", "), keys.join(", "));
    }
    out
}

fn alternatives(keys: &[&str]) -> Vec<Inline> {
    let mut out = Vec::new();
    for keys in keys {
        out.push(roman(if out.is_empty() { "" } else { ", " }));
        out.push(bold(spelled_out(keys)));
    }
    out
}

fn filters(page: &mut Page) {
    page.section("FILTERS");
    page.text("What `--filter` takes and what is typed after `/` on the screen.");
    for (typed, meaning) in SYNTAX {
        page.item([bold(typed)], &sentence(meaning));
    }
    page.part("Fields");
    for fact in FACTS {
        page.item([bold(fact.name)], &format!("{} (`{}`).", capital(fact.about), fact.example));
    }
    page.part("Prefixes of any of these");
    for (prefix, meaning, example) in PREFIXES {
        page.item([bold(prefix)], &format!("{} (`{example}`).", capital(meaning)));
    }
}

fn configuration(page: &mut Page) {
    page.section("CONFIGURATION");
    page.text(
        "A file in TOML that needs only what it changes; `ptree-tui config` prints all that can be set, as it is without a \
         file. The command line comes before it. Filters with names stand in `[filters]`, those that \
         raise alerts in `[alerts]`, styles in `[colours]`, keys in `[keys.tree]` and so on by the names above.",
    );
    let default = Config::default();
    for setting in SETTINGS {
        let head = vec![
            bold(format!("{}.{}", setting.section, setting.name)),
            roman(format!(" = {}", value(&default, &setting.kind))),
        ];
        let choices = match setting.kind {
            Kind::Choice(words, ..) => format!(" One of `{}`.", words.join("`, `")),
            _ => String::new(),
        };
        page.item(head, &format!("{}{choices}", setting.about));
    }
    page.part("Themes");
    for theme in ThemeName::ALL {
        page.item([bold(theme.name())], &sentence(theme.about()));
    }
}

/// The page as far as it is written.
struct Page(Roff);

impl Page {
    fn section(&mut self, title: &str) {
        self.0.control("SH", [title]);
    }

    fn part(&mut self, title: &str) {
        self.0.control("SS", [title]);
    }

    fn item(&mut self, head: impl Into<Vec<Inline>>, text: &str) {
        self.0.control("TP", []);
        self.0.text(head);
        self.text(text);
    }

    /// What stands in backticks is bold.
    fn text(&mut self, text: &str) {
        let parts = text.split('`').enumerate();
        let inlines = parts.map(|(n, part)| if n % 2 == 0 { roman(part) } else { bold(part) });
        self.0.text(inlines.collect::<Vec<_>>());
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn sentence(text: &str) -> String {
    let text = capital(text.trim_end_matches('.'));
    text + "."
}

#[cfg(test)]
mod tests {
    use ptree_core::Filter;

    use super::*;

    /// The page without marks for fonts and hyphens.
    fn plain() -> String {
        let mut page = page(crate::cli::command());
        for (mark, meaning) in [("\\fB", ""), ("\\fI", ""), ("\\fR", ""), ("\\-", "-"), ("\\*(Aq", "'"), ("\\\\", "\\")]
        {
            page = page.replace(mark, meaning);
        }
        page
    }

    #[test]
    fn everything_in_the_tables_is_on_the_page() {
        let page = plain();
        for spec in COMMANDS {
            assert!(page.contains(&sentence(spec.description).replace('`', "")), "{}", spec.name);
            for keys in spec.keys.iter().flat_map(|(_, keys)| *keys) {
                assert!(page.contains(&spelled_out(keys)), "{keys} of {}", spec.name);
            }
        }
        for fact in FACTS {
            assert!(page.contains(fact.example) && page.contains(&capital(fact.about)), "{}", fact.name);
        }
        for setting in SETTINGS {
            assert!(page.contains(&format!("{}.{} = ", setting.section, setting.name)), "{}", setting.name);
        }
    }

    #[test]
    fn what_is_hidden_stays_hidden() {
        let page = plain();
        assert!(page.contains("\n--read-only\n") && page.contains(".SS \"replay FILE\"\n"), "{page}");
        assert!(!page.contains("synth") && !page.contains("pretend"), "{page}");
    }

    #[test]
    fn keys_are_told_of_every_mode_that_has_them() {
        let told = |name| {
            let spec = COMMANDS.iter().find(|spec| spec.name == name).unwrap();
            elsewhere(spec, spec.home())
        };
        assert_eq!(told("parent"), "");
        assert_eq!(told("copy-pid"), " Also in details.");
        assert_eq!(told("confirm"), " In confirm.");
        assert!(told("help").contains(" In filter, acts: `F1`."), "{}", told("help"));
    }

    #[test]
    fn the_examples_are_valid() {
        for (line, _) in EXAMPLES {
            // What follows on the pipe is another program's, or ours again.
            for part in line.split(" | ").filter_map(|part| part.split_once("ptree-tui")) {
                let line = part.1.split(" > ").next().unwrap();
                let words = line.split('\'').enumerate().flat_map(|(n, part)| match n % 2 {
                    0 => part.split_whitespace().collect(),
                    _ => vec![part],
                });
                let words: Vec<_> = ["ptree-tui"].into_iter().chain(words).collect();
                let matches = crate::cli::command().try_get_matches_from(&words).unwrap();
                if let Some(filter) = matches.get_one::<String>("filter") {
                    Filter::parse(filter).unwrap();
                }
            }
        }
    }
}
