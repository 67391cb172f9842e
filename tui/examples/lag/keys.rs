//! Keys at any moment, each with what it must change on the screen, and the time until it has.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::screen::Screen;
use crate::session::Session;

/// A key that has not shown by then never will.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two keys, at least and at most, milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 20..200;

/// What a key changes.
#[derive(Clone, Copy, Debug)]
enum Shows {
    /// Another row is selected.
    Selection,
    /// The heading says something else.
    Heading,
    /// The list has become shorter, or longer.
    Length,
    /// The last lines hold this.
    Typed(&'static str),
    /// They hold this no more.
    Gone(&'static str),
}

/// What it is called, the keys, what they change.
type Step = (&'static str, &'static str, Shows);

/// A round, from the top of the tree back to there.
const ROUND: &[Step] = &[
    ("down", "j", Shows::Selection),
    ("page", "\u{1b}[6~", Shows::Selection),
    ("up", "k", Shows::Selection),
    ("page", "\u{1b}[5~", Shows::Selection),
    ("down", "\u{1b}[B", Shows::Selection),
    ("top", "gg", Shows::Selection),
    ("fold", " ", Shows::Length),
    ("fold", " ", Shows::Length),
    ("sort", "P", Shows::Heading),
    ("sort", "S", Shows::Heading),
    ("sort", "B", Shows::Heading),
    ("view", "2", Shows::Heading),
    ("view", "3", Shows::Heading),
    ("view", "4", Shows::Heading),
    ("view", "5", Shows::Heading),
    ("view", "6", Shows::Heading),
    ("view", "1", Shows::Heading),
    ("details", "\r", Shows::Heading),
    ("details", "\u{1b}", Shows::Heading),
    ("help", "?", Shows::Heading),
    ("help", "\u{1b}", Shows::Heading),
    ("filter", "/", Shows::Typed("drop")),
    ("filter", "w", Shows::Typed("w")),
    ("filter", "or", Shows::Typed("wor")),
    ("filter", "k", Shows::Typed("work")),
    ("filter", "\u{1b}", Shows::Gone("drop")),
];

/// Who presses them.
pub(crate) struct Typist<'s> {
    session: &'s mut Session,
    random: u64,
}

impl<'s> Typist<'s> {
    pub(crate) fn new(session: &'s mut Session) -> Self {
        Self { session, random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// Selects a row amid the list, and looks on for so long.
    pub(crate) fn look_on(&mut self, time: Duration) -> anyhow::Result<()> {
        self.session.press("jjjjj")?;
        self.session.until(time, |_| false)?;
        self.session.press("gg")?;
        self.pause()
    }

    /// Goes through all the keys once.
    pub(crate) fn round(&mut self, lags: &mut Lags) -> anyhow::Result<()> {
        for (name, keys, shows) in ROUND {
            self.pause()?;
            let before = Before::of(self.session.screen());
            let pressed = self.session.press(keys)?;
            match self.session.until(PATIENCE, |screen| before.has_changed(screen, *shows))? {
                Some(shown) => lags.add(name, shown.saturating_duration_since(pressed)),
                None => {
                    eprintln!("'{name}' does not show:\n{}", self.session.screen().text());
                    lags.unseen += 1;
                }
            }
        }
        Ok(())
    }

    fn pause(&mut self) -> anyhow::Result<()> {
        // Xorshift: which moments they are does not matter.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let ms = PAUSE_MS.start + self.random % (PAUSE_MS.end - PAUSE_MS.start);
        self.session.until(Duration::from_millis(ms), |_| false).map(drop)
    }
}

/// What a key may change, as it was.
struct Before {
    selected: Option<String>,
    heading: String,
    filled: usize,
}

impl Before {
    fn of(screen: &Screen) -> Self {
        let selected = screen.selected().map(ToOwned::to_owned);
        Self { selected, heading: screen.heading(), filled: screen.filled() }
    }

    fn has_changed(&self, screen: &Screen, shows: Shows) -> bool {
        match shows {
            Shows::Selection => screen.selected().is_some_and(|now| self.selected.as_deref() != Some(now)),
            Shows::Heading => screen.heading() != self.heading,
            Shows::Length => screen.filled().abs_diff(self.filled) > 5,
            Shows::Typed(text) => screen.footer().contains(text),
            Shows::Gone(text) => !screen.footer().contains(text),
        }
    }
}

/// Times from keys to what they show, by kind of key.
#[derive(Debug, Default)]
pub(crate) struct Lags {
    kinds: BTreeMap<&'static str, Vec<Duration>>,
    /// Keys that showed nothing.
    pub(crate) unseen: usize,
}

impl Lags {
    fn add(&mut self, kind: &'static str, lag: Duration) {
        self.kinds.entry(kind).or_default().push(lag);
    }

    /// Of a hundred keys, so many show within this time.
    pub(crate) fn of_hundred(&self, percent: usize) -> Option<Duration> {
        quantile(&self.kinds.values().flatten().copied().collect::<Vec<_>>(), percent)
    }
}

impl fmt::Display for Lags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.kinds.values().flatten().copied().collect();
        writeln!(f, "  {:<8} {:>5} {:>6} {:>6} {:>6} {:>6}  ms", "key", "n", "p50", "p90", "p99", "max")?;
        let kinds = self.kinds.iter().map(|(name, lags)| (*name, lags));
        for (name, lags) in kinds.chain([("all", &all)]) {
            write!(f, "  {name:<8} {:>5}", lags.len())?;
            for percent in [50, 90, 99, 100] {
                let lag = quantile(lags, percent).unwrap_or_default();
                write!(f, " {:>6.1}", lag.as_secs_f64() * 1e3)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn quantile(lags: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = lags.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied()
}
