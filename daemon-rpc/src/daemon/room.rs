//! Waiting for room in a socket.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

#[cfg(target_os = "linux")]
use rustix::event::{Timespec, epoll};
use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::runtime;

use crate::sys;

/// What tells of room: an epoll where there is one, or else the socket itself.
const TOLD_BY: Interest = if cfg!(target_os = "linux") { Interest::READABLE } else { Interest::WRITABLE };

/// Tells of room in a socket that had none, on Linux once each time it is asked.
///
/// The system would tell whenever the client has read, which wakes a thread for nothing unless somebody waits.
#[derive(Debug)]
pub(super) struct Room(AsyncFd<Arc<OwnedFd>>);

impl Room {
    /// For a socket. It has been asked, and tells from `control`, also while handlers block all threads of theirs.
    pub(super) fn of(socket: &Arc<OwnedFd>, control: &runtime::Handle) -> io::Result<Self> {
        let _there = control.enter();
        Ok(Self(sys::watch(Arc::new(what_tells(socket)?), TOLD_BY)?))
    }

    /// Asks to be told, be there room already.
    pub(super) fn ask(&self, socket: &OwnedFd) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        epoll::modify(self.0.get_ref(), socket, SOCKET, ONCE)?;
        #[cfg(not(target_os = "linux"))]
        let _ = socket;
        Ok(())
    }

    /// Waits to be told.
    pub(super) async fn told(&self) -> io::Result<()> {
        self.heed(self.0.ready(TOLD_BY).await?);
        Ok(())
    }

    /// The same for one who is polled: the last to have called this is woken.
    pub(super) fn poll_told(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let told = if cfg!(target_os = "linux") {
            self.0.poll_read_ready(context)
        } else {
            self.0.poll_write_ready(context)
        };
        self.heed(ready!(told)?);
        Poll::Ready(Ok(()))
    }

    fn heed(&self, mut told: AsyncFdReadyGuard<'_, Arc<OwnedFd>>) {
        // Until the event has been taken, it is told again and again.
        #[cfg(target_os = "linux")]
        sys::next_event(self.0.get_ref(), Some(&Timespec::default()));
        told.clear_ready();
    }
}

#[cfg(target_os = "linux")]
const ONCE: epoll::EventFlags = epoll::EventFlags::OUT.union(epoll::EventFlags::ONESHOT);

/// What the epoll calls the socket, its only one.
#[cfg(target_os = "linux")]
const SOCKET: epoll::EventData = epoll::EventData::new_u64(0);

#[cfg(target_os = "linux")]
fn what_tells(socket: &OwnedFd) -> io::Result<OwnedFd> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, socket, SOCKET, ONCE)?;
    Ok(epoll)
}

#[cfg(not(target_os = "linux"))]
fn what_tells(socket: &OwnedFd) -> io::Result<OwnedFd> {
    // One runtime watches it already, and the same one may watch a descriptor only once.
    socket.try_clone()
}
