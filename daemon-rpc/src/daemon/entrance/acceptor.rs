//! A thread that accepts clients and begins their commands, and wakes nobody for that.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use bytes::BytesMut;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll, eventfd, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime;
use tokio::sync::mpsc::UnboundedSender;

use super::Arrival;
use super::listener::{Listener, SharedListener};
use super::seat::{Holder, Seat};
use crate::daemon::Daemon;
use crate::daemon::command::{Handler, Work, carry_out, panicked};
use crate::daemon::outbox::Outbox;
use crate::daemon::session::Running;
use crate::daemon::socket::Socket;
use crate::instance::own_uid;
use crate::limits::{ACCEPT_PAUSE, PROMPT_LIMIT, PROMPT_RECEIVE};
use crate::retry::may_retry;
use crate::{fault, panic, sys};

/// What an acceptor's epoll calls the signal to end; the listener is something else there.
const CLOSING: epoll::EventData = epoll::EventData::new_u64(1);

/// What an acceptor tells the control plane.
pub(super) enum Report {
    Arrival(Box<Arrival>),
    /// A command that the acceptor of this index has just begun needs the control plane.
    Stirred(u64),
    /// It was told of a client and couldn't accept him.
    Unaccepted,
}

/// Calls the control plane to the command that has just begun: output waits to be sent, or its client can't be watched.
struct Bell {
    index: u64,
    reports: UnboundedSender<Report>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // Nobody is there any more for an acceptor that outlives the control plane.
        let _ = self.reports.send(Report::Stirred(self.index));
    }
}

/// What all acceptors share.
pub(super) struct Common {
    /// Of those whose commands have just begun, to tell the control plane that one goes, or says something.
    pub(super) clients: AsyncFd<Arc<OwnedFd>>,
    /// Readable when acceptors have to end.
    closing: OwnedFd,
    /// There is no room for more callers.
    pub(super) crowded: AtomicBool,
    reports: UnboundedSender<Report>,
}

impl Common {
    pub(super) fn new(reports: UnboundedSender<Report>) -> io::Result<Self> {
        let clients = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self {
            clients: sys::watch(Arc::new(clients), Interest::READABLE)?,
            closing: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            crowded: AtomicBool::new(false),
            reports,
        })
    }

    /// Has all acceptors end when they have done.
    pub(super) fn close(&self) {
        // It has room for more than one.
        let _ = rustix::io::write(&self.closing, &1_u64.to_ne_bytes());
    }
}

/// What the thread has.
pub(super) struct Acceptor {
    /// Held only while it is with a client.
    daemon: Weak<Daemon>,
    handlers: runtime::Handle,
    listener: SharedListener,
    /// Its place among the acceptors.
    index: u64,
    common: Arc<Common>,
    seat: Arc<Seat>,
    bell: Waker,
    /// Tells of clients, and when to end.
    epoll: OwnedFd,
}

impl Acceptor {
    pub(super) fn new(
        daemon: &Arc<Daemon>,
        listener: &Listener,
        index: usize,
        common: &Arc<Common>,
        seat: &Arc<Seat>,
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &common.closing, CLOSING, epoll::EventFlags::IN)?;
        let index = index as u64;
        let bell = Bell { index, reports: common.reports.clone() };
        Ok(Self {
            daemon: Arc::downgrade(daemon),
            handlers: daemon.handlers.clone(),
            listener: listener.share_with(&epoll)?,
            index,
            common: Arc::clone(common),
            seat: Arc::clone(seat),
            bell: Arc::new(bell).into(),
            epoll,
        })
    }

    /// Accepts until the control plane has closed.
    pub(super) fn run(self) {
        // In memory that is touched only as far as clients fill it.
        let mut received = BytesMut::with_capacity(PROMPT_RECEIVE);
        while self.is_called() {
            // Who has come meanwhile needn't be waited for.
            while self.serve_next(&mut received) {}
        }
    }

    /// Waits for a client. `false` if it is time to end.
    fn is_called(&self) -> bool {
        loop {
            if let Some(event) = sys::next_event(&self.epoll, None) {
                return event != CLOSING.u64();
            }
        }
    }

    /// Serves the next client, and says whether there was one.
    fn serve_next(&self, received: &mut BytesMut) -> bool {
        match self.listener.accept() {
            Some(Ok(socket)) => {
                self.serve(socket, received);
                return true;
            }
            Some(Err(error)) if !may_retry(&error) => {
                self.report(Report::Unaccepted);
                // Trying again at once would only keep the machine busy.
                wait_for(&self.common.closing, ACCEPT_PAUSE);
            }
            Some(Err(_)) | None => {}
        }
        false
    }

    fn leave(&self, arrival: Arrival) {
        self.report(Report::Arrival(Box::new(arrival)));
    }

    fn report(&self, report: Report) {
        // A daemon that takes nobody any more disconnects him, and he turns to the next.
        let _ = self.common.reports.send(report);
    }

    /// Serves a client as far as it goes here.
    fn serve(&self, socket: Socket, received: &mut BytesMut) {
        let Some(daemon) = self.daemon.upgrade() else { return };
        received.clear();
        let is_user = socket.peer_uid().is_ok_and(|uid| uid == own_uid());
        let is_there = is_user && receive_promptly(&socket, received);
        let begun = if is_there && !self.common.crowded.load(Ordering::Relaxed) {
            Running::at_once(&daemon, socket, received)
        } else {
            Err(socket)
        };
        drop(daemon);
        match begun {
            Ok((command, work)) => self.begin(command, work),
            Err(socket) => self.leave(Arrival::Client(socket, received.as_ref().into())),
        }
    }

    /// Has the command's handler make its first step.
    fn begin(&self, command: Running, mut work: Work) {
        fault::passing("first_step");
        // It fails only if the client is gone.
        if command.greet().is_err() {
            return;
        }
        let outbox = command.outbox();
        outbox.call_if_unsent(&self.bell);
        let mut is_watched = false;
        if let Some(command) = self.seat.take(command, |socket| is_watched = self.watch(socket).is_ok()) {
            return command.refuse();
        }
        if !is_watched {
            self.bell.wake_by_ref();
        }
        let step = poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
        // As in a runtime's thread: a handler that blocks on another future here panics there as well.
        let step = panic::catch_in(|| self.handlers.block_on(step));
        let step = step.unwrap_or_else(|_| Poll::Ready(Some(panicked())));
        self.seat.leave(|holder| self.hand_on(holder, step, work, &outbox));
    }

    /// Has the command go on where it has to after its handler's first step.
    fn hand_on(&self, holder: Holder, step: Poll<Option<Vec<u8>>>, work: Work, outbox: &Arc<Outbox>) {
        let go_on = || self.handlers.spawn(carry_out(work, Arc::clone(outbox)));
        match (holder, step) {
            (Holder::Acceptor(command), step) => {
                // First, since a client that has been told how its command ended goes, which is nothing to tell of, and so that nothing is told
                // twice.
                let _ = epoll::delete(self.common.clients.get_ref(), command.socket());
                let handler = match step {
                    Poll::Pending => Handler::Spawned(go_on()),
                    Poll::Ready(end) => {
                        outbox.finish(end);
                        Handler::Ended
                    }
                };
                fault::passing("hand_on");
                if let Some(command) = command.end() {
                    self.leave(Arrival::Command(command, handler));
                }
            }
            (Holder::ControlPlane(_), Poll::Ready(end)) => outbox.finish(end),
            (Holder::ControlPlane(goes_on), Poll::Pending) => {
                if let Err(handler) = goes_on.send(go_on()) {
                    // Nobody has waited for it so long.
                    handler.abort();
                }
            }
        }
    }

    /// Has the control plane told, once, if the client goes or says something.
    fn watch(&self, socket: &Socket) -> rustix::io::Result<()> {
        let once = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ONESHOT;
        epoll::add(self.common.clients.get_ref(), socket, epoll::EventData::new_u64(self.index), once)
    }
}

/// Receives what the client has sent, which may still be on its way, and says whether there is something.
fn receive_promptly(socket: &Socket, received: &mut BytesMut) -> bool {
    let receive = |received: &mut BytesMut| {
        let ready = fault::at("receive").map_err(io::Error::from);
        ready.and_then(|()| sys::receive(socket, received, PROMPT_RECEIVE))
    };
    let count = receive(received).or_else(|error| {
        if !may_retry(&error) {
            return Err(error);
        }
        wait_for(socket, PROMPT_LIMIT);
        receive(received)
    });
    matches!(count, Ok(1..))
}

/// Waits until there is something to read, or the time is over.
fn wait_for(descriptor: impl AsFd, limit: Duration) {
    // Whatever ends the waiting, whoever reads finds out.
    let _ = poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Timespec::try_from(limit).ok().as_ref());
}
