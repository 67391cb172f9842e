//! What a terminal can show, as its environment tells: how many colours, and whether more than ASCII.

use ratatui::style::{Color, Style};

/// How many colours there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// None, or none are wanted.
    None,
    /// The terminal's own.
    Sixteen,
    /// 256, most of them always the same.
    Palette,
    /// Any.
    True,
}

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ability {
    /// Colours.
    pub colours: Colours,
    /// Characters beyond ASCII.
    pub unicode: bool,
}

impl Ability {
    /// As told by variables of the environment.
    #[must_use]
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default().to_ascii_lowercase();
        let term = value("TERM");
        let colours =
            if !value("NO_COLOR").is_empty() { Colours::None } else { Self::colours_of(&term, &value("COLORTERM")) };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(value).find(|value| !value.is_empty());
        let utf8 = locale.is_some_and(|locale| locale.contains("utf-8") || locale.contains("utf8"));
        // The kernel's console has UTF-8, but not the characters.
        Self { colours, unicode: utf8 && term != "linux" }
    }

    fn colours_of(term: &str, colorterm: &str) -> Colours {
        // The emulations of terminals that had none.
        if term.ends_with("-m") || term.ends_with("-mono") || term.starts_with("vt1") || term.starts_with("vt2") {
            return Colours::None;
        }
        let known = ["256", "direct", "kitty", "alacritty", "foot", "ghostty", "wezterm"];
        match colorterm {
            "truecolor" | "24bit" => Colours::True,
            _ if known.iter().any(|part| term.contains(part)) => Colours::Palette,
            _ => Colours::Sixteen,
        }
    }
}

impl Colours {
    /// A style with the nearest colours that there are.
    #[must_use]
    pub fn shown(self, style: Style) -> Style {
        Style { fg: style.fg.and_then(|fg| self.nearest(fg)), bg: style.bg.and_then(|bg| self.nearest(bg)), ..style }
    }

    fn nearest(self, colour: Color) -> Option<Color> {
        match (self, colour) {
            (Self::None, _) => None,
            (Self::True, _) => Some(colour),
            (Self::Palette, Color::Rgb(r, g, b)) => Some(Color::Indexed(palette([r, g, b]))),
            (Self::Sixteen, Color::Rgb(r, g, b)) => Some(sixteen([r, g, b])),
            (Self::Sixteen, Color::Indexed(n @ 16..)) => Some(sixteen(of_palette(n))),
            _ => Some(colour),
        }
    }
}

type Rgb = [u8; 3];

fn distance(a: Rgb, b: Rgb) -> u32 {
    a.into_iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

/// The fixed part of the palette: a cube of 6 steps, and greys.
fn of_palette(n: u8) -> Rgb {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    if n >= 232 {
        return [8 + 10 * (n - 232); 3];
    }
    let n = usize::from(n.saturating_sub(16));
    [STEPS[n / 36], STEPS[n / 6 % 6], STEPS[n % 6]]
}

fn palette(rgb: Rgb) -> u8 {
    (16..=255).min_by_key(|&n| distance(of_palette(n), rgb)).unwrap_or(16)
}

/// By the colours that most terminals begin with.
fn sixteen(rgb: Rgb) -> Color {
    const KNOWN: [(Color, Rgb); 16] = [
        (Color::Black, [0, 0, 0]),
        (Color::Red, [205, 0, 0]),
        (Color::Green, [0, 205, 0]),
        (Color::Yellow, [205, 205, 0]),
        (Color::Blue, [0, 0, 238]),
        (Color::Magenta, [205, 0, 205]),
        (Color::Cyan, [0, 205, 205]),
        (Color::Gray, [229, 229, 229]),
        (Color::DarkGray, [127, 127, 127]),
        (Color::LightRed, [255, 0, 0]),
        (Color::LightGreen, [0, 255, 0]),
        (Color::LightYellow, [255, 255, 0]),
        (Color::LightBlue, [92, 92, 255]),
        (Color::LightMagenta, [255, 0, 255]),
        (Color::LightCyan, [0, 255, 255]),
        (Color::White, [255, 255, 255]),
    ];
    KNOWN.into_iter().min_by_key(|(_, known)| distance(*known, rgb)).map_or(Color::Reset, |(colour, _)| colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ability(environment: &str) -> (Colours, bool) {
        let variable = |name: &str| {
            let set = environment.split(' ').filter_map(|pair| pair.split_once('='));
            set.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
        };
        let Ability { colours, unicode } = Ability::of(variable);
        (colours, unicode)
    }

    #[test]
    fn the_environment_tells_what_can_be_shown() {
        for (environment, expected) in [
            ("TERM=xterm-256color COLORTERM=truecolor LANG=en_GB.UTF-8", (Colours::True, true)),
            ("TERM=xterm-256color LANG=C.utf8", (Colours::Palette, true)),
            ("TERM=xterm-kitty LANG=C LC_CTYPE=C.UTF-8", (Colours::Palette, true)),
            ("TERM=xterm-256color COLORTERM=24bit NO_COLOR=1 LANG=C.UTF-8", (Colours::None, true)),
            ("TERM=xterm-256color NO_COLOR= LANG=C.UTF-8", (Colours::Palette, true)),
            ("TERM=screen LANG=de_DE.ISO-8859-1", (Colours::Sixteen, false)),
            ("TERM=screen LANG=C.UTF-8 LC_ALL=C", (Colours::Sixteen, false)),
            ("TERM=xterm COLORTERM=yes", (Colours::Sixteen, false)),
            ("TERM=linux LANG=C.UTF-8", (Colours::Sixteen, false)),
            ("TERM=vt220 LANG=C.UTF-8", (Colours::None, true)),
        ] {
            assert_eq!(ability(environment), expected, "{environment}");
        }
    }

    #[test]
    fn the_nearest_colour_of_few_is_taken() {
        let shown = |colours: Colours, colour| colours.nearest(colour);
        assert_eq!(shown(Colours::Palette, Color::Rgb(255, 135, 0)), Some(Color::Indexed(208)));
        assert_eq!(shown(Colours::Palette, Color::Rgb(9, 8, 8)), Some(Color::Indexed(232)));
        assert_eq!(shown(Colours::Palette, Color::Red), Some(Color::Red));
        assert_eq!(shown(Colours::Sixteen, Color::Rgb(250, 10, 10)), Some(Color::LightRed));
        assert_eq!(shown(Colours::Sixteen, Color::Indexed(16)), Some(Color::Black));
        assert_eq!(shown(Colours::Sixteen, Color::Indexed(3)), Some(Color::Indexed(3)));
        assert_eq!(shown(Colours::None, Color::Red), None);
    }
}
