//! Styles as words: `bold #ff8800 on black`.

use ptree_core::text::quoted;
use ratatui::style::{Color, Modifier, Style};

use crate::config::QUOTED;

/// What a colour may be, for messages.
const COLOURS: &str = "a colour such as 'red', 'lightblue', '#ff8800' or a number up to 255";

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// A style from words, in any order but for `on` before the background's colour. No word is the terminal's own style.
///
/// # Errors
/// Which word is neither a colour nor a manner.
pub fn parse(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let modifier = MODIFIERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        if let Some((_, modifier)) = modifier {
            style = style.add_modifier(*modifier);
        } else if word.eq_ignore_ascii_case("on") {
            let background = words.next().ok_or_else(|| format!("after 'on' comes {COLOURS}"))?;
            style = style.bg(colour(background)?);
        } else {
            style = style.fg(colour(word)?);
        }
    }
    Ok(style)
}

fn colour(word: &str) -> Result<Color, String> {
    let manners = MODIFIERS.map(|(name, _)| name).join(", ");
    word.parse().map_err(|_unknown| format!("{} is neither {COLOURS} nor one of {manners}", quoted(word, QUOTED)))
}

/// The words of a style.
#[must_use]
pub fn written(style: Style) -> String {
    let mut words: Vec<_> = MODIFIERS
        .iter()
        .filter(|(_, modifier)| style.add_modifier.contains(*modifier))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    words.extend(style.fg.map(|colour| colour.to_string().to_lowercase()));
    words.extend(style.bg.map(|colour| format!("on {}", colour.to_string().to_lowercase())));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::{ROLES, Theme};
    use super::*;

    #[test]
    fn styles_are_read_as_they_are_written() {
        for theme in [Theme::dark(), Theme::light(), Theme::high_contrast(), Theme::ansi(), Theme::mono()] {
            for role in ROLES {
                let style = (role.get)(&theme);
                assert_eq!(parse(&written(style)), Ok(style), "{}", role.name);
            }
        }
        let bold = Style::new().add_modifier(Modifier::BOLD);
        assert_eq!(parse("208 on BLACK bold"), Ok(bold.fg(Color::Indexed(208)).bg(Color::Black)));
    }

    #[test]
    fn what_is_no_style_is_told_by_the_word() {
        assert!(parse("bold reddish").unwrap_err().starts_with("'reddish' is neither a colour such as 'red'"));
        assert!(parse("red on").unwrap_err().starts_with("after 'on' comes a colour"));
        assert!(parse("300").is_err() && parse("#12").is_err());
    }
}
