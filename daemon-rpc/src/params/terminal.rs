//! `Terminal`: what the caller's streams are connected to.

use anyhow::Context as _;
use tokio::sync::watch;

use crate::protocol::CallersTerminal;
use crate::{ColorSupport, FromInvocation, Invocation, Needs, TerminalSize};

/// What the caller's standard streams are connected to.
///
/// The size is kept up to date while the command runs. Colours follow the usual conventions, by the caller's environment:
/// `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM`, `COLORTERM`.
///
/// ```
/// use daemon_rpc::ColorSupport;
/// use daemon_rpc::prelude::*;
///
/// async fn rule(terminal: Terminal, mut out: Stdout) -> std::io::Result<()> {
///     let columns = terminal.size().map_or(80, |size| size.columns);
///     let line = "-".repeat(columns.into());
///     let line = match terminal.stdout_colors() {
///         ColorSupport::None => line,
///         _ => format!("\x1b[32m{line}\x1b[0m"),
///     };
///     out.write_all(line.as_bytes()).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// for (terminal, expected) in [(Terminal::of_size(3, 24), "\x1b[32m---\x1b[0m"), (Terminal::none(), &*"-".repeat(80))] {
///     let (out, written) = Stdout::captured();
///     rule(terminal, out).await.unwrap();
///     assert_eq!(written.text(), expected);
/// }
/// # })
/// ```
#[derive(Clone, Debug)]
pub struct Terminal {
    caller: CallersTerminal,
    size: watch::Receiver<Option<TerminalSize>>,
}

impl Terminal {
    /// For the author's own tests: a caller without a terminal.
    #[must_use]
    pub fn none() -> Self {
        Self::unchanging(CallersTerminal::default())
    }

    /// For the author's own tests: a caller whose three streams are a terminal of this size that takes all colours.
    #[must_use]
    pub fn of_size(columns: u16, rows: u16) -> Self {
        Self::unchanging(CallersTerminal {
            stdin: true,
            stdout: true,
            stderr: true,
            size: Some(TerminalSize { columns, rows }),
            stdout_colors: ColorSupport::TrueColor,
            stderr_colors: ColorSupport::TrueColor,
        })
    }

    /// For the author's own tests: the same with a terminal whose size the returned function changes, to columns and rows.
    pub fn resizable(columns: u16, rows: u16) -> (Self, impl Fn(u16, u16) + Send + Sync + 'static) {
        let Self { caller, .. } = Self::of_size(columns, rows);
        let (resize, size) = watch::channel(caller.size);
        let resize = move |columns, rows| {
            resize.send_replace(Some(TerminalSize { columns, rows }));
        };
        (Self { caller, size }, resize)
    }

    /// For the author's own tests: the same, but only these streams are terminals.
    #[must_use]
    pub fn only(mut self, stdin: bool, stdout: bool, stderr: bool) -> Self {
        self.caller = CallersTerminal { stdin, stdout, stderr, ..self.caller };
        let CallersTerminal { stdout_colors, stderr_colors, .. } = self.caller;
        self.colored(stdout_colors, stderr_colors)
    }

    /// For the author's own tests: the same, with these colours on all streams that are terminals.
    #[must_use]
    pub fn with_colors(self, colors: ColorSupport) -> Self {
        self.colored(colors, colors)
    }

    fn colored(mut self, stdout: ColorSupport, stderr: ColorSupport) -> Self {
        self.caller.stdout_colors = if self.caller.stdout { stdout } else { ColorSupport::None };
        self.caller.stderr_colors = if self.caller.stderr { stderr } else { ColorSupport::None };
        self
    }

    fn unchanging(caller: CallersTerminal) -> Self {
        let (_, size) = watch::channel(caller.size);
        Self { caller, size }
    }

    pub(crate) fn description(&self) -> CallersTerminal {
        self.caller
    }

    /// The size, from now on.
    pub(crate) fn follow(&self) -> watch::Receiver<Option<TerminalSize>> {
        self.size.clone()
    }

    /// Whether standard input is a terminal.
    #[must_use]
    pub fn stdin_is_terminal(&self) -> bool {
        self.caller.stdin
    }

    /// Whether standard output is a terminal.
    #[must_use]
    pub fn stdout_is_terminal(&self) -> bool {
        self.caller.stdout
    }

    /// Whether standard error is a terminal.
    #[must_use]
    pub fn stderr_is_terminal(&self) -> bool {
        self.caller.stderr
    }

    /// The colours to use on standard output.
    #[must_use]
    pub fn stdout_colors(&self) -> ColorSupport {
        self.caller.stdout_colors
    }

    /// The colours to use on standard error.
    #[must_use]
    pub fn stderr_colors(&self) -> ColorSupport {
        self.caller.stderr_colors
    }

    /// The terminal's size at this moment: of the first of standard output, error and input that is one.
    #[must_use]
    pub fn size(&self) -> Option<TerminalSize> {
        *self.size.borrow()
    }

    /// Waits until the terminal has another size than when this was last called, or since the command began. `None` once the
    /// command has ended, for tasks that it left behind.
    pub async fn resized(&mut self) -> Option<TerminalSize> {
        self.size.changed().await.ok()?;
        *self.size.borrow_and_update()
    }
}

impl FromInvocation for Terminal {
    const NEEDS: Needs = Needs::TERMINAL;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        let caller = invocation.command.terminal.context("the command came without its terminal")?;
        Ok(Self { caller, size: invocation.size.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_made_by_hand_is_what_was_asked_for() {
        let piped = Terminal::of_size(80, 24).only(true, false, true).with_colors(ColorSupport::Ansi256);
        assert!(piped.stdin_is_terminal() && !piped.stdout_is_terminal() && piped.stderr_is_terminal());
        assert_eq!(
            (piped.stdout_colors(), piped.stderr_colors()),
            (ColorSupport::None, ColorSupport::Ansi256)
        );
    }
}
