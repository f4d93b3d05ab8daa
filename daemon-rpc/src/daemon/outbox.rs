//! What goes to one client: frames, whole and in order, written by whoever has something to say.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};

use tokio::runtime;
use tokio::sync::Notify;
use tokio::task::coop::{self, RestoreOnPending};

use super::socket::Socket;
use crate::fault;
use crate::invocation::Output;
use crate::limits::{SHORT_CHUNK, UNCOUNTED_CHUNKS};
use crate::protocol::{Message, Stream, chunk_header};
use crate::retry::may_retry;

/// The way to one client.
///
/// A handler writes to the socket itself, from its own thread, and waits there for room. What is left of a chunk that the socket has taken
/// in part waits here until the control plane has sent it; until then the handler is held back.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Goes with the session, whatever tasks a handler has left behind with its output.
    socket: Weak<Socket>,
    chunk_size: usize,
    /// Where who waits for room is told of it.
    control: runtime::Handle,
    queue: Mutex<Queue>,
    writers: Arc<Writers>,
    /// Tells the control plane that there is something to send, or that nothing more will come.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    unsent: Vec<u8>,
    /// Wakes who will pump, while nobody does.
    pump: Option<Waker>,
    /// A handler has asked for room, and nobody knows of any yet.
    awaits_room: bool,
    /// How many short chunks have been sent since the last that counted as one of a handler's turn.
    uncounted: usize,
    /// The last frame has been queued.
    finished: bool,
    /// Nobody receives any more.
    closed: bool,
}

/// Handlers that are held back.
#[derive(Debug, Default)]
struct Writers(Mutex<Vec<Waker>>);

impl Writers {
    fn add(&self, writer: &Waker) {
        let mut writers = self.waiting();
        if !writers.iter().any(|waker| waker.will_wake(writer)) {
            writers.push(writer.clone());
        }
    }

    fn wake_all(&self) {
        let waiting = std::mem::take(&mut *self.waiting());
        waiting.into_iter().for_each(Waker::wake);
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For when there is room: the system tells one.
impl Wake for Writers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

/// What became of what was to be sent.
enum Sent {
    All { finished: bool },
    NoRoom,
}

impl Outbox {
    pub(super) fn new(socket: &Arc<Socket>, chunk_size: usize, control: &runtime::Handle) -> Self {
        let (socket, control) = (Arc::downgrade(socket), control.clone());
        let (queue, writers, changed) = Default::default();
        Self { socket, chunk_size, control, queue, writers, changed }
    }

    /// Has somebody called to [`pump`](Self::pump) as soon as that is needed.
    pub(super) fn call_if_unsent(&self, pump: &Waker) {
        self.queue().pump = Some(pump.clone());
    }

    /// Sends what handlers had to leave, until the last frame is out.
    pub(super) async fn pump(&self) -> io::Result<()> {
        self.queue().pump = None;
        loop {
            match self.send_unsent()? {
                Sent::All { finished: true } => return Ok(()),
                Sent::All { finished: false } => self.changed.notified().await,
                Sent::NoRoom => self.socket()?.room(&self.control).await?,
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
        // Tasks that the handler has left behind.
        self.writers.wake_all();
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
        drop(queue);
        self.writers.wake_all();
    }

    /// Sends a frame as far as the socket has room, and queues the rest of it.
    fn send_or_queue(&self, queue: &mut Queue, header: &[u8], body: &[u8]) -> io::Result<()> {
        let sent = if queue.unsent.is_empty() { Self::send_now(&*self.socket()?, header, body)? } else { 0 };
        self.queue_rest(queue, header, body, sent);
        Ok(())
    }

    fn queue_rest(&self, queue: &mut Queue, header: &[u8], body: &[u8], sent: usize) {
        if sent < header.len() + body.len() {
            queue.unsent.extend_from_slice(header.get(sent..).unwrap_or_default());
            queue.unsent.extend_from_slice(body.get(sent.saturating_sub(header.len())..).unwrap_or_default());
            self.changed.notify_one();
            queue.pump.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Sends a frame as soon as there is any room, and queues what is left of it then.
    fn poll_send(
        &self,
        context: &mut Context<'_>,
        queue: &mut Queue,
        header: &[u8],
        body: &[u8],
    ) -> Poll<io::Result<()>> {
        let socket = self.socket()?;
        loop {
            if queue.awaits_room
                && let Some(room) = socket.asked()
            {
                self.writers.add(context.waker());
                let writers = Waker::from(Arc::clone(&self.writers));
                ready!(room.poll_told(&mut Context::from_waker(&writers)))?;
                queue.awaits_room = false;
            }
            let sent = Self::send_now(&socket, header, body)?;
            // Where nobody can tell of room, all of it is queued.
            if sent > 0 || socket.ask_for_room(&self.control).is_err() {
                self.queue_rest(queue, header, body, sent);
                return Poll::Ready(Ok(()));
            }
            queue.awaits_room = true;
        }
    }

    /// Sends what there is room for, and says how many bytes that was.
    fn send_now(socket: &Socket, header: &[u8], body: &[u8]) -> io::Result<usize> {
        let ready = fault::at("output").map_err(io::Error::from);
        match ready.and_then(|()| socket.try_send_both(header, body)) {
            Err(error) if may_retry(&error) => Ok(0),
            sent => sent,
        }
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
        // Else a handler might wait to be told of what has been used.
        queue.awaits_room = false;
        let finished = queue.finished;
        drop(queue);
        self.writers.wake_all();
        Ok(Sent::All { finished })
    }

    /// Ready when everything has been sent and more may come. After the command's end nothing may, from tasks that it left
    /// behind.
    fn poll_empty(&self, queue: &Queue, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if queue.closed || queue.finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if queue.unsent.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.writers.add(context.waker());
        Poll::Pending
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
        let mut queue = self.queue();
        ready!(self.poll_empty(&queue, context))?;
        let chunk = bytes.get(..self.chunk_size).unwrap_or(bytes);
        if chunk.is_empty() {
            return Poll::Ready(Ok(0));
        }
        // A handler that writes without end must let others have their turn. That wakes another thread, so many short chunks count as one.
        let counts = chunk.len() > SHORT_CHUNK || queue.uncounted == UNCOUNTED_CHUNKS;
        let turn = if counts { Some(ready!(coop::poll_proceed(context))) } else { None };
        let header = chunk_header(stream, chunk.len());
        ready!(self.poll_send(context, &mut queue, &header, chunk))?;
        queue.uncounted = if counts { 0 } else { queue.uncounted + 1 };
        turn.iter().for_each(RestoreOnPending::made_progress);
        Poll::Ready(Ok(chunk.len()))
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_empty(&self.queue(), context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;
    use std::thread;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const CHUNK: usize = 1000;
    const DEADLINE: Duration = Duration::from_secs(60);

    fn outbox() -> (Arc<Socket>, Outbox, UnixStream) {
        let (client, daemon) = UnixStream::pair().unwrap();
        daemon.set_nonblocking(true).unwrap();
        let socket = Arc::new(Socket::new(daemon.into()));
        let outbox = Outbox::new(&socket, CHUNK, &runtime::Handle::current());
        (socket, outbox, client)
    }

    async fn write(outbox: &Outbox) -> io::Result<usize> {
        let write = poll_fn(|context| outbox.poll_write(context, Stream::Stdout, &[b'x'; CHUNK]));
        timeout(DEADLINE, write).await.expect("it isn't held back for ever")
    }

    /// How many chunks there is room for.
    async fn fill(outbox: &Outbox) -> usize {
        let mut written = 0;
        while coop::unconstrained(poll_fn(|context| {
            let written = outbox.poll_write(context, Stream::Stdout, &[b'x'; CHUNK]);
            Poll::Ready(written.is_ready())
        }))
        .await
        {
            written += 1;
        }
        written
    }

    #[tokio::test]
    async fn a_handler_is_told_of_room_that_others_have_used_meanwhile() {
        let (socket, outbox, mut client) = outbox();
        let written = fill(&outbox).await;
        // It finds no room either, and is the control plane's to send.
        outbox.send_control(&Message::Loading);
        let reader = thread::spawn(move || {
            let mut all = Vec::new();
            client.read_to_end(&mut all).map(|_| all.len())
        });
        let chunk = tokio::select! {
            chunk = write(&outbox) => chunk,
            sent = outbox.pump() => panic!("it doesn't end: {sent:?}"),
        };
        assert_eq!(chunk.unwrap(), CHUNK);
        drop((outbox, socket));
        let frames = (written + 1) * (CHUNK + chunk_header(Stream::Stdout, CHUNK).len());
        assert_eq!(reader.join().unwrap().unwrap(), frames + Message::Loading.encode().len());
    }

    #[tokio::test]
    async fn two_handlers_that_wait_for_room_both_go_on() {
        let (socket, outbox, mut client) = outbox();
        fill(&outbox).await;
        let reader = thread::spawn(move || client.read_to_end(&mut Vec::new()));
        let (first, second) = tokio::join!(write(&outbox), write(&outbox));
        assert_eq!((first.unwrap(), second.unwrap()), (CHUNK, CHUNK));
        drop((outbox, socket));
        assert!(reader.join().unwrap().is_ok());
    }

    #[tokio::test]
    async fn one_that_waits_for_room_is_told_that_nobody_reads_any_more() {
        for end in [Outbox::close, |outbox: &Outbox| outbox.finish(Some(Vec::new()))] {
            let (_socket, outbox, _client) = outbox();
            fill(&outbox).await;
            let (written, ()) = tokio::join!(write(&outbox), async { end(&outbox) });
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }
}
