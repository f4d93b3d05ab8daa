//! A session of whose command the handler begins before the control plane has to do with it.

use std::io;
use std::sync::Arc;

use super::{Links, Ready, Session, Visit, note};
use crate::daemon::Daemon;
use crate::daemon::command::{Handler, Work};
use crate::daemon::outbox::Outbox;
use crate::daemon::socket::Socket;
use crate::fault;
use crate::limits::{BODY_OVERHEAD, INPUT_WINDOW, MAX_VERSION_CHECK};
use crate::protocol::{Command, FrameReader, Message};

/// Such a session.
pub(in crate::daemon) struct Running {
    session: Session,
    reader: FrameReader,
    links: Links,
    number: u64,
}

impl Running {
    /// The session and its command's run, if everything is as it mostly is: the client, who is the user, has sent its whole command, with the
    /// handshake before it, and that can run at once. Otherwise nothing has been done, or said to the client.
    pub(in crate::daemon) fn at_once(
        daemon: &Arc<Daemon>,
        socket: Socket,
        received: &[u8],
    ) -> Result<(Self, Work), Socket> {
        let Some((command, reader)) = daemon.understand(received) else { return Err(socket) };
        let Some(ready) = daemon.ready_at_once() else { return Err(socket) };
        let session = Session { daemon: Arc::clone(daemon), socket: Arc::new(socket) };
        let links = session.link(&command);
        let number = ready.entry.number;
        let work = session.work(&links, command, ready);
        Ok((Self { session, reader, links, number }, work))
    }

    pub(in crate::daemon) fn socket(&self) -> &Socket {
        &self.session.socket
    }

    pub(in crate::daemon) fn outbox(&self) -> Arc<Outbox> {
        Arc::clone(&self.links.outbox)
    }

    /// Answers the handshake, before anything can have left no room for that.
    pub(in crate::daemon) fn greet(&self) -> io::Result<()> {
        self.send(&self.session.daemon.greeting)
    }

    /// Tells the client that its command won't be run here.
    pub(in crate::daemon) fn refuse(self) {
        // A client that isn't told is disconnected, which is as good.
        let _ = self.send(&Message::NotRun.encode());
    }

    fn send(&self, frame: &[u8]) -> io::Result<()> {
        fault::at("send")?;
        match self.session.socket.try_send(frame)? {
            count if count == frame.len() => Ok(()),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Ends the session if its command has ended and its client has been told all. Otherwise it is given back.
    pub(in crate::daemon) fn end(self) -> Option<Self> {
        if !self.links.outbox.is_delivered() {
            return Some(self);
        }
        self.links.end();
        self.session.daemon.tally.note_busy();
        None
    }

    /// Waits until the command has ended and its client knows, or it has to be interrupted.
    pub(in crate::daemon) async fn see_through(mut self, handler: Handler) -> Visit {
        let seen = self.session.see_through(self.number, handler, &self.links, &mut self.reader).await;
        note(seen.map(|()| Visit::Caller))
    }
}

impl Daemon {
    /// The command of a client of this build that has sent all of it, and nothing more. Where a limit or a build doesn't fit, the session itself
    /// finds out, in `handshake` and `request`.
    fn understand(&self, received: &[u8]) -> Option<(Command, FrameReader)> {
        let mut reader = FrameReader::of(received.into(), MAX_VERSION_CHECK);
        match reader.next().ok()?? {
            Message::VersionCheck(theirs) if theirs == self.version => {}
            _ => return None,
        }
        reader.set_body_limit(self.longest_command());
        match reader.next().ok()?? {
            // What it goes on to say is the control plane's to hear.
            Message::Command(command)
                if command.input_length() <= self.settings.max_command && reader.received().is_empty() =>
            {
                reader.set_body_limit(INPUT_WINDOW + BODY_OVERHEAD);
                Some((command, reader))
            }
            _ => None,
        }
    }

    /// What a command needs, if it needn't wait for any of it, as it may in the session's `ready`.
    fn ready_at_once(&self) -> Option<Ready> {
        if self.retiring.is_cancelled() {
            return None;
        }
        let state = self.loaded()?;
        // It fails if somebody waits already.
        let turn = Arc::clone(&self.turns).try_acquire_owned().ok()?;
        Some(Ready { entry: self.tally.enter(), state, turn })
    }
}
