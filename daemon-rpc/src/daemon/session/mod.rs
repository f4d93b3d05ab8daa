//! One client: handshake, its command, and what comes back, until either side has done.

mod running;

use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::coop;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::command::{Claim, Handler, Work, carry_out};
use super::inbox::{End, Inbox};
use super::outbox::Outbox;
use super::socket::Socket;
use super::tally::Entry;
use super::{Daemon, Load, command};
use crate::instance::own_uid;
use crate::invocation::LoadedState;
use crate::limits::{
    ABORT_LIMIT, BODY_OVERHEAD, COMMAND_TIMEOUT, CROWDED_PATIENCE, FIRST_RECEIVE, INPUT_WINDOW,
    LOADING_NOTICE, MAX_VERSION_CHECK,
};
use crate::protocol::{Command, FrameReader, Message, ProtocolError, StatusRequest};
use crate::retry::may_retry;
use crate::{Invocation, TerminalSize, fault};

pub(super) use running::Running;

/// Serves one client from its first byte to its last, of which the first have been `received`.
pub(super) async fn serve(daemon: Arc<Daemon>, socket: Socket, received: BytesMut) -> Visit {
    let session = Session { daemon, socket: Arc::new(socket) };
    note(session.run(received).await)
}

/// Tells one client that there is no room for it.
pub(super) async fn turn_away(daemon: Arc<Daemon>, socket: Socket, received: BytesMut) -> Visit {
    let session = Session { daemon, socket: Arc::new(socket) };
    note(session.turn_away(received).await)
}

fn note(ended: Result<Visit, SessionError>) -> Visit {
    ended.unwrap_or_else(|error| {
        note_end(&error);
        Visit::Caller
    })
}

fn note_end(error: &SessionError) {
    debug!(error = error as &dyn std::error::Error, "ended a connection");
}

/// Who has been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// Somebody with a command.
    Caller,
    /// Somebody who only wanted to know how the daemon is. It is as idle as before.
    Observer,
}

/// Why a session ended before its command did.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error("the peer belongs to user {0}")]
    PeerOfAnother(u32),
    #[error("the peer said nothing in time")]
    Silent,
    #[error("the peer has closed")]
    Closed,
    #[error("the peer is of build {0}")]
    OtherBuild(String),
    #[error("the peer doesn't speak this protocol")]
    Protocol(#[from] ProtocolError),
    #[error("the command's input is over the limit")]
    CommandTooLong,
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

struct Session {
    daemon: Arc<Daemon>,
    /// Its only owner, so that the connection ends with the session.
    socket: Arc<Socket>,
}

/// What a command needs before it can run.
struct Ready {
    entry: Entry,
    state: LoadedState,
    turn: OwnedSemaphorePermit,
}

/// What a session and its command's handler have in common.
struct Links {
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    has_terminal: bool,
    resize: watch::Sender<Option<TerminalSize>>,
    claim: Arc<Claim>,
    cancellation: CancellationToken,
}

impl Links {
    /// For tasks that the handler has left behind.
    fn end(&self) {
        self.inbox.close(End::CallerGone);
        self.cancellation.cancel();
    }
}

/// Why a command has to end before its handler does.
#[derive(Debug)]
enum Interruption {
    CallerGone,
    DaemonEnds,
}

impl Session {
    async fn run(&self, received: BytesMut) -> Result<Visit, SessionError> {
        let mut reader = FrameReader::of(received, MAX_VERSION_CHECK);
        let hurried = async {
            self.daemon.crowded.notified().await;
            sleep(CROWDED_PATIENCE).await;
        };
        if let Some(request) = self.meet(&mut reader, hurried).await? {
            return Ok(self.answer_observer(request, &mut reader).await);
        }
        self.serve_caller(reader).await.map(|()| Visit::Caller)
    }

    async fn turn_away(&self, received: BytesMut) -> Result<Visit, SessionError> {
        // Not without having met: clients of other builds have this daemon retire, however busy it is.
        let mut reader = FrameReader::of(received, MAX_VERSION_CHECK);
        if let Some(request) = self.meet(&mut reader, sleep(CROWDED_PATIENCE)).await? {
            return Ok(self.answer_observer(request, &mut reader).await);
        }
        self.send(&Message::Busy).await.map(|()| Visit::Caller)
    }

    async fn serve_caller(&self, mut reader: FrameReader) -> Result<(), SessionError> {
        let command = match self.request(&mut reader).await? {
            Some(Message::Command(command)) => command,
            // It has just started this daemon, for an operator.
            Some(Message::StatusRequest(request)) => return self.tell_status(request, &mut reader).await,
            Some(other) => return Err(ProtocolError::Unexpected(other.name()).into()),
            None => return self.refuse().await,
        };

        let links = self.link(&command);
        let ready = select! {
            biased;
            ready = self.ready() => ready?,
            gone = self.listen(&mut reader, &links) => return Err(gone),
        };
        let Some(ready) = ready else {
            return self.refuse().await;
        };
        let number = ready.entry.number;
        let work = carry_out(self.work(&links, command, ready), Arc::clone(&links.outbox));
        let handler = Handler::Spawned(self.daemon.handlers.spawn(work));
        self.see_through(number, handler, &links, &mut reader).await
    }

    fn link(&self, command: &Command) -> Links {
        let Daemon { settings, control, .. } = &*self.daemon;
        let outbox = Arc::new(Outbox::new(&self.socket, settings.chunk_size, control));
        Links {
            inbox: Arc::new(Inbox::new(Arc::clone(&outbox))),
            outbox,
            has_terminal: command.terminal.is_some(),
            resize: watch::Sender::new(command.terminal.and_then(|terminal| terminal.size)),
            claim: Arc::default(),
            cancellation: CancellationToken::new(),
        }
    }

    /// What the handler has to do.
    fn work(&self, links: &Links, command: Command, Ready { entry, state, turn }: Ready) -> Work {
        let invocation = Invocation {
            command,
            input: Arc::clone(&links.inbox) as _,
            output: Arc::clone(&links.outbox) as _,
            size: links.resize.subscribe(),
            state,
            cancellation: links.cancellation.clone(),
        };
        let (claim, outbox) = (Arc::clone(&links.claim), Arc::clone(&links.outbox));
        Box::pin(command::run(claim, entry, Arc::clone(&self.daemon.handler), invocation, outbox, turn))
    }

    /// Finds out who has come, and whether it is only for a question. That may last as long as a handshake may, or until `hurried`
    /// ends.
    async fn meet(
        &self,
        reader: &mut FrameReader,
        hurried: impl Future<Output = ()>,
    ) -> Result<Option<StatusRequest>, SessionError> {
        fault::passing("handshake");
        self.check_user()?;
        select! {
            biased;
            met = timeout(self.daemon.settings.handshake_timeout, self.handshake(reader)) => {
                met.map_err(|_| SessionError::Silent)?
            }
            () = hurried => Err(SessionError::Silent),
        }
    }

    /// The socket's mode keeps others out already; this holds where the mode doesn't count.
    fn check_user(&self) -> Result<(), SessionError> {
        match self.socket.peer_uid()? {
            uid if uid == own_uid() => Ok(()),
            uid => Err(SessionError::PeerOfAnother(uid)),
        }
    }

    async fn handshake(&self, reader: &mut FrameReader) -> Result<Option<StatusRequest>, SessionError> {
        match self.next_message(reader).await? {
            Message::VersionCheck(theirs) => {
                self.send_frame(&self.daemon.greeting).await?;
                if theirs == self.daemon.version {
                    Ok(None)
                } else {
                    Err(SessionError::OtherBuild(theirs.build))
                }
            }
            Message::StatusRequest(request) => Ok(Some(request)),
            other => Err(ProtocolError::Unexpected(other.name()).into()),
        }
    }

    /// Whether or not he waits for the answer, he is none who keeps a daemon busy.
    async fn answer_observer(&self, request: StatusRequest, reader: &mut FrameReader) -> Visit {
        if let Err(error) = self.tell_status(request, reader).await {
            note_end(&error);
        }
        Visit::Observer
    }

    async fn tell_status(
        &self,
        request: StatusRequest,
        reader: &mut FrameReader,
    ) -> Result<(), SessionError> {
        if request.when_loaded {
            select! {
                () = self.loading_has_ended() => {}
                // Nothing is to come but the end.
                said = self.next_message(reader) => {
                    return said.and_then(|message| Err(ProtocolError::Unexpected(message.name()).into()));
                }
            }
            if let Some(error) = self.load_error() {
                return self.send(&Message::NotLoaded(error)).await;
            }
        }
        self.send(&Message::StatusReply(self.daemon.status())).await
    }

    /// What the client wants, or `None` when that came too late.
    async fn request(&self, reader: &mut FrameReader) -> Result<Option<Message>, SessionError> {
        reader.set_body_limit(self.daemon.longest_command());
        let message = select! {
            () = self.daemon.retiring.cancelled() => return Ok(None),
            message = timeout(COMMAND_TIMEOUT, self.next_message(reader)) => match message {
                Ok(message) => message?,
                Err(_) => return Ok(None),
            },
        };
        if let Message::Command(command) = &message
            && command.input_length() > self.daemon.settings.max_command
        {
            return Err(SessionError::CommandTooLong);
        }
        reader.set_body_limit(INPUT_WINDOW + BODY_OVERHEAD);
        Ok(Some(message))
    }

    /// Tells the client that its command won't be run here, and why.
    async fn refuse(&self) -> Result<(), SessionError> {
        self.send(&self.load_error().map_or(Message::NotRun, Message::NotLoaded)).await
    }

    /// Why the application's state couldn't be loaded, if it couldn't.
    fn load_error(&self) -> Option<String> {
        match &*self.daemon.state.borrow() {
            Load::Failed(error) => Some(error.clone()),
            Load::Running | Load::Done(_) => None,
        }
    }

    /// Takes what the client goes on to say after its command, until it has closed or died, or says what it mustn't.
    async fn listen(&self, reader: &mut FrameReader, links: &Links) -> SessionError {
        let Links { inbox, has_terminal, resize, .. } = links;
        let heard = async {
            loop {
                match self.next_message(reader).await? {
                    Message::InputChunk(chunk) => inbox.push(&chunk, reader.awaited())?,
                    Message::InputEnd => inbox.end()?,
                    Message::TerminalSize(size) if *has_terminal => {
                        resize.send_if_modified(|known| known.replace(size) != Some(size));
                    }
                    other => return Err(ProtocolError::Unexpected(other.name()).into()),
                }
            }
        };
        let Err::<std::convert::Infallible, _>(gone) = heard.await;
        if let SessionError::Protocol(error) = &gone {
            warn!(
                error = error as &dyn std::error::Error,
                "a client went on after its command, against the protocol"
            );
        }
        gone
    }

    /// Waits for the application's state and for the command's turn. `None` when the daemon retires before they come, or the
    /// state can't be loaded.
    async fn ready(&self) -> Result<Option<Ready>, SessionError> {
        let entry = self.daemon.tally.enter();
        let ready = async {
            // First, so that the order in which they came holds for those who wait for the state too. The semaphore is never closed.
            let turn = Arc::clone(&self.daemon.turns).acquire_owned().await.ok();
            let state = self.state().await?;
            Ok(turn.zip(state).map(|(turn, state)| Ready { entry, state, turn }))
        };
        select! {
            biased;
            ready = ready => ready,
            () = self.daemon.retiring.cancelled() => Ok(None),
        }
    }

    async fn state(&self) -> Result<Option<LoadedState>, SessionError> {
        let mut loading_has_ended = pin!(self.loading_has_ended());
        select! {
            biased;
            () = &mut loading_has_ended => {}
            () = sleep(LOADING_NOTICE) => {
                self.send(&Message::Loading).await?;
                loading_has_ended.await;
            }
        }
        Ok(self.daemon.loaded())
    }

    async fn loading_has_ended(&self) {
        let mut state = self.daemon.state.clone();
        // It fails if nothing will be loaded any more, which is as much of an end.
        let _ = state.wait_for(|state| !matches!(state, Load::Running)).await;
    }

    /// Waits until the handler has ended and its caller knows, or it has to be interrupted. A command that no handler has begun when the
    /// daemon retires is left to the next.
    async fn see_through(
        &self,
        number: u64,
        mut handler: Handler,
        links: &Links,
        reader: &mut FrameReader,
    ) -> Result<(), SessionError> {
        let Links { inbox, outbox, claim, cancellation, .. } = links;
        let mut caller_gone = pin!(self.listen(reader, links));
        let interruption = select! {
            // A client that has got all goes, which is no reason to cancel anything.
            biased;
            delivered = outbox.pump() => match delivered {
                Ok(()) => {
                    links.end();
                    return Ok(());
                }
                Err(_) => Interruption::CallerGone,
            },
            _ = &mut caller_gone => Interruption::CallerGone,
            () = self.taken_back(claim) => return self.refuse().await,
            () = self.daemon.stopping.cancelled() => Interruption::DaemonEnds,
        };
        if matches!(interruption, Interruption::CallerGone) && claim.take() {
            // No handler has begun it, and none will: there is nothing to wait for, nor to abort.
            return Ok(());
        }
        debug!(command = number, ?interruption, "cancelling");
        if let Interruption::CallerGone = interruption {
            // First, so that nothing is sent any more to a client that only closed its own side.
            outbox.close();
        }
        inbox.close(match interruption {
            Interruption::CallerGone => End::CallerGone,
            Interruption::DaemonEnds => End::DaemonEnds,
        });
        cancellation.cancel();
        let grace = timeout(self.daemon.settings.grace_period, async {
            match interruption {
                Interruption::CallerGone => handler.ended().await,
                Interruption::DaemonEnds => {
                    // The caller is still there for what the handler has to say, and listened to, so that neither waits for the other.
                    select! {
                        _ = async { tokio::join!(handler.ended(), outbox.pump()) } => return,
                        _ = &mut caller_gone => {}
                    }
                    outbox.close();
                    handler.ended().await;
                }
            }
        });
        if grace.await.is_err() && !handler.has_ended() {
            warn!(command = number, "it didn't end within its grace period and is aborted");
            self.abort(handler).await;
        }
        Ok(())
    }

    /// Returns if the daemon retires before a handler has begun the command, as it can where others block all threads. None will then.
    async fn taken_back(&self, claim: &Claim) {
        self.daemon.retiring.cancelled().await;
        if !claim.take() {
            pending::<()>().await;
        }
    }

    /// Aborts a handler, which takes effect as soon as it waits for something. One that doesn't wait blocks a thread that
    /// others need, and can't be ended alone.
    async fn abort(&self, mut handler: Handler) {
        handler.abort();
        if timeout(ABORT_LIMIT, handler.ended()).await.is_err() {
            self.daemon.blocked.notify_one();
        }
    }

    async fn next_message(&self, reader: &mut FrameReader) -> Result<Message, SessionError> {
        loop {
            // A client that never stops talking must let others have their turn.
            coop::consume_budget().await;
            if let Some(message) = reader.next()? {
                return Ok(message);
            }
            let room = FIRST_RECEIVE.max(reader.awaited());
            if self.socket.receive(reader.received(), room).await? == 0 {
                return Err(SessionError::Closed);
            }
        }
    }

    async fn send(&self, message: &Message) -> Result<(), SessionError> {
        self.send_frame(&message.encode()).await
    }

    async fn send_frame(&self, frame: &[u8]) -> Result<(), SessionError> {
        let mut rest = frame;
        while !rest.is_empty() {
            let ready = fault::at("send").map_err(io::Error::from);
            match ready.and_then(|()| self.socket.try_send(rest)) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if may_retry(&error) => self.socket.room(&self.daemon.control).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
