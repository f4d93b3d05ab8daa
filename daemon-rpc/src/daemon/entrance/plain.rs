//! Where the kernel can't be asked to wake only one of several threads for a client, the control plane alone accepts.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Arrival;
use crate::daemon::Daemon;
use crate::daemon::command::Handler;
use crate::daemon::session::Running;
use crate::daemon::socket::Socket;
use crate::{fault, sys};

/// The listener.
pub(in crate::daemon) struct Entrance(AsyncFd<Arc<OwnedFd>>);

impl Entrance {
    /// One whose listener doesn't block.
    pub(in crate::daemon) fn new(_: &Arc<Daemon>, listener: UnixListener) -> io::Result<Self> {
        Ok(Self(sys::watch(Arc::new(listener.into()), Interest::READABLE)?))
    }

    /// Waits for the next client if it `accepts` any.
    pub(in crate::daemon) async fn next(&mut self, accepts: bool) -> io::Result<Arrival> {
        if !accepts {
            std::future::pending::<()>().await;
        }
        fault::at("accept")?;
        loop {
            let mut ready = self.0.readable().await?;
            match Socket::accept(self.0.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                accepted => return Ok(Arrival::Client(accepted?, BytesMut::new())),
            }
        }
    }

    /// There are no acceptors to be told.
    pub(in crate::daemon) fn set_crowded(&self, _: bool) {}

    /// There are none, so none has a command.
    pub(in crate::daemon) fn is_quiet(&self) -> bool {
        true
    }

    /// Those who have connected and were not accepted yet.
    pub(in crate::daemon) fn queued(&self) -> Vec<Socket> {
        Socket::accept_all(self.0.get_ref())
    }

    /// Lets nobody in any more. No commands have begun here.
    pub(in crate::daemon) fn close(self) -> (Vec<(Running, Handler)>, Acceptors) {
        (Vec::new(), Acceptors)
    }
}

/// None.
pub(in crate::daemon) struct Acceptors;

impl Acceptors {
    /// There are none to wait for.
    pub(in crate::daemon) fn join(self) {}
}
