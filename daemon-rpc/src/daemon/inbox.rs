//! What one client sends of its standard input, on its way to the handler.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::outbox::Outbox;
use crate::invocation::Input;
use crate::limits::INPUT_WINDOW;
use crate::protocol::{Message, ProtocolError};

/// Holds at most one window of input, what the handler is working on included.
#[derive(Debug)]
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    /// Takes the grants to the client.
    outbox: Arc<Outbox>,
}

#[derive(Debug, Default)]
struct Queue {
    /// What has come and the handler hasn't taken.
    bytes: Vec<u8>,
    /// How much more the client may send.
    granted: usize,
    /// How much the handler has used up since the last grant.
    used: usize,
    /// The handler has read before.
    begun: bool,
    end: Option<End>,
    waiting: Option<Waker>,
}

/// Why nothing more comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    OfInput,
    CallerGone,
    DaemonEnds,
}

impl Inbox {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self { queue: Mutex::default(), outbox }
    }

    /// Takes what the client has sent, which with the rest of the same chunk, `awaited` bytes, must be within what it was granted.
    pub(super) fn push(&self, chunk: &[u8], awaited: usize) -> Result<(), ProtocolError> {
        let mut queue = self.queue();
        if queue.granted < chunk.len() + awaited {
            return Err(ProtocolError::Unexpected("InputChunk"));
        }
        match queue.end {
            None => queue.granted -= chunk.len(),
            Some(End::OfInput) => return Err(ProtocolError::Unexpected("InputChunk")),
            // It was on its way.
            Some(End::CallerGone | End::DaemonEnds) => return Ok(()),
        }
        queue.bytes.extend_from_slice(chunk);
        queue.wake();
        Ok(())
    }

    /// The client's input has ended.
    pub(super) fn end(&self) -> Result<(), ProtocolError> {
        let mut queue = self.queue();
        match queue.end {
            None if queue.begun => queue.end = Some(End::OfInput),
            None | Some(End::OfInput) => return Err(ProtocolError::Unexpected("InputEnd")),
            Some(End::CallerGone | End::DaemonEnds) => {}
        }
        queue.wake();
        Ok(())
    }

    /// Nothing more will come, for this reason if the input wasn't at its end already.
    pub(super) fn close(&self, end: End) {
        let mut queue = self.queue();
        queue.end.get_or_insert(end);
        queue.wake();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Between any two statements the queue is whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Input for Inbox {
    fn poll_fill(&self, context: &mut Context<'_>, bytes: &mut Vec<u8>) -> Poll<io::Result<()>> {
        let mut queue = self.queue();
        queue.used += bytes.len();
        bytes.clear();
        let grant = queue.grant();
        let filled = queue.poll_fill(context, bytes);
        drop(queue);
        if let Some(grant) = grant {
            self.outbox.send_control(&Message::InputWindow(grant));
        }
        filled
    }
}

impl Queue {
    /// What to grant now. Many small grants would only cost messages.
    fn grant(&mut self) -> Option<u32> {
        if self.end.is_some() {
            return None;
        }
        let first = !std::mem::replace(&mut self.begun, true);
        let grant = if first { INPUT_WINDOW } else { self.used };
        if !first && grant < INPUT_WINDOW / 4 {
            return None;
        }
        self.used = 0;
        self.granted += grant;
        u32::try_from(grant).ok()
    }

    fn poll_fill(&mut self, context: &mut Context<'_>, bytes: &mut Vec<u8>) -> Poll<io::Result<()>> {
        match self.end {
            // What came before is of no use to anybody.
            Some(End::CallerGone) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(End::DaemonEnds) => Poll::Ready(Err(io::Error::other("the daemon has to end"))),
            _ if !self.bytes.is_empty() => {
                // The handler's buffer takes the place of this one, so that neither is allocated anew.
                std::mem::swap(&mut self.bytes, bytes);
                Poll::Ready(Ok(()))
            }
            Some(End::OfInput) => Poll::Ready(Ok(())),
            None => {
                self.waiting = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn wake(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }
}
