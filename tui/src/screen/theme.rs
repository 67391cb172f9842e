//! What things look like, by what they mean. Nothing is said by colour alone.
//!
//! Which colours a terminal can show is found out in [`ability`]; how styles are written in [`style`].

pub mod ability;
pub mod style;

use ratatui::style::{Color, Modifier, Style};

use self::ability::{Ability, Colours};
use crate::label::Tone;

macro_rules! roles {
    ($($name:ident $about:literal;)+) => {
        /// Styles by meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Theme {
            $(#[doc = $about] pub $name: Style,)+
            /// Nothing but ASCII is to be drawn.
            pub ascii: bool,
        }

        /// All meanings.
        pub const ROLES: &[Role] = &[$(Role {
            name: stringify!($name),
            about: $about,
            get: |theme| theme.$name,
            set: |theme, style| theme.$name = style,
        },)+];
    };
}

/// Something that has a style.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// Stable name, for configuration.
    pub name: &'static str,
    /// What is shown so.
    pub about: &'static str,
    /// Its style in a theme.
    pub get: fn(&Theme) -> Style,
    /// Gives it another style.
    pub set: fn(&mut Theme, Style),
}

roles! {
    plain "Ordinary text";
    dim "The dead, guides, what matters less";
    strong "Names and figures that the eye should find";
    bad "Failures and losses";
    good "Young or at work";
    notice "Modes one must not forget: a pause, a filter";
    accent "Fold marks and keys";
    heading "Headings of tables";
    selected "The selected row";
    alert "The line of an active alert";
}

/// The themes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ThemeName {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// White on black, without anything faint.
    HighContrast,
    /// The terminal's own 16 colours.
    Ansi,
    /// No colours.
    Mono,
}

impl ThemeName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Dark, Self::Light, Self::HighContrast, Self::Ansi, Self::Mono];
    /// Their names, in the same order.
    pub const NAMES: [&str; 5] = ["dark", "light", "high-contrast", "16-colour", "mono"];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// What it is for, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Dark => "for dark backgrounds",
            Self::Light => "for light backgrounds",
            Self::HighContrast => "white on black, without anything faint",
            Self::Ansi => "the terminal's own 16 colours",
            Self::Mono => "no colours",
        }
    }

    /// The theme of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

const fn rgb(hex: u32) -> Color {
    let [_, r, g, b] = hex.to_be_bytes();
    Color::Rgb(r, g, b)
}

impl Theme {
    /// A theme with some styles of the user's own, as a terminal can show it.
    #[must_use]
    pub fn new(name: ThemeName, own: &[(&'static str, Style)], ability: Ability) -> Self {
        let few = matches!(ability.colours, Colours::Sixteen);
        let mut theme = match name {
            _ if ability.colours == Colours::None => Self::mono(),
            // Their colours have no like among 16.
            ThemeName::Dark | ThemeName::Light if few => Self::ansi(),
            ThemeName::Dark => Self::dark(),
            ThemeName::Light => Self::light(),
            ThemeName::HighContrast => Self::high_contrast(),
            ThemeName::Ansi => Self::ansi(),
            ThemeName::Mono => Self::mono(),
        };
        for role in ROLES {
            let own = own.iter().rev().find(|(name, _)| *name == role.name);
            let style = own.map_or_else(|| (role.get)(&theme), |(_, style)| *style);
            (role.set)(&mut theme, ability.colours.shown(style));
        }
        Self { ascii: !ability.unicode, ..theme }
    }

    /// Quiet colours for a dark background.
    #[must_use]
    pub const fn dark() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            plain,
            dim: plain.fg(rgb(0x80_8890)),
            strong: bold,
            bad: plain.fg(rgb(0xff_6e6e)),
            good: plain.fg(rgb(0x7f_d88f)),
            notice: plain.fg(rgb(0x1c_1c1c)).bg(rgb(0xe5_c07b)),
            accent: plain.fg(rgb(0x56_c2d6)),
            heading: bold.fg(rgb(0x6c_b6ff)),
            selected: bold.fg(rgb(0xff_ffff)).bg(rgb(0x2f_5f8f)),
            alert: bold.fg(rgb(0xff_ffff)).bg(rgb(0xb0_2a37)),
            ascii: false,
        }
    }

    /// Dark colours for a light background.
    #[must_use]
    pub const fn light() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            plain,
            dim: plain.fg(rgb(0x6e_7681)),
            strong: bold,
            bad: plain.fg(rgb(0xb4_1d2a)),
            good: plain.fg(rgb(0x1a_7f37)),
            notice: plain.fg(rgb(0x00_0000)).bg(rgb(0xff_d866)),
            accent: plain.fg(rgb(0x00_6d8f)),
            heading: bold.fg(rgb(0x09_50a8)),
            selected: bold.fg(rgb(0x00_0000)).bg(rgb(0xb6_d7ff)),
            alert: bold.fg(rgb(0xff_ffff)).bg(rgb(0xb4_1d2a)),
            ascii: false,
        }
    }

    /// The brightest of 16 colours on black, whatever the terminal's background.
    #[must_use]
    pub const fn high_contrast() -> Self {
        let plain = Style::new().fg(Color::White).bg(Color::Black);
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            plain,
            dim: plain,
            strong: bold,
            bad: bold.fg(Color::LightRed),
            good: bold.fg(Color::LightGreen),
            notice: bold.fg(Color::Black).bg(Color::LightYellow),
            accent: bold.fg(Color::LightCyan),
            heading: bold.fg(Color::LightYellow).add_modifier(Modifier::UNDERLINED),
            selected: bold.fg(Color::Black).bg(Color::White),
            alert: bold.fg(Color::White).bg(Color::Red),
            ascii: false,
        }
    }

    /// With the terminal's palette, on its own background, so that it reads in any colour scheme.
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
            ascii: false,
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
            ascii: false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_come_down_to_what_the_terminal_can_show() {
        let theme = |name, colours| Theme::new(name, &[], Ability { colours, unicode: true });
        assert_eq!(theme(ThemeName::Dark, Colours::True), Theme::dark());
        assert_eq!(theme(ThemeName::Dark, Colours::Sixteen), Theme::ansi());
        assert_eq!(theme(ThemeName::HighContrast, Colours::Sixteen), Theme::high_contrast());
        for name in ThemeName::ALL {
            assert_eq!(ThemeName::named(name.name()), Some(name));
            assert_eq!(theme(name, Colours::None), Theme::mono());
            for role in ROLES {
                let style = (role.get)(&theme(name, Colours::Palette));
                for colour in [style.fg, style.bg].into_iter().flatten() {
                    assert!(!matches!(colour, Color::Rgb(..)), "{name:?} {}", role.name);
                }
            }
        }
    }

    #[test]
    fn own_styles_take_the_place_of_the_themes() {
        let own = [("bad", style::parse("bold #ff0000 on blue").unwrap())];
        let theme = |colours| Theme::new(ThemeName::Light, &own, Ability { colours, unicode: false });
        assert_eq!(theme(Colours::True).bad, own[0].1);
        assert_eq!(theme(Colours::True).good, Theme::light().good);
        assert_eq!(theme(Colours::Sixteen).bad.fg, Some(Color::LightRed));
        assert_eq!(theme(Colours::None).bad, Style::new().add_modifier(Modifier::BOLD));
        assert!(theme(Colours::True).ascii);
    }
}
