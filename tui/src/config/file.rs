//! From the text of a configuration file to a [`Config`], with all that is wrong told by line.

mod columns;

use std::collections::HashMap;
use std::ops::Range;

use ptree_core::text;
use ptree_core::{Filter, MatchRule};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::settings::{Kind, SETTINGS, Setting};
use super::{Config, ConfigError, QUOTED};
use crate::action::{COMMANDS, Command, Mode, Spec};
use crate::keymap;
use crate::screen::theme::{ROLES, style};

/// The sections whose names come from elsewhere than the settings.
pub const KEYS: &str = "keys";
/// See [`KEYS`].
pub const FILTERS: &str = "filters";
/// See [`KEYS`].
pub const ALERTS: &str = "alerts";
/// See [`KEYS`].
pub const COLUMNS: &str = "columns";
/// See [`KEYS`].
pub const COLOURS: &str = "colours";

/// Of very many mistakes, so many are told.
const TOLD: usize = 20;

type Table<'t> = DeTable<'t>;
type Value<'t> = Spanned<DeValue<'t>>;
type Key<'t> = Spanned<std::borrow::Cow<'t, str>>;

/// Reads a file; `name` is what it is called in errors.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(text: &str, name: &str) -> Result<Config, ConfigError> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { config: Config::default(), wrong: Vec::new(), bound: HashMap::new() };
    for error in errors {
        let span = error.span().unwrap_or_default();
        let part = text.get(span.clone()).filter(|part| !part.trim().is_empty() && !part.contains('\n'));
        let part = part.map_or_else(String::new, |part| format!(": {}", quoted(part)));
        reader.wrong(span, error.message().replace('\n', "; ") + &part);
    }
    // Of what does not parse, the rest may mean anything.
    if reader.wrong.is_empty() {
        reader.file(table.get_ref());
    }
    let Reader { config, mut wrong, .. } = reader;
    if wrong.is_empty() {
        return Ok(config);
    }
    wrong.sort_by_key(|(at, _)| *at);
    let line = |at: usize| text.as_bytes()[..at.min(text.len())].iter().filter(|&&b| b == b'\n').count() + 1;
    let more = wrong.len().saturating_sub(TOLD);
    let told = wrong.into_iter().take(TOLD).map(|(at, message)| format!("{name}:{}: {message}", line(at)));
    let more = (more > 0).then(|| format!("{name}: and {more} more"));
    Err(ConfigError(told.chain(more).collect()))
}

struct Reader {
    config: Config,
    /// By place in the file, bytes.
    wrong: Vec<(usize, String)>,
    /// Where keys were given.
    bound: HashMap<(Mode, Command), usize>,
}

impl Reader {
    fn wrong(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.wrong.push((at.start, message.into()));
    }

    fn unknown<'a>(&mut self, what: &str, key: &Key<'_>, known: impl Iterator<Item = &'a str> + Clone) {
        let message = format!("there is no {what} {}{}", quoted(key.get_ref()), nearest(key.get_ref(), known));
        self.wrong(key.span(), message);
    }

    fn file(&mut self, table: &Table<'_>) {
        for (key, value) in table.iter() {
            let section = key.get_ref().as_ref();
            let known = sections();
            if !known.contains(&section) {
                // Somebody may have left out the section.
                match SETTINGS.iter().find(|setting| setting.name == section) {
                    Some(Setting { section: of, name, .. }) => {
                        self.wrong(key.span(), format!("'{name}' belongs below [{of}]"));
                    }
                    None => self.unknown("section", key, known.into_iter()),
                }
                continue;
            }
            let Some(entries) = self.table(section, value) else { continue };
            match section {
                KEYS => self.keys(entries),
                FILTERS => self.filters(entries),
                ALERTS => self.alerts(entries),
                COLUMNS => self.columns(entries),
                COLOURS => self.colours(entries),
                _ => self.settings(section, entries),
            }
        }
        self.check_filters(table);
        self.make_alerts(table);
        self.check_keys();
    }

    fn table<'v, 't>(&mut self, name: &str, value: &'v Value<'t>) -> Option<&'v Table<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(value.span(), format!("'{name}' is a section, not {}: write [{name}]", shown(value)));
        }
        table
    }

    fn settings(&mut self, section: &str, entries: &Table<'_>) {
        let known = SETTINGS.iter().filter(|setting| setting.section == section);
        for (key, value) in entries.iter() {
            let found = known.clone().find(|setting| setting.name == key.get_ref().as_ref());
            match found {
                Some(setting) => {
                    if let Err(message) = set(&mut self.config, &setting.kind, value.get_ref()) {
                        let message = format!("{} for '{}': {message}", shown(value), setting.name);
                        self.wrong(value.span(), message);
                    }
                }
                None => self.unknown(&format!("setting in [{section}] called"), key, known.clone().map(|s| s.name)),
            }
        }
    }

    fn keys(&mut self, modes: &Table<'_>) {
        for (key, value) in modes.iter() {
            let Some(mode) = Mode::ALL.into_iter().find(|mode| mode.name() == key.get_ref().as_ref()) else {
                self.unknown(&format!("part of [{KEYS}] called"), key, Mode::ALL.iter().map(|mode| mode.name()));
                continue;
            };
            let Some(entries) = self.table(&format!("{KEYS}.{}", mode.name()), value) else { continue };
            let here = COMMANDS.iter().filter(|spec| !spec.keys_in(mode).is_empty());
            for (key, value) in entries.iter() {
                match here.clone().find(|spec| spec.name == key.get_ref().as_ref()) {
                    Some(spec) => self.bind(mode, spec, value),
                    None => {
                        let what = format!("action in [{KEYS}.{}] called", mode.name());
                        self.unknown(&what, key, here.clone().map(|spec| spec.name));
                    }
                }
            }
        }
    }

    fn bind(&mut self, mode: Mode, spec: &Spec, value: &Value<'_>) {
        let Some(items) = value.get_ref().as_array() else {
            let message = format!("{} for '{}': give a list, such as [\"g g\", \"Home\"]", shown(value), spec.name);
            return self.wrong(value.span(), message);
        };
        let mut keys = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str().map(keymap::parse) {
                Some(Ok(parsed)) => keys.push(parsed),
                Some(Err(message)) => self.wrong(item.span(), message),
                None => self.wrong(item.span(), format!("{} is no key: write it in quotes", shown(item))),
            }
        }
        if keys.is_empty() && spec.command == Command::Quit && items.iter().next().is_none() {
            self.wrong(value.span(), "'quit' needs a key, or nobody could leave");
        }
        self.bound.insert((mode, spec.command), value.span().start);
        self.config.bindings.rebind(mode, spec.command, keys);
    }

    fn check_keys(&mut self) {
        if let Some(clash) = self.config.bindings.clash().filter(|_| self.wrong.is_empty()) {
            let place = |binding: &keymap::Binding| self.bound.get(&(binding.mode, binding.command)).copied();
            let at = place(&clash.second).or_else(|| place(&clash.first)).unwrap_or_default();
            self.wrong(at..at, format!("{clash}: give one of them other keys"));
        }
    }

    fn filters(&mut self, entries: &Table<'_>) {
        for (key, value) in entries.iter() {
            let name = key.get_ref().as_ref();
            match value.get_ref().as_str() {
                _ if !ptree_core::filter::Names::is_name(name) => {
                    self.wrong(key.span(), format!("{}: a name is of letters, digits and '_'", quoted(name)));
                }
                Some(filter) => self.config.names.insert(name, filter),
                None => {
                    self.wrong(value.span(), format!("{} for {}: give a filter in quotes", shown(value), quoted(name)))
                }
            }
        }
    }

    fn alerts(&mut self, entries: &Table<'_>) {
        for (key, value) in entries.iter() {
            let name = key.get_ref().as_ref();
            if name.trim().is_empty() {
                self.wrong(key.span(), "an alert needs a name");
            }
            if value.get_ref().as_str().is_none_or(|filter| filter.trim().is_empty()) {
                let message = format!("{} for {}: give a filter in quotes", shown(value), quoted(name));
                self.wrong(value.span(), message);
            }
        }
    }

    /// Filters may name each other, so they are judged when all are known.
    fn check_filters(&mut self, table: &Table<'_>) {
        let general = section(table, "general").and_then(|entries| entries.get("filter"));
        let named = section(table, FILTERS).into_iter().flat_map(|entries| entries.values());
        for value in named.chain(general) {
            self.filter(value);
        }
    }

    fn make_alerts(&mut self, table: &Table<'_>) {
        for (key, value) in section(table, ALERTS).into_iter().flat_map(|entries| entries.iter()) {
            if let Some(filter) = self.filter(value) {
                self.config.engine.matches.push(MatchRule { name: key.get_ref().as_ref().into(), filter });
            }
        }
    }

    /// The filter that a text is.
    fn filter(&mut self, value: &Value<'_>) -> Option<Filter> {
        let text = value.get_ref().as_str()?;
        match Filter::parse_with(text, &self.config.names) {
            Ok(filter) => Some(filter),
            Err(error) => {
                let part = text.get(error.range()).filter(|part| !part.is_empty());
                let place = part.map_or_else(String::new, |part| format!(" at {}", quoted(part)));
                self.wrong(value.span(), format!("{} is no filter: {}{place}", shown(value), error.message()));
                None
            }
        }
    }

    fn colours(&mut self, entries: &Table<'_>) {
        for (key, value) in entries.iter() {
            let Some(role) = ROLES.iter().find(|role| role.name == key.get_ref().as_ref()) else {
                self.unknown(&format!("style in [{COLOURS}] called"), key, ROLES.iter().map(|role| role.name));
                continue;
            };
            match value.get_ref().as_str().map(style::parse) {
                Some(Ok(style)) => self.config.styles.push((role.name, style)),
                Some(Err(message)) => {
                    self.wrong(value.span(), format!("{} for '{}': {message}", shown(value), role.name));
                }
                None => {
                    let message = format!("{} for '{}': give a style such as \"bold red\"", shown(value), role.name);
                    self.wrong(value.span(), message);
                }
            }
        }
    }
}

/// A section of the file, where it is there and one.
fn section<'v, 't>(table: &'v Table<'t>, name: &str) -> Option<&'v Table<'t>> {
    table.get(name).and_then(|section| section.get_ref().as_table())
}

/// All sections, in the order in which they are printed.
#[must_use]
pub fn sections() -> Vec<&'static str> {
    let mut names: Vec<_> = SETTINGS.iter().map(|setting| setting.section).collect();
    names.dedup();
    names.extend([COLUMNS, FILTERS, ALERTS, COLOURS, KEYS]);
    names
}

fn set(config: &mut Config, kind: &Kind, value: &DeValue<'_>) -> Result<(), String> {
    match kind {
        Kind::Flag(_, set) => set(config, value.as_bool().ok_or("give true or false")?),
        Kind::Count(_, set) => {
            let n = value.as_integer().and_then(|n| usize::from_str_radix(n.as_str(), n.radix()).ok());
            set(config, n.ok_or("give a whole number, 0 or more")?);
        }
        Kind::Number(_, set) => {
            let whole = value.as_integer().filter(|n| n.radix() == 10).and_then(|n| n.as_str().parse::<f64>().ok());
            let number = value.as_float().and_then(|n| n.as_str().parse::<f64>().ok()).or(whole);
            set(config, number.ok_or("give a number")?)?;
        }
        Kind::Text(_, set) => set(config, value.as_str().ok_or("give a text in quotes")?)?,
        Kind::Choice(words, _, set) => {
            let known = || format!("choose one of {}", words.join(", "));
            let text = value.as_str().ok_or_else(known)?;
            let word = words
                .iter()
                .find(|word| **word == text)
                .ok_or_else(|| nearest(text, words.iter().copied()).trim_start_matches("; ").to_owned())?;
            set(config, word);
        }
    }
    Ok(())
}

/// A value as it may be quoted.
fn shown(value: &Value<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(n) => quoted(n.as_str()),
        DeValue::Float(n) => quoted(n.as_str()),
        DeValue::Boolean(on) => format!("'{on}'"),
        other => match other.type_str() {
            kind if kind.starts_with('a') => format!("an {kind}"),
            kind => format!("a {kind}"),
        },
    }
}

fn quoted(text: &str) -> String {
    text::quoted(text, QUOTED)
}

/// `; did you mean 'x'?`, where something known is near enough; else what there is, where that is little.
fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    // Nothing that is known is as long as a flood, and to compare it takes long.
    let typed: String = typed.chars().take(QUOTED).collect();
    let typed = typed.to_ascii_lowercase().replace('_', "-");
    let near = known.clone().map(|name| (strsim::osa_distance(&typed, name), name)).min();
    match near {
        // As in filters, a third of the letters may be wrong.
        Some((distance, name)) if distance <= name.len().div_ceil(3) => format!("; did you mean '{name}'?"),
        _ if known.clone().count() <= 16 => format!("; there are {}", known.collect::<Vec<_>>().join(", ")),
        _ => "; 'ptree-tui config' prints them all".to_owned(),
    }
}
