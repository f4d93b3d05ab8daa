//! Colouring source text for a terminal.

mod escape;

use std::path::Path;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use daemon_rpc::ColorSupport;
use escape::escaped;
use syntect::easy::HighlightLines;
use syntect::highlighting::{Theme, ThemeSet};
use syntect::parsing::SyntaxSet;

/// Colours source text.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// The language, by its name or the ending of its files; otherwise each file's name or first line tells.
    #[arg(short, long)]
    pub language: Option<String>,
    /// The colours to use.
    #[arg(short, long, env = "HIGHLIGHT_THEME", default_value = "base16-ocean.dark")]
    pub theme: String,
    /// Lists the themes instead.
    #[arg(long)]
    pub list_themes: bool,
    /// When to colour: by itself it depends on where the output goes.
    #[arg(long, value_name = "WHEN", default_value = "auto", num_args = 0..=1, default_missing_value = "always", require_equals = true)]
    pub color: When,
    /// What to colour; standard input if there are none, or for a `-`.
    pub files: Vec<std::path::PathBuf>,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal that takes colours.
    Auto,
    /// Wherever the output goes.
    Always,
    /// Not at all.
    Never,
}

impl When {
    /// The colours to use, as `ls` decides it.
    #[must_use]
    pub fn colors(self, supported: ColorSupport) -> ColorSupport {
        match self {
            Self::Auto => supported,
            Self::Always => ColorSupport::TrueColor,
            Self::Never => ColorSupport::None,
        }
    }
}

/// Every syntax and every theme there is. Loading them is what makes such a tool slow.
#[derive(Debug)]
pub struct Highlighter {
    syntaxes: SyntaxSet,
    themes: ThemeSet,
}

impl Highlighter {
    /// Loads what comes with `syntect`.
    #[must_use]
    pub fn load() -> Self {
        Self { syntaxes: SyntaxSet::load_defaults_newlines(), themes: ThemeSet::load_defaults() }
    }

    /// The names of all themes.
    pub fn themes(&self) -> impl Iterator<Item = &str> {
        self.themes.themes.keys().map(String::as_str)
    }

    /// What colours one text, whose file name may tell its language.
    ///
    /// # Errors
    ///
    /// When there is no such language or theme.
    pub fn painter(
        &self,
        arguments: &Arguments,
        file: Option<&Path>,
        colors: ColorSupport,
    ) -> anyhow::Result<Painter<'_>> {
        let name = &arguments.theme;
        let theme = self
            .themes
            .themes
            .get(name)
            .with_context(|| format!("there is no theme {name:?}; --list-themes shows them"))?;
        let given = arguments.language.as_deref().map(|language| {
            let syntax = self.syntaxes.find_syntax_by_token(language);
            syntax.with_context(|| format!("there is no language {language:?}"))
        });
        let ending = file.and_then(Path::extension).and_then(|ending| ending.to_str());
        let told = ending.and_then(|ending| self.syntaxes.find_syntax_by_extension(ending));
        let syntax = given.transpose()?.or(told);
        let lines = syntax.map(|syntax| HighlightLines::new(syntax, theme));
        Ok(Painter { syntaxes: &self.syntaxes, theme, colors, lines })
    }
}

/// Colours one text, line by line.
#[expect(missing_debug_implementations, reason = "what it is made of has none")]
pub struct Painter<'a> {
    syntaxes: &'a SyntaxSet,
    theme: &'a Theme,
    colors: ColorSupport,
    /// Where in the language the text is, once that is known.
    lines: Option<HighlightLines<'a>>,
}

impl Painter<'_> {
    /// The next line, coloured. The first one tells the language (`#!/bin/sh`, `<?xml`, a diff, …) if nothing else did.
    ///
    /// # Errors
    ///
    /// When a syntax definition fails on it.
    pub fn paint(&mut self, line: &str) -> anyhow::Result<String> {
        if self.colors == ColorSupport::None {
            return Ok(line.to_owned());
        }
        let lines = self.lines.get_or_insert_with(|| {
            let syntax = self.syntaxes.find_syntax_by_first_line(line);
            HighlightLines::new(syntax.unwrap_or_else(|| self.syntaxes.find_syntax_plain_text()), self.theme)
        });
        Ok(escaped(&lines.highlight_line(line, self.syntaxes)?, self.colors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(text: &str, colors: ColorSupport) -> String {
        let highlighter = Highlighter::load();
        let arguments = Arguments::parse_from(["highlight"]);
        let mut painter = highlighter.painter(&arguments, None, colors).unwrap();
        text.split_inclusive('\n').map(|line| painter.paint(line).unwrap()).collect()
    }

    #[test]
    fn the_first_line_decides_the_language() {
        let script = painted("#!/bin/sh\necho \"hello\" # greet\n", ColorSupport::TrueColor);
        let plain = painted("nothing in particular\necho \"hello\" # greet\n", ColorSupport::TrueColor);
        let colours = |text: &str| text.lines().nth(1).unwrap().matches("\x1b[38;2;").count();
        assert!(colours(&script) > colours(&plain), "{script}\n{plain}");
    }

    #[test]
    fn without_its_colours_the_text_is_what_it_was() {
        let text = "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n";
        assert_eq!(painted(text, ColorSupport::None), text);
        for colors in [ColorSupport::Basic, ColorSupport::Ansi256, ColorSupport::TrueColor] {
            let coloured = painted(text, colors);
            let bare: String = coloured
                .split('\x1b')
                .enumerate()
                .map(|(number, part)| if number == 0 { part } else { part.split_once('m').unwrap().1 })
                .collect();
            assert_eq!(bare, text, "{coloured:?}");
        }
    }
}
