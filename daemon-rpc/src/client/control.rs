//! What an operator does with a daemon: asks how it is, stops it, restarts it.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;

use rustix::process::{Pid, Signal};

use super::ClientError;
use super::connect::{fill, take_over};
use super::connection::{Connection, Contact, Received};
use crate::app::Program;
use crate::instance::{Instance, InstanceError, Life, StartLock};
use crate::limits::WAITING_NOTICE;
use crate::protocol::{Message, StatusReply, StatusRequest};
use crate::settings::FOREVER;

/// What an operator has to wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    /// Another process starts or stops a daemon.
    ForStartLock,
    /// The daemon gives up its socket.
    ForRelease,
}

/// How the daemon is. `None` if there is none, which is then not started.
pub(crate) fn status(program: &Program, instance: &Instance) -> Result<Option<StatusReply>, ClientError> {
    let Some(holder) = instance.holder()? else {
        return Ok(None);
    };
    let answer = match Connection::open(program, instance)? {
        Contact::Peer(daemon) => daemon.ask(StatusRequest::default(), program.settings.handshake_timeout)?,
        Contact::Nobody | Contact::QueueFull => None,
    };
    match answer {
        Some(Received::Message(Message::StatusReply(status))) => Ok(Some(status)),
        // It has gone meanwhile.
        _ if holder.pid().is_none() => Ok(None),
        _ => Err(ClientError::NoAnswer { pid: holder.pid().map(Pid::as_raw_pid), log: instance.log() }),
    }
}

/// Has the daemon retire, and returns when its socket is free: with what it still has to do, if it told, or `None` if there was no
/// daemon.
pub(crate) fn stop(
    program: &Program,
    instance: &Instance,
    with: Signal,
    tell: &(dyn Fn(Wait) + Sync),
) -> Result<Option<StatusReply>, ClientError> {
    let start = lock_start(instance, tell)?;
    let mut stopped = None;
    while let Life::Held(holder) = instance.lock_life(&start)? {
        // One that doesn't tell how it is has to go all the same.
        let status = status(program, instance).ok().flatten();
        let pid = holder.pid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
        patiently(tell, Wait::ForRelease, || holder.retire(with))?;
        stopped = Some(status.unwrap_or(StatusReply { pid, ..StatusReply::default() }));
    }
    Ok(stopped)
}

/// Has the daemon retire, if there is one, and starts the next. Returns when that is ready.
pub(crate) fn restart(
    program: &Program,
    instance: &Instance,
    tell: &(dyn Fn(Wait) + Sync),
) -> Result<StatusReply, ClientError> {
    let start = lock_start(instance, tell)?;
    let place = patiently(tell, Wait::ForRelease, || take_over(program, instance, &start, false))?;
    let daemon = fill(program, instance, place, start)?.ok_or(ClientError::AlwaysRetiring)?;
    match daemon.ask(StatusRequest { when_loaded: true }, FOREVER)? {
        Some(Received::Message(Message::StatusReply(status))) => Ok(status),
        Some(Received::Message(Message::NotLoaded(error))) => Err(ClientError::NotLoaded { error }),
        Some(Received::Message(Message::NotRun)) => Err(ClientError::AlwaysRetiring),
        _ => Err(ClientError::DiedLoading { log: instance.log() }),
    }
}

fn lock_start(instance: &Instance, tell: &(dyn Fn(Wait) + Sync)) -> Result<StartLock, InstanceError> {
    patiently(tell, Wait::ForStartLock, || instance.lock_start()).map(|(start, _)| start)
}

/// Tells what is waited for, if that takes long.
fn patiently<T>(tell: &(dyn Fn(Wait) + Sync), what: Wait, wait: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (waiting, over) = channel::<()>();
        scope.spawn(move || {
            if over.recv_timeout(WAITING_NOTICE) == Err(RecvTimeoutError::Timeout) {
                tell(what);
            }
        });
        let result = wait();
        drop(waiting);
        result
    })
}
