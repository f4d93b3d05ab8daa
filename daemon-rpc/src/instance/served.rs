//! The files of a daemon that serves, and their end.

use std::io;
use std::os::fd::OwnedFd;

use super::socket::SocketFile;
use super::{Instance, InstanceError, LifeLock};

/// The socket and the locked pid file. They go when this goes, also in a panic.
#[derive(Debug)]
pub(crate) struct ServedFiles {
    files: Option<(SocketFile, LifeLock)>,
}

impl ServedFiles {
    /// The files as they are now. For the holder of the life lock, whose socket it therefore is.
    pub(crate) fn new(instance: &Instance, life: LifeLock) -> Result<Self, InstanceError> {
        Ok(Self { files: Some((SocketFile::of(instance)?, life)) })
    }

    /// Whether the paths still lead to these files. Without the socket nobody finds the daemon, and without the pid file
    /// nobody can have it retire.
    pub(crate) fn are_in_place(&self) -> bool {
        self.files.as_ref().is_some_and(|(socket, life)| socket.is_in_place() && life.is_in_place())
    }

    /// Names this process as the daemon, which from here on must know what to do with a signal.
    pub(crate) fn write_pid(&mut self) -> Result<(), InstanceError> {
        self.files.as_mut().map_or(Ok(()), |(_, life)| life.write_pid())
    }

    /// A descriptor of the life lock for the daemon.
    pub(crate) fn share_life_lock(&self) -> io::Result<OwnedFd> {
        match &self.files {
            Some((_, life)) => life.share(),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Leaves the files to the daemon that shares the life lock by now.
    pub(crate) fn hand_over(mut self) {
        drop(self.files.take());
    }
}

impl Drop for ServedFiles {
    /// The socket first, so that nobody connects any more; the lock last, so that nobody puts new files there before the
    /// old ones are gone.
    fn drop(&mut self) {
        if let Some((socket, life)) = self.files.take() {
            socket.remove();
            life.release();
        }
    }
}
