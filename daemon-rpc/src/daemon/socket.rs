//! One client's socket: the control plane waits for it, and whoever has something to say writes to it.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::OnceLock;

use bytes::BytesMut;
use rustix::io::retry_on_intr;
use rustix::net::{SendAncillaryBuffer, send, sendmsg};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use crate::limits::ROOM_PAUSE;
use crate::retry::{NO_SIGNAL, may_retry};
use crate::{fault, sys};

/// A message so short is copied behind its header, which costs less than handing the kernel both.
const WORTH_COPYING: usize = 256;

/// A client's socket.
///
/// It is watched for something to read only. The kernel would tell of room to write whenever the client has read, which wakes the
/// control plane for nothing unless somebody waits for room.
#[derive(Debug)]
pub(crate) struct Socket {
    readable: AsyncFd<OwnedFd>,
    /// The same socket, watched for room from when somebody has waited for that first.
    writable: OnceLock<AsyncFd<OwnedFd>>,
}

impl Socket {
    /// One that doesn't block, watched by the runtime that this is called in.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self { readable: sys::watch(socket, Interest::READABLE)?, writable: OnceLock::new() })
    }

    /// The user at the other end.
    pub(super) fn peer_uid(&self) -> io::Result<u32> {
        sys::peer_uid(self)
    }

    /// Waits for something to read and appends it, with room for `room` bytes at least. 0 means that the client has closed.
    pub(super) async fn receive(&self, buffer: &mut BytesMut, room: usize) -> io::Result<usize> {
        loop {
            let mut ready = self.readable.readable().await?;
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
        let length = header.len() + body.len();
        let mut whole = [0; WORTH_COPYING];
        if let Some(whole) = whole.get_mut(..length) {
            let (first, second) = whole.split_at_mut(header.len());
            first.copy_from_slice(header);
            second.copy_from_slice(body);
            return self.try_send(whole);
        }
        let both = [IoSlice::new(header), IoSlice::new(body)];
        Ok(sendmsg(self, &both, &mut SendAncillaryBuffer::default(), NO_SIGNAL)?)
    }

    /// Waits until there may be room, after there was none. For the control plane alone.
    pub(super) async fn room(&self) -> io::Result<()> {
        match self.writable() {
            Ok(writable) => {
                writable.writable().await?.clear_ready();
                Ok(())
            }
            // Without a descriptor to watch, nobody tells.
            Err(_) => {
                sleep(ROOM_PAUSE).await;
                Ok(())
            }
        }
    }

    fn writable(&self) -> io::Result<&AsyncFd<OwnedFd>> {
        if let Some(writable) = self.writable.get() {
            return Ok(writable);
        }
        // The system watches a descriptor only once.
        let second = self.as_fd().try_clone_to_owned()?;
        let writable = sys::watch(second, Interest::WRITABLE)?;
        Ok(self.writable.get_or_init(|| writable))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readable.as_fd()
    }
}

/// A listener that the control plane waits for.
#[derive(Debug)]
pub(super) struct Listener(AsyncFd<OwnedFd>);

impl Listener {
    /// One that doesn't block.
    pub(super) fn new(listener: UnixListener) -> io::Result<Self> {
        sys::watch(listener.into(), Interest::READABLE).map(Self)
    }

    /// Waits for the next client.
    pub(super) async fn accept(&self) -> io::Result<Socket> {
        fault::at("accept")?;
        loop {
            let mut ready = self.0.readable().await?;
            match self.accept_now() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                accepted => return accepted.and_then(Socket::new),
            }
        }
    }

    /// Those who have connected and were not accepted yet.
    pub(super) fn queued(&self) -> Vec<Socket> {
        // It doesn't wait, so its end is an error.
        std::iter::from_fn(|| self.accept_now().and_then(Socket::new).ok()).collect()
    }

    #[cfg(target_os = "linux")]
    fn accept_now(&self) -> io::Result<OwnedFd> {
        use rustix::net::{SocketFlags, accept_with};
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        Ok(retry_on_intr(|| accept_with(&self.0, flags))?)
    }

    #[cfg(not(target_os = "linux"))]
    fn accept_now(&self) -> io::Result<OwnedFd> {
        use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
        let socket = retry_on_intr(|| rustix::net::accept(&self.0))?;
        fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
        ioctl_fionbio(&socket, true)?;
        Ok(socket)
    }
}
