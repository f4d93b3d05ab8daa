//! Having a daemon retire that another build, or a hung one, stands in the way of.

use rustix::process::{Pid, Signal};

use super::ClientError;
use crate::instance::Holder;
use crate::limits::RETIRE_LIMIT;

/// Asks the daemon to retire and waits until it has given up its socket. Its commands run on. One that doesn't react is
/// killed.
///
/// Only for the holder of the start lock: no other daemon can take the lock's file over meanwhile, so its pid is the
/// daemon's for as long as the lock is held.
pub(super) fn retire(holder: &Holder) -> Result<(), ClientError> {
    let failed = |source| ClientError::Retire { source };
    let release = holder.wait_for_release().map_err(failed)?;
    for signal in [Signal::TERM, Signal::KILL] {
        if let Some(daemon) = Process::of(holder) {
            daemon.signal(signal);
        }
        if let Some(released) = release.within(RETIRE_LIMIT) {
            return released.map_err(|error| failed(error.into()));
        }
    }
    Err(ClientError::Unresponsive { pid: holder.pid().map(Pid::as_raw_pid) })
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
