//! The caller's terminal: what it is, and when its size changes.

use std::env;
use std::io::{self, IsTerminal as _};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};
use rustix::fd::BorrowedFd;
use rustix::stdio;
use rustix::termios::tcgetwinsize;

use crate::protocol::{CallersTerminal, Stream};
use crate::{ColorSupport, TerminalSize, sys};

/// What the standard streams are connected to.
pub(super) fn describe() -> CallersTerminal {
    CallersTerminal {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
        size: size(),
        stdout_colors: colors(Stream::Stdout),
        stderr_colors: colors(Stream::Stderr),
    }
}

/// The size of the first stream that is a terminal and knows it.
fn size() -> Option<TerminalSize> {
    let streams: [BorrowedFd<'_>; 3] = [stdio::stdout(), stdio::stderr(), stdio::stdin()];
    let sizes = streams.into_iter().filter_map(|stream| tcgetwinsize(stream).ok());
    sizes
        .filter(|size| size.ws_col > 0 && size.ws_row > 0)
        .map(|size| TerminalSize { columns: size.ws_col, rows: size.ws_row })
        .next()
}

/// The colours that an output stream takes, by the caller's environment.
pub(super) fn colors(stream: Stream) -> ColorSupport {
    let is_terminal = match stream {
        Stream::Stdout => io::stdout().is_terminal(),
        Stream::Stderr => io::stderr().is_terminal(),
    };
    let forced =
        anstyle_query::clicolor_force() && env::var_os("CLICOLOR_FORCE").is_some_and(|force| force != "0");
    let wanted = anstyle_query::clicolor() != Some(false) && anstyle_query::term_supports_color();
    if anstyle_query::no_color() || !(forced || is_terminal && wanted) {
        ColorSupport::None
    } else if anstyle_query::truecolor() {
        ColorSupport::TrueColor
    } else if env::var_os("TERM").is_some_and(|term| term.as_encoded_bytes().ends_with(b"256color")) {
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
}

impl Resizes {
    pub(super) fn watch() -> io::Result<Self> {
        let (signals, sender) = UnixStream::pair()?;
        signals.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        sys::write_on_window_change(sender)?;
        Ok(Self { signals })
    }

    pub(super) fn poll(&self) -> PollFd<'_> {
        PollFd::new(&self.signals, PollFlags::IN)
    }

    /// The size after all changes so far.
    pub(super) fn latest(&self) -> Option<TerminalSize> {
        // What the signals were is of no interest, and a full buffer is as good as an empty one: more will come, or not.
        let _ = io::Read::read(&mut &self.signals, &mut [0; 64]);
        size()
    }
}
