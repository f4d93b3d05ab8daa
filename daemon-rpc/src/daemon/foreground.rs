//! Taking up the daemon's place without a client that has prepared it: for supervisors and debuggers.

use std::env;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::process::{Pid, Signal};
use rustix::stdio::dup2_stdin;

use super::DaemonError;
use super::handover::{Handover, listener};
use super::supervisor::{Supervisor, passed_sockets};
use crate::instance::{Instance, Life, LifeLock, ServedFiles, StartLock};

/// Takes the locks, and the socket that a supervisor has passed or a new one. Refused while a daemon serves.
pub(super) fn take_up(instance: &Instance) -> Result<Handover, DaemonError> {
    let passed = passed_socket(instance, passed_sockets()?)?;
    // After the paths have been made absolute.
    env::set_current_dir("/")?;
    dup2_stdin(File::open("/dev/null")?)?;
    let (start, _) = instance.lock_start()?;
    let (listener, files) = match passed {
        Some(listener) => {
            let life = succeed(instance, &start)?;
            (listener, ServedFiles::at_supervisors_socket(instance, life)?)
        }
        None => {
            let life = if_nobody_serves(instance, &start)?;
            let listener = instance.bind(&life)?;
            listener.set_nonblocking(true)?;
            (listener, ServedFiles::new(instance, life)?)
        }
    };
    Ok(Handover { listener, files, start: Some(start), supervisor: Some(Supervisor::of_this_process()) })
}

fn passed_socket(instance: &Instance, passed: Vec<OwnedFd>) -> Result<Option<UnixListener>, DaemonError> {
    if passed.is_empty() {
        return Ok(None);
    }
    match passed.into_iter().find_map(|descriptor| listener(instance, descriptor).transpose()) {
        Some(listener) => listener.map(Some).map_err(Into::into),
        None => Err(DaemonError::OtherSocket { path: instance.socket().to_owned() }),
    }
}

/// The life lock, also if a daemon holds it: with the supervisor's socket in the place of its own, nobody finds that one any more.
fn succeed(instance: &Instance, start: &StartLock) -> Result<LifeLock, DaemonError> {
    loop {
        match instance.lock_life(start)? {
            Life::Free(life) => return Ok(life),
            Life::Held(holder) => drop(holder.retire(Signal::TERM)?),
        }
    }
}

fn if_nobody_serves(instance: &Instance, start: &StartLock) -> Result<LifeLock, DaemonError> {
    match instance.lock_life(start)? {
        Life::Held(holder) => Err(DaemonError::AlreadyServed { pid: holder.pid().map(Pid::as_raw_pid) }),
        // Nobody of ours. A supervisor may have the socket for whoever it starts.
        Life::Free(_) if instance.has_socket()? && UnixStream::connect(instance.socket()).is_ok() => {
            Err(DaemonError::SocketInUse { path: instance.socket().to_owned() })
        }
        Life::Free(life) => Ok(life),
    }
}
