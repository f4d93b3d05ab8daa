//! The caller's terminal: what it is, and when its size changes.

use std::env;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};
use rustix::fd::BorrowedFd;
use rustix::stdio;
use rustix::termios::{Winsize, tcgetwinsize};

use crate::protocol::{CallersTerminal, Stream};
use crate::{ColorSupport, TerminalSize, sys};

/// What the standard streams are connected to.
pub(super) fn describe() -> CallersTerminal {
    let (stdout, stderr) = (is_terminal(Stream::Stdout), is_terminal(Stream::Stderr));
    CallersTerminal {
        stdin: io::stdin().is_terminal(),
        stdout,
        stderr,
        size: size(),
        stdout_colors: colors(stdout),
        stderr_colors: colors(stderr),
    }
}

/// The size of the first stream that is a terminal and knows it.
fn size() -> Option<TerminalSize> {
    sizes()
        .filter(|size| size.ws_col > 0 && size.ws_row > 0)
        .map(|size| TerminalSize { columns: size.ws_col, rows: size.ws_row })
        .next()
}

/// What the terminals among the streams say. New ones are often of size 0 for a moment.
fn sizes() -> impl Iterator<Item = Winsize> {
    let streams: [BorrowedFd<'_>; 3] = [stdio::stdout(), stdio::stderr(), stdio::stdin()];
    streams.into_iter().filter_map(|stream| tcgetwinsize(stream).ok())
}

pub(super) fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Stdout => io::stdout().is_terminal(),
        Stream::Stderr => io::stderr().is_terminal(),
    }
}

/// The colours that an output stream takes, by the caller's environment.
pub(super) fn colors(is_terminal: bool) -> ColorSupport {
    // The order in which clap and its like go through the conventions, so that a program has one answer.
    let colored = if anstyle_query::no_color() {
        false
    } else if anstyle_query::clicolor_force() {
        true
    } else {
        let wanted = anstyle_query::clicolor();
        let possible = anstyle_query::term_supports_color() || wanted == Some(true) || anstyle_query::is_ci();
        is_terminal && possible && wanted != Some(false)
    };
    if !colored {
        ColorSupport::None
    } else if anstyle_query::truecolor() {
        ColorSupport::TrueColor
    } else if env::var("TERM").is_ok_and(|term| term.contains("256color")) {
        ColorSupport::Ansi256
    } else {
        ColorSupport::Basic
    }
}

/// Tells when the terminal's size has changed.
#[derive(Debug)]
pub(super) struct Resizes {
    /// Gets a byte with each signal.
    signals: UnixStream,
    sender: UnixStream,
}

impl Resizes {
    /// Begins to watch, if there is a terminal.
    pub(super) fn watch() -> io::Result<Option<Self>> {
        if sizes().next().is_none() {
            return Ok(None);
        }
        let (signals, sender) = UnixStream::pair()?;
        signals.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        sys::write_on_window_change(sender.try_clone()?)?;
        Ok(Some(Self { signals, sender }))
    }

    pub(super) fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.signals, PollFlags::IN)
    }

    /// The size after all changes so far.
    pub(super) fn latest(&self) -> Option<TerminalSize> {
        // Should there be more of them, the next look finds the same size.
        let _ = (&self.signals).read(&mut [0; 64]);
        size()
    }

    /// Has the size told again: to another daemon, which got the one from before.
    pub(super) fn repeat(&self) {
        // No room means that it will be told anyhow.
        let _ = (&self.sender).write(&[0]);
    }
}
