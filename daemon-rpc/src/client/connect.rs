//! Finding the daemon of this build: the one that serves, or a new one.

use std::time::Duration;

use rustix::process::Signal;

use super::connection::{Connection, Contact, Meeting};
use super::{ClientError, start};
use crate::app::Program;
use crate::instance::{Instance, Life, LifeLock, Release, StartLock};
use crate::limits::{DRAIN_LIMIT, MAX_DYING_LISTENERS, STOP_MARGIN, SUPERVISOR_PATIENCE};

/// What came of a look at the socket.
#[derive(Debug)]
enum Look {
    /// A daemon of this build, ready for a command.
    Ready(Connection),
    /// A daemon that doesn't answer in time.
    Hung,
    /// No daemon, one that is just going, or one of another build.
    NoneOfThisBuild,
}

/// Who has the daemon's place, once no daemon has it.
#[derive(Debug)]
pub(super) enum Place {
    /// Nobody: the lock is ours, to start a daemon with.
    Free(LifeLock),
    /// A supervisor, such as systemd, listens there and starts the daemon itself.
    Supervised(Supervised),
}

/// A connection that waits in a supervisor's queue.
#[derive(Debug)]
pub(super) struct Supervised {
    peer: Connection,
    /// This process has had a daemon retire that the supervisor had started.
    retired: bool,
}

/// Connects to a daemon of this build, starting or replacing one where needed. `None` if the one that was started has
/// retired already.
pub(super) fn connect(program: &Program, instance: &Instance) -> Result<Option<Connection>, ClientError> {
    let hung = match look(program, instance)? {
        Look::Ready(daemon) => return Ok(Some(daemon)),
        Look::Hung => true,
        Look::NoneOfThisBuild => false,
    };
    let (start, waited) = instance.lock_start()?;
    // Somebody may have put things right meanwhile. Only a daemon that just failed to answer, and that nobody was
    // starting, needn't be asked a second time.
    if (waited || !hung)
        && let Look::Ready(daemon) = look(program, instance)?
    {
        return Ok(Some(daemon));
    }
    let place = take_over(program, instance, &start, hung)?;
    fill(program, instance, place, start)
}

/// Has a daemon of this build in the place: a new one, or its supervisor's.
pub(super) fn fill(
    program: &Program,
    instance: &Instance,
    place: Place,
    start: StartLock,
) -> Result<Option<Connection>, ClientError> {
    match place {
        Place::Free(life) => start::start(program, instance, life),
        Place::Supervised(supervised) => {
            // Whom the supervisor starts needs it.
            drop(start);
            supervised.wait(program, instance)
        }
    }
}

/// Asks whoever listens at the socket who he is.
fn look(program: &Program, instance: &Instance) -> Result<Look, ClientError> {
    match Connection::meet(program, instance, program.settings.handshake_timeout)? {
        Meeting::Agreed(daemon) => Ok(Look::Ready(daemon)),
        Meeting::Nobody | Meeting::OtherBuild | Meeting::Closed => Ok(Look::NoneOfThisBuild),
        Meeting::TimedOut => Ok(Look::Hung),
        Meeting::Foreign(reason) => Err(not_a_daemon(instance, reason)),
    }
}

/// Has the daemon that lives, if one does, retire, and takes the life lock in its place, unless a supervisor is there.
pub(super) fn take_over(
    program: &Program,
    instance: &Instance,
    start: &StartLock,
    hung: bool,
) -> Result<Place, ClientError> {
    let mut release = None;
    let life = loop {
        match instance.lock_life(start)? {
            Life::Held(holder) => release = Some(holder.retire(Signal::TERM)?),
            Life::Free(life) => break life,
        }
    };
    let is_free = match release {
        // It has removed its socket, unless that is somebody else's.
        Some(Release::Retired) => false,
        // What was silent before needn't be asked once more.
        None if hung => false,
        Some(Release::Killed) | None => is_free(program, instance)?,
    };
    if is_free {
        return Ok(Place::Free(life));
    }
    match Connection::open(program, instance)? {
        Contact::Nobody => Ok(Place::Free(life)),
        Contact::Peer(peer) => Ok(Place::Supervised(Supervised { peer, retired: release.is_some() })),
        Contact::QueueFull => Err(not_a_daemon(instance, SILENT.into())),
    }
}

/// Whether the socket's path can be used, now that the life lock is ours. No daemon serves without that lock, so whatever
/// listens there is none, with two exceptions. A daemon whose pid file somebody has removed retires as soon as it finds
/// out. And of a daemon that was killed, the system may have released the lock already and its socket not yet; whoever
/// connects then is soon disconnected.
fn is_free(program: &Program, instance: &Instance) -> Result<bool, ClientError> {
    for _ in 0..MAX_DYING_LISTENERS {
        match Connection::meet(program, instance, program.settings.handshake_timeout)? {
            Meeting::Nobody | Meeting::Agreed(_) | Meeting::OtherBuild => return Ok(true),
            Meeting::Closed => {}
            Meeting::TimedOut => return Ok(false),
            Meeting::Foreign(reason) => return Err(not_a_daemon(instance, reason)),
        }
    }
    Err(not_a_daemon(instance, SILENT.into()))
}

impl Supervised {
    /// Waits for the daemon that the supervisor starts for those in its queue.
    fn wait(self, program: &Program, instance: &Instance) -> Result<Option<Connection>, ClientError> {
        // A supervisor starts the next daemon when the last one has ended, and not before.
        let start = program.settings.handshake_timeout.saturating_mul(SUPERVISOR_PATIENCE);
        let last_ones_end = if self.retired {
            DRAIN_LIMIT + program.settings.grace_period + STOP_MARGIN
        } else {
            Duration::ZERO
        };
        match self.peer.handshake(&program.build, start.saturating_add(last_ones_end))? {
            Meeting::Agreed(daemon) => Ok(Some(daemon)),
            Meeting::OtherBuild if self.retired => {
                Err(ClientError::SupervisorsBuild { path: instance.socket().to_owned() })
            }
            Meeting::Nobody | Meeting::Closed | Meeting::OtherBuild => Ok(None),
            Meeting::TimedOut => Err(not_a_daemon(instance, SILENT.into())),
            Meeting::Foreign(reason) => Err(not_a_daemon(instance, reason)),
        }
    }
}

const SILENT: &str = "it doesn't answer as one";

fn not_a_daemon(instance: &Instance, reason: String) -> ClientError {
    ClientError::NotADaemon { path: instance.socket().to_owned(), reason }
}
