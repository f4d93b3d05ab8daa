//! The daemon that lives: who it is, and having it give up its files.

use std::fs::File;
use std::io;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Flock, FlockType, Pid, Signal, fcntl_getlk};

use super::lock::lock;
use super::{Instance, InstanceError, file};
use crate::deadline::Pending;
use crate::fault;
use crate::limits::{RETIRE_LIMIT, RETIRE_ROUNDS};

/// The file that a living daemon keeps locked.
#[derive(Debug)]
pub(crate) struct Holder {
    file: File,
}

impl Instance {
    /// The daemon that has named itself, if one lives. Takes no lock, so it is in nobody's way.
    pub(crate) fn holder(&self) -> Result<Option<Holder>, InstanceError> {
        let file = file::open_own_if_there(&self.pid())?;
        Ok(file.map(Holder::of).filter(Holder::is_named))
    }
}

impl Holder {
    /// The daemon that holds the lock on this file.
    pub(super) fn of(file: File) -> Self {
        Self { file }
    }

    /// Whether a process has named itself as the daemon, and lives.
    pub(super) fn is_named(&self) -> bool {
        self.named().is_some()
    }

    /// The daemon, as the kernel tells it: the process that named itself in the file and lives. `None` for one that hasn't yet,
    /// or that this process can't see.
    pub(crate) fn pid(&self) -> Option<Pid> {
        self.named()?.pid
    }

    fn named(&self) -> Option<Flock> {
        fcntl_getlk(&self.file, &Flock::from(FlockType::WriteLock)).ok()?
    }

    /// Asks the daemon to retire and waits until it has given up its files. Its commands run on. One that doesn't react is
    /// killed.
    ///
    /// Only for the holder of the start lock: no other daemon can take the lock's file over meanwhile, so its pid is the
    /// daemon's for as long as the lock is held.
    pub(crate) fn retire(&self, with: Signal) -> Result<(), InstanceError> {
        let failed = |source| InstanceError::Retire { source };
        let released = self.released().map_err(failed)?;
        let mut signals = [with, Signal::KILL].into_iter();
        fault::passing("retire");
        for _ in 0..RETIRE_ROUNDS {
            // One that is coming up names itself in a moment, and then heeds a signal.
            if let Some(daemon) = Process::of(self)
                && let Some(signal) = signals.next()
            {
                daemon.signal(signal);
            }
            if let Some(released) = released.within(RETIRE_LIMIT) {
                return released.map_err(|error| failed(error.into()));
            }
        }
        Err(InstanceError::Unresponsive { pid: self.pid().map(Pid::as_raw_pid) })
    }

    /// Whether the daemon gives up its files within this time, unasked.
    pub(crate) fn goes_within(&self, limit: Duration) -> Result<bool, InstanceError> {
        let released = self.released().map_err(|source| InstanceError::Retire { source })?;
        Ok(released.within(limit).is_some())
    }

    /// Waits, in a thread, until the daemon has given up the lock.
    fn released(&self) -> io::Result<Pending<rustix::io::Result<()>>> {
        let file = self.file.try_clone()?;
        Pending::start(move || lock(&file).and_then(|()| flock(&file, FlockOperation::Unlock)))
    }
}

/// A living process, which on Linux is never mistaken for a later one with the same number.
#[derive(Debug)]
struct Process {
    #[cfg(target_os = "linux")]
    descriptor: rustix::fd::OwnedFd,
    #[cfg(not(target_os = "linux"))]
    pid: Pid,
}

impl Process {
    /// The process that holds the lock, if it is still there.
    #[cfg(target_os = "linux")]
    fn of(holder: &Holder) -> Option<Self> {
        let pid = holder.pid()?;
        let descriptor = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()?;
        // Had the daemon died before the descriptor was opened, the lock would be nobody's by now.
        (holder.pid() == Some(pid)).then_some(Self { descriptor })
    }

    #[cfg(not(target_os = "linux"))]
    fn of(holder: &Holder) -> Option<Self> {
        holder.pid().map(|pid| Self { pid })
    }

    fn signal(&self, signal: Signal) {
        // It fails only where the process is gone, or isn't ours to signal: the lock tells which.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::pidfd_send_signal(&self.descriptor, signal);
        #[cfg(not(target_os = "linux"))]
        let _ = rustix::process::kill_process(self.pid, signal);
    }
}
