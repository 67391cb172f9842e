//! Which options do something with which command; they are refused elsewhere, and only told of where they do.
//!
//! All of them may stand before the command or behind it. Does not know what they mean.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// Options that say what the kernel is to be asked.
const OF_CAPTURE: [&str; 3] = ["ring_buffer", "btf", "pretend_missing"];
/// Options that say of whom to tell, and when to raise an alert.
const OF_EVENTS: [&str; 4] = ["filter", "uid", "alerts", "alert_rate"];
/// Options that say how the screen is.
const OF_SCREEN: [&str; 5] = ["keep", "read_only", "theme", "ascii", "no_mouse"];

/// Whether an option does something with a command, each by its name in the definition.
fn applies(option: &str, command: &str) -> bool {
    let is_in = |some: &[&str]| some.contains(&option);
    match command {
        "stream" => is_in(&OF_CAPTURE) || is_in(&OF_EVENTS) || is_in(&["interval", "config"]),
        "replay" => is_in(&OF_EVENTS) || is_in(&OF_SCREEN) || option == "config",
        "snapshot" => is_in(&["filter", "uid", "interval", "btf", "pretend_missing", "config", "ascii"]),
        "doctor" => is_in(&OF_CAPTURE) || option == "config",
        "synth" => is_in(&OF_EVENTS) || is_in(&OF_SCREEN) || is_in(&["pretend_missing", "config"]),
        "config" | "man" | "completions" | "help" => false,
        // What is added has to be entered here, which a test sees to.
        _ => true,
    }
}

/// The options that may stand with any command.
fn global(command: &Command) -> impl Iterator<Item = &clap::Arg> {
    command.get_arguments().filter(|arg| arg.is_global_set())
}

/// The definition, with options hidden in the help of commands where they do nothing.
pub(super) fn narrowed(command: Command) -> Command {
    let options: Vec<_> = global(&command).cloned().collect();
    command.mut_subcommands(|sub| {
        let name = sub.get_name().to_owned();
        let idle = options.iter().filter(|option| !applies(option.get_id().as_str(), &name));
        // One of the same name in the command itself is taken for the global one.
        let hidden: Vec<_> = idle.map(|option| option.clone().hide(true)).collect();
        sub.args(hidden)
    })
}

/// An option that was given and does nothing with the command that was given, with the command.
pub(super) fn idle<'a>(command: &'a Command, matches: &'a ArgMatches) -> Option<(&'a clap::Arg, &'a str)> {
    let (name, given) = matches.subcommand()?;
    let is_given = |option: &&clap::Arg| given.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine);
    let idle = global(command).filter(|option| !applies(option.get_id().as_str(), name)).find(is_given)?;
    Some((idle, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_does_something_and_every_command_is_known() {
        let command = crate::cli::command();
        let known = ["stream", "replay", "snapshot", "doctor", "config", "man", "completions", "synth"];
        let commands: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
        assert_eq!(commands, known);
        let options: Vec<_> = global(&command).map(|option| option.get_id().as_str()).collect();
        for option in OF_CAPTURE.iter().chain(&OF_EVENTS).chain(&OF_SCREEN) {
            assert!(options.contains(option), "{option}");
        }
        for option in options {
            assert!(known.iter().any(|command| applies(option, command)), "{option}");
        }
    }

    #[test]
    fn help_tells_of_what_does_something() {
        let mut command = crate::cli::command();
        command.build();
        let mut help = |name: &str| command.find_subcommand_mut(name).unwrap().render_long_help().to_string();
        assert!(!help("config").contains("--theme") && !help("completions").contains("--filter"));
        assert!(help("replay").contains("--theme") && !help("replay").contains("--ring-buffer"));
        assert!(help("stream").contains("--ring-buffer") && !help("stream").contains("--no-mouse"));
    }
}
