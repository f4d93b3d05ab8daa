//! A connection to whatever listens on the daemon's socket.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, Shutdown, SocketAddrUnix, SocketType, connect, send, sendmsg,
    shutdown, sockopt,
};

use super::ClientError;
use super::readiness::wait_for;
use crate::app::Program;
use crate::instance::{Instance, ROOT, own_uid};
use crate::limits::{BODY_OVERHEAD, MAX_ERROR_TEXT, MAX_VERSION_CHECK, RECEIVE_EXTRA, START_LIMIT};
use crate::protocol::{FRAME_HEADER, FrameReader, Message, ProtocolError, StatusRequest, VersionCheck};
use crate::retry::{NO_SIGNAL, may_retry};
use crate::{fault, sys};

/// Whether the command goes with the handshake, which saves a turn. Where it does, a client that gives up waiting must be certain that no
/// daemon begins the command after all, and elsewhere than on Linux it can't be: see `Connection::give_up`.
const COMMAND_IN_ADVANCE: bool = cfg!(target_os = "linux");

/// A connected socket, its peer known to be the same user.
#[derive(Debug)]
pub(super) struct Connection {
    socket: OwnedFd,
    reader: FrameReader,
    /// The most output that comes as one message.
    chunk_size: usize,
    /// How many bytes of the command have been sent in advance.
    pub(super) sent: usize,
}

/// What came of turning to whoever listens at the socket.
#[derive(Debug)]
pub(super) enum Meeting {
    /// Nobody listens.
    Nobody,
    /// A daemon of this very build is ready for a command.
    Agreed(Connection),
    /// A daemon of another build.
    OtherBuild,
    /// The peer closed before it answered: a daemon that was just retiring, or dying.
    Closed,
    /// No answer in time, or not even a place in the queue.
    TimedOut,
    /// An answer that isn't one.
    Foreign(String),
}

/// What came of waiting for the peer's next message.
#[derive(Debug)]
pub(super) enum Received {
    Message(Message),
    /// Bytes that are no message.
    Garbled(ProtocolError),
    /// The peer has closed, or died.
    Closed,
}

/// Who was found at the socket.
#[derive(Debug)]
pub(super) enum Contact {
    Nobody,
    Peer(Connection),
    /// Somebody, but so many wait for him that one more found no place in the queue in time.
    QueueFull,
}

impl Connection {
    /// Connects to whoever listens at the socket and finds out who it is, which may take him up to `limit`.
    pub(super) fn meet(
        program: &Program,
        instance: &Instance,
        limit: Duration,
        command: &[u8],
    ) -> Result<Meeting, ClientError> {
        match Self::open(program, instance)? {
            Contact::Nobody => Ok(Meeting::Nobody),
            Contact::QueueFull => Ok(Meeting::TimedOut),
            Contact::Peer(peer) => peer.handshake(&program.build, limit, command),
        }
    }

    /// Connects to whoever listens at the socket.
    pub(super) fn open(program: &Program, instance: &Instance) -> Result<Contact, ClientError> {
        if !instance.has_socket()? {
            return Ok(Contact::Nobody);
        }
        let path = instance.socket();
        let failed = |error: Errno| ClientError::Connect { path: path.to_owned(), source: error.into() };
        let address = SocketAddrUnix::new(path).map_err(failed)?;
        let socket = new_socket().map_err(failed)?;
        let attempt = || fault::at("connect").and_then(|()| connect(&socket, &address));
        match retry_on_intr(attempt) {
            Ok(()) => {}
            Err(Errno::CONNREFUSED | Errno::NOENT) => return Ok(Contact::Nobody),
            Err(Errno::AGAIN) => match wait_in_queue(&socket, &address, program.settings.handshake_timeout) {
                Ok(()) => {}
                Err(Errno::CONNREFUSED | Errno::NOENT) => return Ok(Contact::Nobody),
                Err(Errno::AGAIN) => return Ok(Contact::QueueFull),
                Err(error) => return Err(failed(error)),
            },
            Err(error) => return Err(failed(error)),
        }
        match sys::peer_uid(&socket) {
            // A supervisor may have made the socket for this user, and is trusted with all he has.
            Ok(peer) if peer == own_uid() || peer == ROOT => {}
            Ok(owner) => return Err(ClientError::PeerOfAnother { path: path.to_owned(), owner }),
            Err(source) => return Err(ClientError::Connect { path: path.to_owned(), source }),
        }
        Ok(Contact::Peer(Self::over(socket, program)))
    }

    /// A connection to a peer that is known to be the same user.
    fn over(socket: OwnedFd, program: &Program) -> Self {
        Self {
            socket,
            reader: FrameReader::new(MAX_VERSION_CHECK),
            chunk_size: program.settings.chunk_size,
            sent: 0,
        }
    }

    /// Turns to the daemon's part of this very process.
    pub(super) fn meet_inline(
        socket: UnixStream,
        program: &Program,
        command: &[u8],
    ) -> Result<Meeting, ClientError> {
        socket.set_nonblocking(true).map_err(|source| ClientError::Connection { source })?;
        Self::over(socket.into(), program).handshake(&program.build, START_LIMIT, command)
    }

    /// Finds out who answers. What there is room for of `command` goes ahead: only a daemon of this build reads it, and only once it has
    /// answered.
    pub(super) fn handshake(
        mut self,
        build: &str,
        limit: Duration,
        command: &[u8],
    ) -> Result<Meeting, ClientError> {
        fault::passing("handshake");
        let deadline = Instant::now() + limit;
        let ours = Message::VersionCheck(VersionCheck::of(build));
        let in_advance = if COMMAND_IN_ADVANCE { command } else { &[] };
        match self.send_ahead(&ours.encode(), in_advance) {
            Ok(sent) => self.sent = sent,
            Err(error) if peer_is_gone(&error) => return Ok(Meeting::Closed),
            Err(source) => return Err(ClientError::Connection { source }),
        }
        let Some(received) = self.receive_by(deadline)? else {
            return self.give_up();
        };
        Ok(match received {
            Received::Message(theirs) if theirs == ours => {
                self.reader.set_body_limit(MAX_ERROR_TEXT.max(self.chunk_size) + BODY_OVERHEAD);
                Meeting::Agreed(self)
            }
            Received::Message(Message::VersionCheck(_)) => Meeting::OtherBuild,
            Received::Message(other) => Meeting::Foreign(ProtocolError::Unexpected(other.name()).to_string()),
            Received::Garbled(error) => Meeting::Foreign(error.to_string()),
            Received::Closed => Meeting::Closed,
        })
    }

    /// Stops waiting for the handshake's answer, and for certain: a daemon that goes on later can't answer any more, and one that hasn't
    /// answered begins no command.
    fn give_up(mut self) -> Result<Meeting, ClientError> {
        // An error leaves it uncertain, as does whatever has come by now.
        let _ = shutdown(&self.socket, Shutdown::Read);
        if self.sent == 0 || matches!(self.receive()?, Some(Received::Closed)) {
            return Ok(Meeting::TimedOut);
        }
        Err(ClientError::LateAnswer)
    }

    /// Asks the daemon how it is, whatever build it is of. Its answer, or `None` if that hasn't come by then.
    pub(super) fn ask(
        mut self,
        request: StatusRequest,
        limit: Duration,
    ) -> Result<Option<Received>, ClientError> {
        match self.send(&Message::StatusRequest(request).encode()) {
            // It may have said why before it closed.
            Err(error) if !peer_is_gone(&error) => return Err(ClientError::Connection { source: error }),
            _ => {}
        }
        self.reader.set_body_limit(MAX_ERROR_TEXT + BODY_OVERHEAD);
        self.receive_by(Instant::now() + limit)
    }

    /// Sends all of `first`, and of `rest` what there is room for, which is how many bytes.
    fn send_ahead(&self, first: &[u8], rest: &[u8]) -> io::Result<usize> {
        let both = [IoSlice::new(first), IoSlice::new(rest)];
        let attempt = || {
            fault::at("send")
                .and_then(|()| sendmsg(&self.socket, &both, &mut SendAncillaryBuffer::default(), NO_SIGNAL))
        };
        let sent = match attempt() {
            Err(Errno::INTR | Errno::AGAIN) => 0,
            sent => sent?,
        };
        self.send(first.get(sent..).unwrap_or_default())?;
        Ok(sent.saturating_sub(first.len()))
    }

    /// Sends all of `bytes`, waiting for room as long as the peer lives.
    pub(super) fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match fault::at("send").and_then(|()| send(&self.socket, bytes, NO_SIGNAL)) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => wait_for(PollFlags::OUT, &self.socket)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The peer's next message, or `None` if it hasn't come by then.
    fn receive_by(&mut self, deadline: Instant) -> Result<Option<Received>, ClientError> {
        loop {
            if let Some(received) = self.decode() {
                return Ok(Some(received));
            }
            if !poll_until(&mut [self.poll_fd()], deadline)? {
                return Ok(None);
            }
            if let Some(end) = self.receive()? {
                return Ok(Some(end));
            }
        }
    }

    /// The next message of those that have been received, or what is wrong with them.
    pub(super) fn decode(&mut self) -> Option<Received> {
        match self.reader.next() {
            Ok(message) => message.map(Received::Message),
            Err(error) => Some(Received::Garbled(error)),
        }
    }

    /// What `poll` is asked, to wait for something to receive.
    pub(super) fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.socket, PollFlags::IN)
    }

    /// Receives what there is, to be decoded, or the end.
    pub(super) fn receive(&mut self) -> Result<Option<Received>, ClientError> {
        let most = match self.reader.rest_of_long_chunk() {
            Some(rest) => rest + FRAME_HEADER,
            None => self.chunk_size + RECEIVE_EXTRA,
        };
        let received = fault::at("receive").map_err(io::Error::from);
        match received.and_then(|()| sys::receive_at_most(&self.socket, self.reader.received(), most)) {
            Ok(0) => Ok(Some(Received::Closed)),
            Ok(_) => Ok(None),
            Err(error) if peer_is_gone(&error) => Ok(Some(Received::Closed)),
            Err(error) if may_retry(&error) => Ok(None),
            Err(source) => Err(ClientError::Connection { source }),
        }
    }
}

/// Whether an error says no more than that the peer has closed, or died.
pub(super) fn peer_is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

#[cfg(target_os = "linux")]
fn new_socket() -> rustix::io::Result<OwnedFd> {
    use rustix::net::{SocketFlags, socket_with};
    socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

#[cfg(not(target_os = "linux"))]
fn new_socket() -> rustix::io::Result<OwnedFd> {
    use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// Connects to a listener whose queue is full. Only a blocking socket can wait for a place in it.
fn wait_in_queue(socket: &OwnedFd, address: &SocketAddrUnix, limit: Duration) -> rustix::io::Result<()> {
    rustix::io::ioctl_fionbio(socket, false)?;
    sockopt::set_socket_timeout(socket, sockopt::Timeout::Send, Some(limit))?;
    retry_on_intr(|| connect(socket, address))?;
    sockopt::set_socket_timeout(socket, sockopt::Timeout::Send, None)?;
    rustix::io::ioctl_fionbio(socket, true)
}

/// Waits for one of `watched`; `false` when the deadline came first.
fn poll_until(watched: &mut [PollFd<'_>], deadline: Instant) -> Result<bool, ClientError> {
    loop {
        // A duration that doesn't fit is longer than anybody waits.
        let limit = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).ok();
        match poll(watched, limit.as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(error) => return Err(ClientError::Connection { source: error.into() }),
        }
    }
}
