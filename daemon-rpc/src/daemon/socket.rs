//! One client's socket: the control plane waits for it, and whoever has something to say writes to it.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use bytes::BytesMut;
use rustix::io::retry_on_intr;
use rustix::net::{SendAncillaryBuffer, send, sendmsg};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime;
use tokio::time::sleep;

use super::room::Room;
use crate::limits::ROOM_PAUSE;
use crate::retry::{NO_SIGNAL, may_retry};
use crate::{fault, sys};

/// A message so short is copied behind its header, which costs less than handing the kernel both.
const WORTH_COPYING: usize = 16 * 1024;

thread_local! {
    /// Where this thread does that.
    static WHOLE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A client's socket.
///
/// It is watched from when somebody first waits, for something to read by the control plane, and for room apart.
#[derive(Debug)]
pub(crate) struct Socket {
    descriptor: Arc<OwnedFd>,
    readable: OnceLock<AsyncFd<Arc<OwnedFd>>>,
    room: OnceLock<Room>,
}

impl Socket {
    /// One that doesn't block.
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { descriptor: Arc::new(socket), readable: OnceLock::new(), room: OnceLock::new() }
    }

    /// The next client's, if one has connected.
    pub(super) fn accept(listener: &OwnedFd) -> io::Result<Self> {
        Ok(Self::new(retry_on_intr(|| accept_now(listener))?))
    }

    /// Those of all who have connected.
    pub(super) fn accept_all(listener: &OwnedFd) -> Vec<Self> {
        // It doesn't wait, so its end is an error.
        std::iter::from_fn(|| Self::accept(listener).ok()).collect()
    }

    /// The user at the other end.
    pub(super) fn peer_uid(&self) -> io::Result<u32> {
        sys::peer_uid(self)
    }

    /// Waits for something to read and appends it, with room for `room` bytes at least. 0 means that the client has closed. For the control
    /// plane alone.
    pub(super) async fn receive(&self, buffer: &mut BytesMut, room: usize) -> io::Result<usize> {
        let readable =
            made_once(&self.readable, || sys::watch(Arc::clone(&self.descriptor), Interest::READABLE))?;
        loop {
            let mut ready = readable.readable().await?;
            if fault::at("receive").is_err() {
                continue;
            }
            match sys::receive(self, buffer, room) {
                Ok(count) => {
                    // What left room free was all there is.
                    if buffer.len() < buffer.capacity() {
                        ready.clear_ready();
                    }
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) if may_retry(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends what there is room for, and says how many bytes that was.
    pub(super) fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(self, bytes, NO_SIGNAL)?)
    }

    /// The same for a message in two parts.
    pub(super) fn try_send_both(&self, header: &[u8], body: &[u8]) -> io::Result<usize> {
        if header.len() + body.len() <= WORTH_COPYING {
            return WHOLE.with_borrow_mut(|whole| {
                whole.clear();
                whole.extend_from_slice(header);
                whole.extend_from_slice(body);
                self.try_send(whole)
            });
        }
        let both = [IoSlice::new(header), IoSlice::new(body)];
        Ok(sendmsg(self, &both, &mut SendAncillaryBuffer::default(), NO_SIGNAL)?)
    }

    /// Waits until there may be room, after there was none.
    pub(super) async fn room(&self, control: &runtime::Handle) -> io::Result<()> {
        match self.ask_for_room(control) {
            Ok(room) => room.told().await,
            // Nobody tells.
            Err(_) => {
                sleep(ROOM_PAUSE).await;
                Ok(())
            }
        }
    }

    /// Asks for what tells when there is room.
    pub(super) fn ask_for_room(&self, control: &runtime::Handle) -> io::Result<&Room> {
        if let Some(room) = self.room.get() {
            room.ask(&self.descriptor)?;
            return Ok(room);
        }
        made_once(&self.room, || Room::of(&self.descriptor, control))
    }

    /// What was asked for.
    pub(super) fn asked(&self) -> Option<&Room> {
        self.room.get()
    }
}

/// What is there, or else is made. Should two make it at once, the later one's is dropped; but who reads is the control plane alone, and of who
/// waits for room there is one at a time, since handlers do so only while nothing waits to be sent.
fn made_once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> io::Result<T>) -> io::Result<&T> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(target_os = "linux")]
fn accept_now(listener: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    use rustix::net::{SocketFlags, accept_with};
    accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
}

#[cfg(not(target_os = "linux"))]
fn accept_now(listener: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
    let socket = rustix::net::accept(listener)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    Ok(socket)
}
