//! Colouring source text for a terminal.

use syntect::easy::HighlightLines;
use syntect::highlighting::{Theme, ThemeSet};
use syntect::parsing::{SyntaxReference, SyntaxSet};
use syntect::util::{LinesWithEndings, as_24_bit_terminal_escaped};

const THEME: &str = "base16-ocean.dark";
const RESET: &str = "\x1b[0m";

/// Every syntax there is, and one theme. Loading them is what makes such a tool slow.
#[derive(Debug)]
pub struct Highlighter {
    syntaxes: SyntaxSet,
    theme: Theme,
}

impl Highlighter {
    /// Loads what comes with `syntect`.
    #[must_use]
    pub fn load() -> Self {
        let mut themes = ThemeSet::load_defaults().themes;
        Self {
            syntaxes: SyntaxSet::load_defaults_newlines(),
            theme: themes.remove(THEME).unwrap_or_default(),
        }
    }

    /// The lines of `text`, coloured, in the language that the first of them tells (`#!/bin/sh`, `<?xml`, a diff, …).
    ///
    /// # Errors
    ///
    /// A line on which a syntax definition fails.
    pub fn lines<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Result<String, syntect::Error>> + 'a {
        let mut colours = HighlightLines::new(self.syntax(text), &self.theme);
        LinesWithEndings::from(text).map(move |line| {
            let spans = colours.highlight_line(line, &self.syntaxes)?;
            Ok(as_24_bit_terminal_escaped(&spans, false) + RESET)
        })
    }

    fn syntax(&self, text: &str) -> &SyntaxReference {
        let first = text.lines().next().unwrap_or_default();
        self.syntaxes
            .find_syntax_by_first_line(first)
            .unwrap_or_else(|| self.syntaxes.find_syntax_plain_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coloured(text: &str) -> String {
        Highlighter::load().lines(text).map(Result::unwrap).collect()
    }

    #[test]
    fn the_first_line_decides_the_language() {
        let script = coloured("#!/bin/sh\necho \"hello\" # greet\n");
        let plain = coloured("nothing in particular\necho \"hello\" # greet\n");
        let colours = |text: &str| text.lines().nth(1).unwrap().matches("\x1b[38;2;").count();
        assert!(colours(&script) > colours(&plain), "{script}\n{plain}");
    }

    #[test]
    fn without_its_colours_the_text_is_what_it_was() {
        let text = "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n";
        let coloured = coloured(text);
        let bare: String = coloured
            .split('\x1b')
            .enumerate()
            .map(|(number, part)| if number == 0 { part } else { part.split_once('m').unwrap().1 })
            .collect();
        assert_eq!(bare, text);
    }
}
