//! Standard input, passed on while the handler reads it.

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, read};
use rustix::stdio::stdin;

use super::ClientError;
use super::connection::{Connection, peer_is_gone};
use crate::limits::INPUT_CHUNK;
use crate::protocol::{FRAME_HEADER, Message, input_chunk_header};

/// What of standard input the daemon wants.
#[derive(Debug, Default)]
pub(super) struct StreamedInput {
    /// How many more bytes it takes.
    window: usize,
    ended: bool,
    /// One frame.
    frame: Vec<u8>,
}

impl StreamedInput {
    /// What is left of an input that has ended: this process's own isn't read.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn at_its_end() -> Self {
        Self { ended: true, ..Self::default() }
    }

    /// Takes what the daemon has granted.
    pub(super) fn grant(&mut self, bytes: u32) {
        self.window = self.window.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// What to wait for, if anything is wanted. Until then the input belongs to others.
    pub(super) fn poll_fd(&self) -> Option<PollFd<'static>> {
        (self.window > 0 && !self.ended).then(|| PollFd::from_borrowed_fd(stdin(), PollFlags::IN))
    }

    /// Passes on what there is, once.
    pub(super) fn pass_on(&mut self, daemon: &Connection) -> Result<(), ClientError> {
        self.frame.resize(FRAME_HEADER + INPUT_CHUNK, 0);
        let (header, body) = self.frame.split_at_mut(FRAME_HEADER);
        let room = body.len().min(self.window);
        let count = match read(stdin(), body.get_mut(..room).unwrap_or_default()) {
            Ok(count) => count,
            // Whoever shares the caller's terminal or pipe may have taken what there was.
            Err(Errno::INTR | Errno::AGAIN) => return Ok(()),
            Err(error) => return Err(ClientError::Stdin { source: error.into() }),
        };
        self.window -= count;
        self.ended = count == 0;
        let sent = if self.ended {
            daemon.send(&Message::InputEnd.encode())
        } else {
            header.copy_from_slice(&input_chunk_header(count));
            daemon.send(self.frame.get(..FRAME_HEADER + count).unwrap_or_default())
        };
        match sent {
            // The command may have ended by itself, which is still to be read.
            Err(error) if peer_is_gone(&error) => self.ended = true,
            Err(source) => return Err(ClientError::Connection { source }),
            Ok(()) => {}
        }
        Ok(())
    }
}
