//! The listener, as the control plane and the acceptors share it.

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rustix::event::epoll;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

use crate::daemon::socket::Socket;
use crate::limits::BUSY_ACCEPTORS;
use crate::{fault, sys};

/// What an epoll calls the listener.
const LISTENER: epoll::EventData = epoll::EventData::new_u64(0);

/// The control plane's, where clients come that no acceptor takes.
///
/// Nobody waits in vain, since one of these always holds: the epoll is told of clients; it was, and what it has told isn't forgotten; or acceptors
/// are left some time, after which the control plane looks.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Arc<OwnedFd>,
    epoll: AsyncFd<Arc<OwnedFd>>,
    /// Whether the epoll is told of clients.
    is_told: Cell<bool>,
    /// An acceptor was told of a client and couldn't accept him.
    must_look: Cell<bool>,
    /// How many clients acceptors have accepted.
    accepted: Arc<AtomicU64>,
    /// How many that were when they were last left some time.
    accepted_before: Cell<u64>,
    /// Until when they are left time.
    patience: Cell<Option<Instant>>,
}

/// An acceptor's. It goes with the control plane's.
#[derive(Debug)]
pub(super) struct SharedListener {
    socket: Weak<OwnedFd>,
    accepted: Arc<AtomicU64>,
}

impl SharedListener {
    /// The next client, if one is there. `None` when nobody listens any more.
    pub(super) fn accept(&self) -> Option<io::Result<Socket>> {
        let listener = self.socket.upgrade()?;
        let ready = fault::at("accept_promptly").map_err(io::Error::from);
        let accepted = ready.and_then(|()| Socket::accept(&listener));
        self.accepted.fetch_add(u64::from(accepted.is_ok()), Ordering::Relaxed);
        Some(accepted)
    }
}

impl Listener {
    /// One that doesn't block.
    pub(super) fn new(listener: UnixListener) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let epoll = sys::watch(Arc::new(epoll), Interest::READABLE)?;
        let (is_told, must_look, accepted, accepted_before, patience) = Default::default();
        let listener = Self {
            socket: Arc::new(listener.into()),
            epoll,
            is_told,
            must_look,
            accepted,
            accepted_before,
            patience,
        };
        listener.be_told()?;
        Ok(listener)
    }

    /// Has `epoll` told of clients as well, and the control plane only of those for whom nobody else is waiting when they come.
    pub(super) fn share_with(&self, epoll: &OwnedFd) -> io::Result<SharedListener> {
        tell_in_turn(epoll, &self.socket)?;
        // It will be told anew, as the last in turn.
        self.be_left_alone()?;
        Ok(SharedListener { socket: Arc::downgrade(&self.socket), accepted: Arc::clone(&self.accepted) })
    }

    /// Has the next client found of whom an acceptor was told that couldn't accept him.
    pub(super) fn look_again(&self) {
        self.must_look.set(true);
    }

    /// Waits for the next client.
    pub(super) async fn accept(&self) -> io::Result<Socket> {
        fault::at("accept")?;
        if self.must_look.get() {
            match Socket::accept(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.must_look.set(false),
                accepted => return accepted,
            }
        }
        loop {
            if self.patience.get().is_none() {
                self.be_told()?;
            }
            let mut ready = self.epoll.readable().await?;
            self.leave_to_acceptors().await?;
            match Socket::accept(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // First, so that one who has come since isn't forgotten.
                    self.be_told()?;
                    ready.clear_ready();
                }
                accepted => return accepted,
            }
        }
    }

    /// Leaves acceptors some time for a client that came while they were busy. What they are busy with is mostly over before
    /// another thread has run; but if none of them has got on since the last time, handlers may block them all.
    async fn leave_to_acceptors(&self) -> io::Result<()> {
        let until = self.patience.get().unwrap_or_else(|| {
            let accepted = self.accepted.load(Ordering::Relaxed);
            let get_on = self.accepted_before.replace(accepted) != accepted;
            Instant::now() + if get_on { BUSY_ACCEPTORS } else { Duration::ZERO }
        });
        self.patience.set(Some(until));
        if Instant::now() < until {
            // Otherwise the control plane would wake for each who comes meanwhile.
            self.be_left_alone()?;
            sleep_until(until).await;
        }
        self.patience.set(None);
        Ok(())
    }

    fn be_told(&self) -> io::Result<()> {
        if !self.is_told.get() {
            tell_in_turn(self.epoll.get_ref(), &self.socket)?;
            self.is_told.set(true);
        }
        Ok(())
    }

    fn be_left_alone(&self) -> io::Result<()> {
        if self.is_told.replace(false) {
            epoll::delete(self.epoll.get_ref(), &self.socket)?;
        }
        Ok(())
    }

    /// Those who have connected and were not accepted yet.
    pub(super) fn queued(&self) -> Vec<Socket> {
        Socket::accept_all(&self.socket)
    }
}

/// Has an epoll told of a client unless the kernel has found one before, in the order in which they were added, in which somebody sleeps. In the control
/// plane's nobody ever does, since the runtime's watches it in its turn: so it is told of all who get that far, and has to be the last.
fn tell_in_turn(epoll: &OwnedFd, listener: &OwnedFd) -> io::Result<()> {
    let in_turn = epoll::EventFlags::IN | epoll::EventFlags::EXCLUSIVE;
    Ok(epoll::add(epoll, listener, LISTENER, in_turn)?)
}
