//! Taking up the daemon's place without a client that has prepared it: for supervisors and debuggers.

use std::env;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::net::SocketType;
use rustix::net::sockopt::socket_type;
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
    let supervisor = Some(Supervisor::of_this_process());
    match passed {
        Some(listener) => {
            let files = ServedFiles::at_supervisors_socket(instance, succeed(instance)?)?;
            Ok(Handover { listener, files, start: None, supervisor })
        }
        None => {
            let (start, _) = instance.lock_start()?;
            let life = if_nobody_serves(instance, &start)?;
            let listener = instance.bind(&life)?;
            listener.set_nonblocking(true)?;
            let files = ServedFiles::new(instance, life)?;
            Ok(Handover { listener, files, start: Some(start), supervisor })
        }
    }
}

fn passed_socket(instance: &Instance, passed: Vec<OwnedFd>) -> Result<Option<UnixListener>, DaemonError> {
    if passed.is_empty() {
        return Ok(None);
    }
    let is_listener =
        |descriptor: &OwnedFd| socket_type(descriptor) == Ok(SocketType::STREAM) && listens(descriptor);
    let mut listeners = passed.into_iter().filter(is_listener);
    match listeners.find_map(|descriptor| listener(instance, descriptor).transpose()) {
        Some(listener) => listener.map(Some).map_err(Into::into),
        None => Err(DaemonError::OtherSocket { path: instance.socket().to_owned() }),
    }
}

#[cfg(not(target_vendor = "apple"))]
fn listens(socket: &OwnedFd) -> bool {
    rustix::net::sockopt::socket_acceptconn(socket) == Ok(true)
}

/// Apple's systems name that option and don't answer it. A connection has a peer, which a listener hasn't; a socket that is only bound can't be
/// told from one.
#[cfg(target_vendor = "apple")]
fn listens(socket: &OwnedFd) -> bool {
    rustix::net::getpeername(socket).err() == Some(rustix::io::Errno::NOTCONN)
}

/// The life lock, also if a daemon holds it: with the supervisor's socket in the place of its own, nobody finds that one any more.
///
/// Where no daemon does, the start lock isn't needed: a client who holds it may wait for this very daemon.
fn succeed(instance: &Instance) -> Result<LifeLock, DaemonError> {
    if let Life::Free(life) = instance.try_lock_life()? {
        return Ok(life);
    }
    let (start, _) = instance.lock_start()?;
    loop {
        match instance.lock_life(&start)? {
            Life::Free(life) => return Ok(life),
            Life::Held(holder) => holder.retire(Signal::TERM)?,
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
