//! What can be done to processes, and how it is found by typing.

use ptree_core::text;

/// Standard signals; those of real time have no names of their own, and no call without `unsafe` sends them.
const LAST_SIGNAL: u8 = 31;
/// Sent by `kill` when nothing else is asked for, and so the first choice.
const SIGTERM: u8 = 15;

/// One of the things that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Send a signal.
    Signal(u8),
    /// Stop a subtree until nobody in it runs.
    Freeze,
    /// Let a subtree run on.
    Thaw,
    /// Stop a subtree, then kill all of it.
    Kill,
}

impl Choice {
    /// In a word or two: `SIGTERM`, `Freeze`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Signal(number) => text::signal_name(number).into_owned(),
            Self::Freeze => "Freeze".to_owned(),
            Self::Thaw => "Thaw".to_owned(),
            Self::Kill => "Freeze and kill".to_owned(),
        }
    }

    /// The number of a signal.
    #[must_use]
    pub const fn number(self) -> Option<u8> {
        match self {
            Self::Signal(number) => Some(number),
            _ => None,
        }
    }

    /// What it does, where the name does not say it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Freeze => "stop the subtree until no child escapes",
            Self::Thaw => "let the subtree run on, from the leaves up",
            Self::Kill => "stop the subtree, then kill all of it",
            Self::Signal(1) => "terminal closed; often: read the settings anew",
            Self::Signal(2) => "as ^C",
            Self::Signal(3) => "as ^\\, with a core dump",
            Self::Signal(9) => "end at once; cannot be caught",
            Self::Signal(15) => "end",
            Self::Signal(18) => "run on",
            Self::Signal(19) => "stop; cannot be caught",
            Self::Signal(20) => "stop, as ^Z",
            Self::Signal(_) => "",
        }
    }

    /// Whether it is always for a whole subtree.
    #[must_use]
    pub const fn is_for_subtrees(self) -> bool {
        !matches!(self, Self::Signal(_))
    }

    /// Whether it can be done to those that are protected, if confirmed: not what would stop this program itself.
    #[must_use]
    pub const fn may_hit_protected(self) -> bool {
        !matches!(self, Self::Freeze | Self::Kill)
    }

    /// How well it fits what was typed, 0 being best.
    fn rank(self, typed: &str) -> Option<u8> {
        let name = self.name().to_ascii_lowercase();
        let short = name.strip_prefix("sig").unwrap_or(&name);
        let number = self.number().map(|number| number.to_string()).unwrap_or_default();
        let names = [name.as_str(), short, number.as_str()];
        if names.contains(&typed) {
            Some(0)
        } else if names.iter().any(|name| name.starts_with(typed)) {
            Some(1)
        } else {
            name.contains(typed).then_some(2)
        }
    }
}

/// All that fit what was typed, the best first.
#[must_use]
pub fn choices(typed: &str) -> Vec<Choice> {
    let typed = typed.to_ascii_lowercase();
    let all = [Choice::Freeze, Choice::Thaw, Choice::Kill].into_iter().chain((1..=LAST_SIGNAL).map(Choice::Signal));
    let mut fitting: Vec<(u8, Choice)> = all.filter_map(|choice| Some((choice.rank(&typed)?, choice))).collect();
    fitting.sort_by_key(|(rank, _)| *rank);
    fitting.into_iter().map(|(_, choice)| choice).collect()
}

/// The index of what stands out before anything is typed.
pub(super) fn first_choice() -> usize {
    choices("").iter().position(|&choice| choice == Choice::Signal(SIGTERM)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_and_number_the_one_that_is_meant_comes_first() {
        let first = |typed| choices(typed).first().copied();
        assert_eq!([first("9"), first("kill"), first("SIGKILL")], [Some(Choice::Signal(9)); 3]);
        assert_eq!([first("term"), first("15")], [Some(Choice::Signal(15)); 2]);
        assert_eq!([first("fr"), first("thaw")], [Some(Choice::Freeze), Some(Choice::Thaw)]);
        assert_eq!(choices("1").len(), 11, "1 and 10 to 19");
        assert_eq!(first("nothing"), None);
        assert_eq!(choices("")[first_choice()], Choice::Signal(15));
    }
}
