//! The default configuration as a commented file, and the JSON schema of such files: both from the tables.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Config;
use super::file::{ALERTS, COLOURS, COLUMNS, FILTERS, KEYS, sections};
use super::settings::{Kind, SETTINGS, Setting};
use crate::action::{COMMANDS, Mode};
use crate::column::{self, Chosen};
use crate::screen::theme::{ROLES, Theme, style};

const HEAD: &str = "\
# ptree-tui: configuration. Everything here is the default; a file of yours needs only what it changes.
# The first of these is read: $XDG_CONFIG_HOME/ptree-tui/config.toml ($HOME/.config without that variable), the same of
# the user who called sudo, /etc/ptree-tui/config.toml; or else what --config says. The command line comes before it.
";
const FILTERS_ABOUT: &str = "\
# Filters with names: '@builds' stands for the expression wherever a filter is typed.
# builds = \"comm=make or comm=ninja\"
# failing = \"state=failed and not @builds\"
";
const ALERTS_ABOUT: &str = "\
# Filters with names, too: an alert is raised when one matches a process that it did not match before. It ends when it
# matches no living one any more, and no other one has come for 'clear-after'.
# killed = \"signal=KILL\"
# \"root shell from ssh\" = \"uid=0 and comm~sh$ and ancestor:comm=sshd\"
";
const COLUMNS_ABOUT: &str = "\
# The columns before COMMAND, left to right; those for which there is no room are left out, from the ones worth least on.
# 'widths' has those that are not to be as wide as usual, such as { user = 12 }. There are:
";
const COLOURS_ABOUT: &str = "\
# Styles in the place of the theme's: 'bold', 'dim', 'italic', 'underlined', 'reversed', a colour ('red', 'lightblue',
# '#ff8800', a number of the palette) and a background after 'on'. Here those of the theme 'dark'.
";
const KEYS_ABOUT: &str = "\
# What is given replaces all keys of an action in that mode. \"g g\" is one key after the other, \"C-d\" is with Ctrl,
# \"M-x\" with Alt, \"S-Left\" with Shift; others are called Up, PgDn, Enter, Esc, Tab, Space, F5 and so on.
";

/// The commented default.
#[must_use]
pub fn default_file() -> String {
    let config = Config::default();
    let mut out = HEAD.to_owned();
    for section in sections() {
        if section != KEYS {
            let _ = write!(out, "\n[{section}]\n");
        }
        match section {
            FILTERS => out.push_str(FILTERS_ABOUT),
            ALERTS => out.push_str(ALERTS_ABOUT),
            COLUMNS => columns(&mut out, &config.columns),
            COLOURS => {
                out.push_str(COLOURS_ABOUT);
                for role in ROLES {
                    let style = style::written((role.get)(&Theme::dark()));
                    let _ = write!(out, "# {}.\n# {} = \"{style}\"\n", role.about, role.name);
                }
            }
            KEYS => keys(&mut out),
            _ => {
                for setting in SETTINGS.iter().filter(|setting| setting.section == section) {
                    comment(&mut out, setting);
                    let _ = writeln!(out, "{} = {}", setting.name, value(&config, &setting.kind));
                }
            }
        }
    }
    out
}

fn comment(out: &mut String, setting: &Setting) {
    let _ = writeln!(out, "# {}", setting.about);
    if let Kind::Choice(words, ..) = setting.kind {
        let _ = writeln!(out, "# One of {}.", words.join(", "));
    }
}

fn columns(out: &mut String, chosen: &Chosen) {
    out.push_str(COLUMNS_ABOUT);
    for spec in column::COLUMNS {
        let _ = writeln!(out, "#   {:<14}{:<11}{}", spec.name, spec.heading, spec.about);
    }
    out.push_str(&chosen.written());
}

fn keys(out: &mut String) {
    for (n, mode) in Mode::ALL.into_iter().enumerate() {
        let _ = write!(out, "\n# In {}.\n[{KEYS}.{}]\n", mode.about(), mode.name());
        if n == 0 {
            out.push_str(KEYS_ABOUT);
        }
        for spec in COMMANDS.iter().filter(|spec| !spec.keys_in(mode).is_empty()) {
            let keys: Vec<_> = spec.keys_in(mode).iter().map(|keys| text(keys)).collect();
            let _ = writeln!(out, "{} = [{}] # {}", spec.name, keys.join(", "), spec.description);
        }
    }
}

/// What a setting is, as it is written.
pub(crate) fn value(config: &Config, kind: &Kind) -> String {
    match kind {
        Kind::Flag(get, _) => get(config).to_string(),
        Kind::Count(get, _) => get(config).to_string(),
        Kind::Number(get, _) => get(config).to_string(),
        Kind::Text(get, _) => text(&get(config)),
        Kind::Choice(_, get, _) => text(get(config)),
    }
}

/// A basic string of TOML. Nothing in the tables has control characters.
fn text(plain: &str) -> String {
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The JSON schema.
#[must_use]
pub fn schema() -> String {
    let config = Config::default();
    let properties: Map<_, _> = sections()
        .into_iter()
        .map(|section| {
            let content = match section {
                FILTERS => json!({
                    "description": "Filters with names: '@name' stands for the expression.",
                    "type": "object",
                    "propertyNames": { "pattern": "^[A-Za-z0-9_]+$" },
                    "additionalProperties": { "type": "string" },
                }),
                ALERTS => json!({
                    "description": "Filters with names: an alert is raised when one matches another process.",
                    "type": "object",
                    "additionalProperties": { "type": "string" },
                }),
                COLUMNS => columns_schema(&config.columns),
                COLOURS => {
                    let about =
                        |role: &crate::screen::theme::Role| json!({ "type": "string", "description": role.about });
                    object(ROLES.iter().map(|role| (role.name, about(role))))
                }
                KEYS => object(Mode::ALL.into_iter().map(|mode| (mode.name(), keys_schema(mode)))),
                _ => {
                    let here = SETTINGS.iter().filter(|setting| setting.section == section);
                    object(here.map(|setting| (setting.name, setting_schema(&config, setting))))
                }
            };
            (section.to_owned(), content)
        })
        .collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of ptree-tui",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    format!("{schema:#}\n")
}

fn object(properties: impl Iterator<Item = (&'static str, Value)>) -> Value {
    let properties: Map<_, _> = properties.map(|(name, content)| (name.to_owned(), content)).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn columns_schema(chosen: &Chosen) -> Value {
    let names: Vec<&str> = column::COLUMNS.iter().map(|spec| spec.name).collect();
    let shown: Vec<&str> = chosen.shown().iter().map(|column| column.spec().name).collect();
    let width = |spec: &column::Spec| {
        let (least, most) = (Chosen::WIDTHS.start(), Chosen::WIDTHS.end());
        json!({ "type": "integer", "minimum": least, "maximum": most, "description": spec.about })
    };
    let show = json!({
        "description": "The columns before COMMAND, left to right.",
        "type": "array",
        "items": { "enum": names },
        "uniqueItems": true,
        "default": shown,
    });
    let widths = object(column::COLUMNS.iter().map(|spec| (spec.name, width(spec))));
    object([("show", show), ("widths", widths)].into_iter())
}

fn keys_schema(mode: Mode) -> Value {
    let here = COMMANDS.iter().filter(move |spec| !spec.keys_in(mode).is_empty());
    object(here.map(move |spec| {
        let keys = json!({
            "type": "array",
            "items": { "type": "string" },
            "description": spec.description,
            "default": spec.keys_in(mode),
        });
        (spec.name, keys)
    }))
}

fn setting_schema(config: &Config, setting: &Setting) -> Value {
    let about = setting.about;
    match setting.kind {
        Kind::Flag(get, _) => json!({ "description": about, "type": "boolean", "default": get(config) }),
        Kind::Count(get, _) => json!({ "description": about, "type": "integer", "minimum": 0, "default": get(config) }),
        Kind::Number(get, _) => json!({ "description": about, "type": "number", "minimum": 0, "default": get(config) }),
        Kind::Text(get, _) => json!({ "description": about, "type": "string", "default": get(config) }),
        Kind::Choice(words, get, _) => json!({ "description": about, "enum": words, "default": get(config) }),
    }
}
