//! What an operator does with a daemon: asks how it is, stops it, restarts it.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::ClientError;
use super::connect::{connect, take_over};
use super::connection::{Connection, Contact, Received};
use crate::app::Program;
use crate::instance::{Instance, InstanceError, Life, StartLock};
use crate::limits::{MAX_ATTEMPTS, STATUS_BEFORE_STOP, WAITING_NOTICE};
use crate::protocol::{Message, StatusReply, StatusRequest};
use crate::settings::FOREVER;

/// An operator has a question instead.
const NO_COMMAND: &[u8] = &[];

/// What an operator has to wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    /// Another process starts or stops a daemon.
    StartLock,
    /// The daemon gives up its socket.
    Release,
    /// The daemon loads the application's state.
    State,
}

/// How the daemon is. `None` if there is none, which is then not started.
pub(crate) fn status(program: &Program, instance: &Instance) -> Result<Option<StatusReply>, ClientError> {
    status_within(program, instance, program.settings.handshake_timeout)
}

fn status_within(
    program: &Program,
    instance: &Instance,
    limit: Duration,
) -> Result<Option<StatusReply>, ClientError> {
    let Some(holder) = instance.holder()? else {
        return Ok(None);
    };
    let no_answer = || ClientError::NoAnswer { pid: holder.pid().map(Pid::as_raw_pid), log: instance.log() };
    let answer = match Connection::open(program, instance)? {
        Contact::Peer(daemon) => daemon.ask(StatusRequest::default(), limit)?,
        Contact::Nobody => Some(Received::Closed),
        Contact::QueueFull => None,
    };
    match answer {
        Some(Received::Message(Message::StatusReply(status))) => Ok(Some(status)),
        // It retires, and is none in a moment.
        Some(Received::Closed) if holder.goes_within(limit)? => Ok(None),
        _ => Err(no_answer()),
    }
}

/// What is known of a daemon that was stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Last {
    pub(crate) pid: Option<u32>,
    /// How many commands it ran, if it told.
    pub(crate) running: u64,
}

/// Has the daemon retire, and returns when its socket is free. `None` if there was no daemon.
pub(crate) fn stop(
    program: &Program,
    instance: &Instance,
    with: Signal,
    tell: &(dyn Fn(Wait) + Sync),
) -> Result<Option<Last>, ClientError> {
    let start = lock_start(instance, tell)?;
    let mut last = None;
    while let Life::Held(holder) = instance.lock_life(&start)? {
        // One that doesn't tell how it is has to go all the same.
        let status = status_within(program, instance, STATUS_BEFORE_STOP).ok().flatten();
        let pid = holder.pid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
        patiently(tell, Wait::Release, || holder.retire(with))?;
        last = Some(Last { pid, running: status.map_or(0, |status| status.running) });
    }
    Ok(last)
}

/// Has the daemon retire, if there is one, and starts the next. Returns when that is ready.
pub(crate) fn restart(
    program: &Program,
    instance: &Instance,
    tell: &(dyn Fn(Wait) + Sync),
) -> Result<StatusReply, ClientError> {
    let start = lock_start(instance, tell)?;
    let mut started =
        patiently(tell, Wait::Release, || take_over(program, instance, start, false, NO_COMMAND))?;
    for _ in 0..MAX_ATTEMPTS {
        if let Some(daemon) = started {
            let request = StatusRequest { when_loaded: true };
            match patiently(tell, Wait::State, || daemon.ask(request, FOREVER))? {
                Some(Received::Message(Message::StatusReply(status))) => return Ok(status),
                Some(Received::Message(Message::NotLoaded(error))) => {
                    return Err(ClientError::NotLoaded { error });
                }
                Some(Received::Message(Message::NotRun)) => {}
                _ => return Err(ClientError::DiedLoading { log: instance.log() }),
            }
        }
        // Another restart has had it retire. What that has started is as new.
        started = connect(program, instance, NO_COMMAND)?;
    }
    Err(ClientError::AlwaysRetiring)
}

fn lock_start(instance: &Instance, tell: &(dyn Fn(Wait) + Sync)) -> Result<StartLock, InstanceError> {
    patiently(tell, Wait::StartLock, || instance.lock_start()).map(|(start, _)| start)
}

/// Tells what is waited for, if that takes long.
fn patiently<T>(tell: &(dyn Fn(Wait) + Sync), what: Wait, wait: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (waiting, over) = channel::<()>();
        let notice = move || {
            if over.recv_timeout(WAITING_NOTICE) == Err(RecvTimeoutError::Timeout) {
                tell(what);
            }
        };
        // Where there can't be another thread, it is waited for in silence.
        let _ = thread::Builder::new().spawn_scoped(scope, notice);
        let result = wait();
        drop(waiting);
        result
    })
}
