//! What things look like, by what they mean.
//!
//! The terminal's own 16 colours only, on its own background, so that it reads in any colour scheme; nothing is said
//! by colour alone.

use ratatui::style::{Color, Modifier, Style};

use crate::label::Tone;

/// Styles by meaning.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Ordinary text.
    pub plain: Style,
    /// The dead, guides, what matters less.
    pub dim: Style,
    /// Names and figures that the eye should find.
    pub strong: Style,
    /// Failures and losses.
    pub bad: Style,
    /// Young or at work.
    pub good: Style,
    /// Modes one must not forget: a pause, a filter.
    pub notice: Style,
    /// Fold marks and keys.
    pub accent: Style,
    /// Headings of tables.
    pub heading: Style,
    /// The selected row.
    pub selected: Style,
    /// The line of an active alert.
    pub alert: Style,
}

impl Theme {
    /// With colours, unless `NO_COLOR` is set to anything.
    #[must_use]
    pub fn of_environment() -> Self {
        let colourless = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if colourless { Self::mono() } else { Self::ansi() }
    }

    /// With the terminal's palette.
    #[must_use]
    pub const fn ansi() -> Self {
        let plain = Style::new();
        Self {
            plain,
            dim: plain.add_modifier(Modifier::DIM),
            strong: plain.add_modifier(Modifier::BOLD),
            bad: plain.fg(Color::Red),
            good: plain.fg(Color::Green),
            notice: plain.fg(Color::Black).bg(Color::Yellow),
            accent: plain.fg(Color::Cyan),
            heading: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            selected: plain.add_modifier(Modifier::REVERSED),
            alert: plain.fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    /// Without any colour.
    #[must_use]
    pub const fn mono() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            plain,
            dim: plain.add_modifier(Modifier::DIM),
            strong: bold,
            bad: bold,
            good: plain,
            notice: plain.add_modifier(Modifier::REVERSED),
            accent: plain,
            heading: bold,
            selected: plain.add_modifier(Modifier::REVERSED),
            alert: bold.add_modifier(Modifier::REVERSED),
        }
    }

    /// The style for a tone.
    #[must_use]
    pub const fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => self.plain,
            Tone::Dim => self.dim,
            Tone::Good => self.good,
            Tone::Bad => self.bad,
            Tone::Heading => self.heading,
        }
    }
}
