//! What can be said of a caller's terminal.

use serde::{Deserialize, Serialize};

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalSize {
    /// The width.
    pub columns: u16,
    /// The height.
    pub rows: u16,
}

/// The colours that a stream takes. A later one includes those before it.
///
/// ```
/// use daemon_rpc::ColorSupport;
///
/// assert!(ColorSupport::TrueColor >= ColorSupport::Basic);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum ColorSupport {
    /// None: not a terminal, or its user wants no colours.
    #[default]
    None,
    /// The 16 that every terminal has.
    Basic,
    /// 256 from a fixed table.
    Ansi256,
    /// Any, by its red, green and blue.
    TrueColor,
}

impl From<ColorSupport> for u8 {
    fn from(colors: ColorSupport) -> Self {
        colors as Self
    }
}

impl TryFrom<u8> for ColorSupport {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        let all = [Self::None, Self::Basic, Self::Ansi256, Self::TrueColor];
        all.get(usize::from(number)).copied().ok_or("colours are a number from 0 to 3")
    }
}
