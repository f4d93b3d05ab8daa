//! Coloured text for terminals that know more or fewer colours.

use std::fmt::Write as _;

use daemon_rpc::ColorSupport;
use syntect::highlighting::{Color, Style};

const RESET: &str = "\x1b[0m";

/// How bright a part of a colour must be to be a part of one of the 8 basic ones.
const BRIGHT: u8 = 0x80;

/// The pieces with their colours around them.
pub(crate) fn escaped(pieces: &[(Style, &str)], colors: ColorSupport) -> String {
    let mut text = String::new();
    for (style, piece) in pieces {
        // Writing to a string can't fail.
        let _ = write!(text, "\x1b[{}m{piece}", foreground(style.foreground, colors));
    }
    text + RESET
}

fn foreground(Color { r, g, b, .. }: Color, colors: ColorSupport) -> String {
    match colors {
        ColorSupport::TrueColor => format!("38;2;{r};{g};{b}"),
        ColorSupport::Ansi256 => {
            // A cube of 6 shades of each.
            let [r, g, b] = [r, g, b].map(|part| (u16::from(part) * 5 + 127) / 255);
            format!("38;5;{}", 16 + 36 * r + 6 * g + b)
        }
        ColorSupport::Basic | ColorSupport::None => {
            let [r, g, b] = [r, g, b].map(|part| u8::from(part >= BRIGHT));
            format!("{}", 30 + r + 2 * g + 4 * b)
        }
    }
}
