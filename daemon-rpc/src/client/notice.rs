//! What an impatient user reads while the application loads.

use super::output::CallersStream;
use super::terminal::is_terminal;
use crate::app::Program;
use crate::protocol::Stream;

/// Back to the beginning of the line, and it cleared.
const ERASE: &[u8] = b"\r\x1b[K";

/// A line on the terminal that goes as soon as there is anything else to show. Where there is no terminal, nothing is.
#[derive(Debug, Default)]
pub(super) struct Notice {
    given: bool,
}

impl Notice {
    pub(super) fn give(&mut self, stderr: &CallersStream, program: &Program) {
        if is_terminal(Stream::Stderr) {
            // A terminal that can't take it back keeps it, on a line of its own.
            let stays = !anstyle_query::term_supports_ansi_color();
            let end = if stays { "\n" } else { "" };
            let written = stderr.write_all(format!("{}: loading…{end}", program.name).as_bytes());
            self.given = written.is_ok() && !stays;
        }
    }

    pub(super) fn take_back(&mut self, stderr: &CallersStream) {
        if std::mem::take(&mut self.given) {
            // A terminal that is gone shows nothing any more.
            let _ = stderr.write_all(ERASE);
        }
    }
}
