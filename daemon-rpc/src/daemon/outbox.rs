//! What goes to one client: frames, whole and in order, written by whoever has something to say.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;
use tokio::task::coop;

use super::socket::Socket;
use crate::fault;
use crate::invocation::Output;
use crate::protocol::{Message, Stream, chunk_header};
use crate::retry::may_retry;

/// The way to one client.
///
/// A handler writes to the socket itself, from its own thread. What the socket has no room for waits here, at most one
/// chunk, until the control plane has sent it; until then the handler is held back.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Goes with the session, whatever tasks a handler has left behind with its output.
    socket: Weak<Socket>,
    chunk_size: usize,
    queue: Mutex<Queue>,
    /// Tells the control plane that there is something to send, or that nothing more will come.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    unsent: Vec<u8>,
    /// Handlers that wait for `unsent` to be sent.
    waiting: Vec<Waker>,
    /// The last frame has been queued.
    finished: bool,
    /// Nobody receives any more.
    closed: bool,
}

/// What became of what was to be sent.
enum Sent {
    All { finished: bool },
    NoRoom,
}

impl Outbox {
    pub(super) fn new(socket: &Arc<Socket>, chunk_size: usize) -> Self {
        Self { socket: Arc::downgrade(socket), chunk_size, queue: Mutex::default(), changed: Notify::new() }
    }

    /// Sends what handlers had to leave, until the last frame is out.
    pub(super) async fn pump(&self) -> io::Result<()> {
        loop {
            match self.send_unsent()? {
                Sent::All { finished: true } => return Ok(()),
                Sent::All { finished: false } => self.changed.notified().await,
                Sent::NoRoom => self.socket()?.room().await?,
            }
        }
    }

    /// Whether the last frame is out.
    pub(super) fn is_delivered(&self) -> bool {
        let queue = self.queue();
        queue.finished && queue.unsent.is_empty()
    }

    /// Sends the last frames behind all output, if there are any.
    pub(super) fn finish(&self, frames: Option<Vec<u8>>) {
        let Some(frames) = frames else { return };
        let mut queue = self.queue();
        if !queue.finished && !queue.closed {
            queue.finished = true;
            // An error means that the client has gone, which the control plane notices by itself.
            let _ = self.send_or_queue(&mut queue, &[], &frames);
        }
        drop(queue);
        self.changed.notify_one();
    }

    /// Sends a message of the framework's own, at once or behind what waits. Only for what is short and rare, since nobody is
    /// held back.
    pub(super) fn send_control(&self, message: &Message) {
        let mut queue = self.queue();
        if !queue.finished && !queue.closed {
            // An error means that the client has gone, which the control plane notices by itself.
            let _ = self.send_or_queue(&mut queue, &[], &message.encode());
        }
    }

    /// Sends all of this if nothing waits before it, and says whether it did.
    #[cfg(feature = "forward-logs")]
    pub(super) fn try_send(&self, stream: Stream, bytes: &[u8]) -> bool {
        let mut queue = self.queue();
        if queue.finished || queue.closed || !queue.unsent.is_empty() {
            return false;
        }
        let chunks = bytes.chunks(self.chunk_size);
        let frames: Vec<u8> =
            chunks.flat_map(|chunk| [&chunk_header(stream, chunk.len())[..], chunk].concat()).collect();
        self.send_or_queue(&mut queue, &[], &frames).is_ok()
    }

    /// Has every write fail from now on: the client has gone.
    pub(super) fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.unsent = Vec::new();
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Sends a frame as far as the socket has room, and queues the rest of it.
    fn send_or_queue(&self, queue: &mut Queue, header: &[u8], body: &[u8]) -> io::Result<()> {
        let left = if queue.unsent.is_empty() {
            Self::send_now(&*self.socket()?, (header, body))?
        } else {
            (header, body)
        };
        let (header, body) = left;
        if !header.is_empty() || !body.is_empty() {
            queue.unsent.extend_from_slice(header);
            queue.unsent.extend_from_slice(body);
            self.changed.notify_one();
        }
        Ok(())
    }

    /// What is left of a frame when what there is room for has been sent.
    fn send_now<'a>(
        socket: &Socket,
        (header, body): (&'a [u8], &'a [u8]),
    ) -> io::Result<(&'a [u8], &'a [u8])> {
        let ready = fault::at("output").map_err(io::Error::from);
        let sent = match ready.and_then(|()| socket.try_send_both(header, body)) {
            Err(error) if may_retry(&error) => 0,
            sent => sent?,
        };
        let header_left = header.get(sent..).unwrap_or_default();
        let body_left = body.get(sent.saturating_sub(header.len())..).unwrap_or_default();
        Ok((header_left, body_left))
    }

    fn send_unsent(&self) -> io::Result<Sent> {
        let socket = self.socket()?;
        let mut queue = self.queue();
        while !queue.unsent.is_empty() {
            match socket.try_send(&queue.unsent) {
                Ok(count) => drop(queue.unsent.drain(..count)),
                Err(error) if may_retry(&error) => return Ok(Sent::NoRoom),
                Err(error) => return Err(error),
            }
        }
        let waiting = std::mem::take(&mut queue.waiting);
        let finished = queue.finished;
        drop(queue);
        waiting.into_iter().for_each(Waker::wake);
        Ok(Sent::All { finished })
    }

    fn socket(&self) -> io::Result<Arc<Socket>> {
        self.socket.upgrade().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole between any two statements, so a panic elsewhere is no reason to give it up.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output for Outbox {
    fn poll_write(&self, context: &mut Context<'_>, stream: Stream, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // A handler that writes without end must let others have their turn.
        let turn = std::task::ready!(coop::poll_proceed(context));
        let mut queue = self.queue();
        std::task::ready!(queue.poll_empty(context))?;
        let chunk = bytes.get(..self.chunk_size).unwrap_or(bytes);
        if chunk.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let header = chunk_header(stream, chunk.len());
        turn.made_progress();
        Poll::Ready(self.send_or_queue(&mut queue, &header, chunk).map(|()| chunk.len()))
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.queue().poll_empty(context)
    }
}

impl Queue {
    /// Ready when everything has been sent and more may come. After the command's end nothing may, from tasks that it left
    /// behind.
    fn poll_empty(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closed || self.finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.unsent.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if !self.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            self.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}
