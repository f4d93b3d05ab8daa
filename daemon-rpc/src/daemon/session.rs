//! One client: handshake, its command, and what comes back, until either side has done.

use std::io;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::select;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::outbox::Outbox;
use super::{Daemon, command};
use crate::Invocation;
use crate::instance::own_uid;
use crate::limits::{ABORT_LIMIT, COMMAND_TIMEOUT, MAX_VERSION_CHECK};
use crate::protocol::{Command, FrameReader, Message, ProtocolError, VersionCheck};

/// Serves one client from its first byte to its last.
pub(super) async fn serve(daemon: Arc<Daemon>, socket: UnixStream) {
    let mut session =
        Session { daemon, socket: Arc::new(socket), reader: FrameReader::new(MAX_VERSION_CHECK) };
    match session.run().await {
        Ok(()) => {}
        Err(error) => debug!(error = &error as &dyn std::error::Error, "ended a connection"),
    }
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
    socket: Arc<UnixStream>,
    reader: FrameReader,
}

/// Why a command has to end before its handler does.
#[derive(Debug)]
enum Interruption {
    CallerGone,
    DaemonEnds,
}

impl Session {
    async fn run(&mut self) -> Result<(), SessionError> {
        self.check_user()?;
        timeout(self.daemon.settings.handshake_timeout, self.handshake())
            .await
            .map_err(|_| SessionError::Silent)??;
        let Some(command) = self.command().await? else {
            return self.send(&Message::NotRun).await;
        };
        match self.turn().await? {
            Some(turn) => self.run_command(command, turn).await,
            None => self.send(&Message::NotRun).await?,
        }
        Ok(())
    }

    /// The socket's mode keeps others out already; this holds where the mode doesn't count.
    fn check_user(&self) -> Result<(), SessionError> {
        match self.socket.peer_cred()?.uid() {
            uid if uid == own_uid() => Ok(()),
            uid => Err(SessionError::PeerOfAnother(uid)),
        }
    }

    async fn handshake(&mut self) -> Result<(), SessionError> {
        let ours = VersionCheck::of(&self.daemon.build);
        match self.next_message().await? {
            Message::VersionCheck(theirs) => {
                self.send(&Message::VersionCheck(ours.clone())).await?;
                if theirs == ours { Ok(()) } else { Err(SessionError::OtherBuild(theirs.build)) }
            }
            other => Err(ProtocolError::Unexpected(other.name()).into()),
        }
    }

    /// The client's command, or `None` when it came too late to be run.
    async fn command(&mut self) -> Result<Option<Command>, SessionError> {
        self.reader.set_body_limit(self.daemon.longest_command());
        let retiring = self.daemon.retiring.clone();
        let message = select! {
            () = retiring.cancelled() => return Ok(None),
            message = timeout(COMMAND_TIMEOUT, self.next_message()) => match message {
                Ok(message) => message?,
                Err(_) => return Ok(None),
            },
        };
        match message {
            Message::Command(command) if command.input_length() > self.daemon.settings.max_command => {
                Err(SessionError::CommandTooLong)
            }
            Message::Command(command) => Ok(Some(command)),
            other => Err(ProtocolError::Unexpected(other.name()).into()),
        }
    }

    /// The command's turn, or `None` when the daemon retires before it comes.
    async fn turn(&mut self) -> Result<Option<OwnedSemaphorePermit>, SessionError> {
        let turns = Arc::clone(&self.daemon.turns);
        let retiring = self.daemon.retiring.clone();
        select! {
            biased;
            // The semaphore is never closed.
            turn = turns.acquire_owned() => Ok(turn.ok()),
            () = retiring.cancelled() => Ok(None),
            () = self.hang_up() => Err(SessionError::Closed),
        }
    }

    /// Runs the command until it has ended and its caller knows, or it has to be interrupted.
    async fn run_command(&mut self, command: Command, turn: OwnedSemaphorePermit) {
        let outbox = Arc::new(Outbox::new(Arc::clone(&self.socket), self.daemon.settings.chunk_size));
        let cancellation = CancellationToken::new();
        let invocation = Invocation::new(command, Arc::clone(&outbox) as _, cancellation.clone());
        let handler = Arc::clone(&self.daemon.handler);
        let mut handler =
            self.daemon.handlers.spawn(command::run(handler, invocation, Arc::clone(&outbox), turn));

        let stopping = self.daemon.stopping.clone();
        let interruption = select! {
            // A client that has got all goes, which is no reason to cancel anything.
            biased;
            delivered = outbox.pump() => match delivered {
                Ok(()) => return,
                Err(_) => Interruption::CallerGone,
            },
            () = self.hang_up() => Interruption::CallerGone,
            () = stopping.cancelled() => Interruption::DaemonEnds,
        };
        debug!(?interruption, "cancelling a command");
        if let Interruption::CallerGone = interruption {
            // First, so that nothing is sent any more to a client that only closed its own side.
            outbox.close();
        }
        cancellation.cancel();
        let grace = timeout(self.daemon.settings.grace_period, async {
            match interruption {
                Interruption::CallerGone => drop((&mut handler).await),
                // The caller is still there for what the handler has to say.
                Interruption::DaemonEnds => drop(tokio::join!(&mut handler, outbox.pump())),
            }
        });
        if grace.await.is_err() && !handler.is_finished() {
            self.abort(handler).await;
        }
    }

    /// Aborts a handler, which takes effect as soon as it waits for something. One that doesn't wait blocks a thread that
    /// others need, and can't be ended alone.
    async fn abort(&self, mut handler: JoinHandle<()>) {
        warn!("a cancelled command didn't end within its grace period and is aborted");
        handler.abort();
        if timeout(ABORT_LIMIT, &mut handler).await.is_err() {
            self.daemon.blocked.notify_one();
        }
    }

    /// Returns when the client has closed or died, or says anything, which no client may at that point.
    async fn hang_up(&mut self) {
        let mut said = self.reader.received().len();
        while said == 0 {
            if self.socket.readable().await.is_err() {
                return;
            }
            match self.socket.try_read(&mut [0]) {
                Ok(0) => return,
                Ok(count) => said = count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        warn!("a client went on after its command, against the protocol");
    }

    async fn next_message(&mut self) -> Result<Message, SessionError> {
        loop {
            if let Some(message) = self.reader.next()? {
                return Ok(message);
            }
            self.socket.readable().await?;
            match self.socket.try_read_buf(self.reader.received()) {
                Ok(0) => return Err(SessionError::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn send(&self, message: &Message) -> Result<(), SessionError> {
        let frame = message.encode();
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match self.socket.try_write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.socket.writable().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
