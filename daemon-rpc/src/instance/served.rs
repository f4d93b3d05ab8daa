//! The files of a daemon that serves, and their end.

use std::io;
use std::os::fd::OwnedFd;

use super::socket::SocketFile;
use super::{Instance, InstanceError, LifeLock};

/// The socket and the locked pid file. They go when this goes, also in a panic.
///
/// The fields go in their order: the socket first, so that nobody connects any more; the lock last, so that nobody puts new
/// files there before the old ones are gone.
#[derive(Debug)]
pub(crate) struct ServedFiles {
    socket: SocketFile,
    life: LifeLock,
}

impl ServedFiles {
    /// The files as they are now. For the holder of the life lock, whose socket it therefore is.
    pub(crate) fn new(instance: &Instance, life: LifeLock) -> Result<Self, InstanceError> {
        Ok(Self { socket: SocketFile::of(instance)?, life })
    }

    /// Whether the paths still lead to these files. Without the socket nobody finds the daemon, and without the pid file
    /// nobody can have it retire.
    pub(crate) fn are_in_place(&self) -> bool {
        self.socket.is_in_place() && self.life.is_in_place()
    }

    /// Names this process as the daemon, which from here on must know what to do with a signal.
    pub(crate) fn write_pid(&mut self) -> Result<(), InstanceError> {
        self.life.write_pid()
    }

    /// A descriptor of the life lock for the daemon.
    pub(crate) fn share_life_lock(&self) -> io::Result<OwnedFd> {
        self.life.share()
    }

    /// Leaves the files to the daemon that shares the life lock by now.
    pub(crate) fn hand_over(self) {
        self.socket.hand_over();
        self.life.hand_over();
    }
}
