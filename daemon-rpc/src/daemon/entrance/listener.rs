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
#[derive(Debug)]
pub(super) struct Listener {
    socket: Arc<OwnedFd>,
    /// An epoll that tells of them.
    told: AsyncFd<Arc<OwnedFd>>,
    /// Whether it does at present.
    is_told: Cell<bool>,
    /// An acceptor was told of a client and couldn't accept him.
    unsure: Cell<bool>,
    /// How many clients acceptors have accepted.
    accepted: Arc<AtomicU64>,
    /// How many that were when they were last left some time.
    known: Cell<u64>,
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
        let told = sys::watch(Arc::new(epoll), Interest::READABLE)?;
        let (is_told, unsure, accepted, known, patience) = Default::default();
        let listener =
            Self { socket: Arc::new(listener.into()), told, is_told, unsure, accepted, known, patience };
        listener.be_told()?;
        Ok(listener)
    }

    /// Has `epoll` told of clients as well, and the control plane only of those for whom nobody else is waiting when they come.
    pub(super) fn share_with(&self, epoll: &OwnedFd) -> io::Result<SharedListener> {
        wait_in_turn(epoll, &self.socket)?;
        if self.is_told.get() {
            // Anew, to be the last in turn.
            self.be_left_alone()?;
            self.be_told()?;
        }
        Ok(SharedListener { socket: Arc::downgrade(&self.socket), accepted: Arc::clone(&self.accepted) })
    }

    /// Has the next client found of whom an acceptor was told that couldn't accept him.
    pub(super) fn look_again(&self) {
        self.unsure.set(true);
    }

    /// Waits for the next client.
    pub(super) async fn accept(&self) -> io::Result<Socket> {
        fault::at("accept")?;
        if self.unsure.get() {
            match Socket::accept(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.unsure.set(false),
                accepted => return accepted,
            }
        }
        loop {
            let mut ready = self.told.readable().await?;
            self.leave_to_acceptors().await?;
            match Socket::accept(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Also of one who has come since.
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
            let get_on = self.known.replace(accepted) != accepted;
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
            wait_in_turn(self.told.get_ref(), &self.socket)?;
            self.is_told.set(true);
        }
        Ok(())
    }

    fn be_left_alone(&self) -> io::Result<()> {
        if self.is_told.replace(false) {
            epoll::delete(self.told.get_ref(), &self.socket)?;
        }
        Ok(())
    }

    /// Those who have connected and were not accepted yet.
    pub(super) fn queued(&self) -> Vec<Socket> {
        // It doesn't wait, so its end is an error.
        std::iter::from_fn(|| Socket::accept(&self.socket).ok()).collect()
    }
}

/// Has an epoll told of a client if nobody who was added before is waiting then: for each client, the kernel wakes one.
fn wait_in_turn(epoll: &OwnedFd, listener: &OwnedFd) -> io::Result<()> {
    let in_turn = epoll::EventFlags::IN | epoll::EventFlags::EXCLUSIVE;
    Ok(epoll::add(epoll, listener, LISTENER, in_turn)?)
}
