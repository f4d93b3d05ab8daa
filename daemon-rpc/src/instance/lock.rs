//! The two locks: one says that somebody is starting a daemon, the other that a daemon lives.
//!
//! Both are `flock`s, which the kernel releases when their holder dies, however it dies. A lock counts only while its
//! path still names the locked file: a file that was unlinked meanwhile is nobody's lock.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, fcntl_lock, flock, unlink};
use rustix::io::{Errno, retry_on_intr};

use crate::deadline::Pending;
use crate::fault;
use crate::limits::START_LOCK_LIMIT;

use super::file::{FileIdentity, file_error, open_own};
use super::{Holder, Instance, InstanceError};

/// Held by whoever is starting, replacing or stopping a daemon.
#[derive(Debug)]
pub(crate) struct StartLock {
    _file: File,
}

/// Held for as long as a daemon lives. Whoever starts a daemon takes it first and hands it over with the socket, so that
/// at no moment a socket is served without it. When it goes, so does its file.
#[derive(Debug)]
pub(crate) struct LifeLock {
    file: File,
    path: PathBuf,
    handed_over: bool,
}

/// What stands against starting a daemon.
#[derive(Debug)]
pub(crate) enum Life {
    /// Nothing: the lock is ours now.
    Free(LifeLock),
    /// A daemon lives.
    Held(Holder),
}

impl Instance {
    /// Takes the start lock, and says whether it had to wait for another to finish.
    pub(crate) fn lock_start(&self) -> Result<(StartLock, bool), InstanceError> {
        let path = self.lock();
        let mut waited = false;
        loop {
            fault::at("lock_start").map_err(|error| file_error(&path, error))?;
            let file = open_own(&path, OFlags::empty())?;
            if !try_lock(&file).map_err(|error| file_error(&path, error))? {
                waited = true;
                if !lock_within(START_LOCK_LIMIT, &file).map_err(|error| file_error(&path, error))? {
                    return Err(InstanceError::StartLockHeld { path });
                }
            }
            if is_in_place(&path, &file)? {
                return Ok((StartLock { _file: file }, waited));
            }
        }
    }

    /// Takes the life lock unless a daemon holds it. For the holder of the start lock, who may make the socket then.
    pub(crate) fn lock_life(&self, _start: &StartLock) -> Result<Life, InstanceError> {
        self.try_lock_life()
    }

    /// The same for a daemon whose supervisor has made the socket.
    pub(crate) fn try_lock_life(&self) -> Result<Life, InstanceError> {
        let path = self.pid();
        loop {
            fault::at("lock_life").map_err(|error| file_error(&path, error))?;
            let file = open_own(&path, OFlags::empty())?;
            let free = try_lock(&file).map_err(|error| file_error(&path, error))?;
            if is_in_place(&path, &file)? {
                return Ok(if free {
                    Life::Free(LifeLock { file, path, handed_over: false })
                } else {
                    Life::Held(Holder::of(file))
                });
            }
        }
    }
}

impl LifeLock {
    /// The lock as the starting client handed it over. `None` if somebody has removed its file since.
    pub(crate) fn inherited(instance: &Instance, descriptor: OwnedFd) -> Result<Option<Self>, InstanceError> {
        let path = instance.pid();
        let file = File::from(descriptor);
        // Only a descriptor of the one that was locked finds the lock its own.
        match try_lock(&file) {
            Ok(true) if is_in_place(&path, &file)? => Ok(Some(Self { file, path, handed_over: false })),
            Ok(true) => Ok(None),
            _ => Err(InstanceError::NotLocked { path }),
        }
    }

    /// A second descriptor of the same lock, to hand over. The lock lasts until the last one is closed.
    pub(super) fn share(&self) -> io::Result<OwnedFd> {
        self.file.try_clone().map(Into::into)
    }

    /// Names this process as the daemon: to the kernel, for clients, and in the file, for people. A number in a file can be that of a
    /// process long gone, or of another namespace. This lock's holder is the process itself, and nobody inherits it.
    ///
    /// On a full disk the file stays empty.
    pub(super) fn write_pid(&mut self) -> Result<(), InstanceError> {
        self.name_daemon().map_err(|error| file_error(&self.path, error))?;
        let line = format!("{}\n", std::process::id());
        let write = |file: &mut File| {
            fault::at("write_pid")?;
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(line.as_bytes())
        };
        match write(&mut self.file) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(()),
            written => written.map_err(|error| file_error(&self.path, error)),
        }
    }

    /// Names this process as the daemon to the kernel. The name goes when any part of the process closes the file, as a handler does that
    /// reads it.
    pub(super) fn name_daemon(&self) -> rustix::io::Result<()> {
        fcntl_lock(&self.file, FlockOperation::NonBlockingLockExclusive)
    }

    /// Whether the path still leads to the locked file.
    pub(super) fn is_in_place(&self) -> bool {
        is_in_place(&self.path, &self.file).unwrap_or(false)
    }

    /// Leaves the lock and its file to whoever shares it.
    pub(super) fn hand_over(mut self) {
        self.handed_over = true;
    }
}

impl Drop for LifeLock {
    /// Removes the file and gives up the lock, in this order: whoever gets the lock then sees that the file is gone.
    fn drop(&mut self) {
        if self.handed_over {
            return;
        }
        if self.is_in_place() && fault::at("unlink_pid").is_ok() {
            // Whoever removed it first did what was to be done.
            let _ = unlink(&self.path);
        }
        fault::passing("unlock");
        // First, so that the next daemon finds the name free, should the file have stayed.
        let _ = fcntl_lock(&self.file, FlockOperation::Unlock);
        // Said aloud because a copy of the descriptor may still be open in a client that just started this daemon.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

pub(super) fn try_lock(file: &File) -> rustix::io::Result<bool> {
    let attempt = || fault::at("flock").and_then(|()| flock(file, FlockOperation::NonBlockingLockExclusive));
    match retry_on_intr(attempt) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Waits for a lock, which no system call does with a time limit.
fn lock_within(limit: Duration, file: &File) -> io::Result<bool> {
    let file = file.try_clone()?;
    match Pending::start(move || lock(&file))?.within(limit) {
        Some(locked) => locked.map(|()| true).map_err(Into::into),
        None => Ok(false),
    }
}

pub(super) fn lock(file: &File) -> rustix::io::Result<()> {
    retry_on_intr(|| flock(file, FlockOperation::LockExclusive))
}

fn is_in_place(path: &Path, file: &File) -> Result<bool, InstanceError> {
    let locked = FileIdentity::of_file(file).map_err(|error| file_error(path, error))?;
    match FileIdentity::of_path(path) {
        Ok(there) => Ok(there == locked),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file_error(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_the_file_is_nobodys_pid() {
        let directory = tempfile::tempdir().unwrap();
        let instance = Instance::of(directory.path().to_owned(), "test".into());
        std::fs::write(instance.pid(), format!("{}\n", std::process::id())).unwrap();
        let (start, _) = instance.lock_start().unwrap();
        let Life::Free(_life) = instance.lock_life(&start).unwrap() else { panic!("nobody else is here") };
        let Life::Held(holder) = instance.lock_life(&start).unwrap() else { panic!("it is locked") };
        assert!(!holder.is_named());
    }
}
