//! Finding the daemon of this build: the one that serves, or a new one.

use super::connection::{Connection, Contact, Meeting};
use super::{ClientError, replace, start};
use crate::app::Program;
use crate::instance::{Instance, Life, LifeLock, StartLock};
use crate::limits::MAX_DYING_LISTENERS;

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
    let life = take_over(program, instance, &start, hung)?;
    start::start(program, instance, life)
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

/// Has the daemon that lives, if one does, retire, and takes the life lock in its place.
fn take_over(
    program: &Program,
    instance: &Instance,
    start: &StartLock,
    hung: bool,
) -> Result<LifeLock, ClientError> {
    let mut retired = false;
    let life = loop {
        match instance.lock_life(start)? {
            Life::Held(holder) => replace::retire(&holder)?,
            Life::Free(life) => break life,
        }
        retired = true;
    };
    // What was silent before, and was no daemon that could retire, needn't be waited for once more.
    let silent = hung && !retired;
    if is_free(program, instance, silent)? {
        Ok(life)
    } else {
        Err(not_a_daemon(instance, "it doesn't answer as one".into()))
    }
}

/// Whether the socket's path can be used, now that the life lock is ours. No daemon serves without that lock, so whatever
/// listens there is none, with two exceptions. A daemon whose pid file somebody has removed retires as soon as it finds
/// out. And of a daemon that was killed, the system may have released the lock already and its socket not yet; whoever
/// connects then is soon disconnected.
fn is_free(program: &Program, instance: &Instance, silent: bool) -> Result<bool, ClientError> {
    if silent {
        return Ok(matches!(Connection::open(program, instance)?, Contact::Nobody));
    }
    for _ in 0..MAX_DYING_LISTENERS {
        match Connection::meet(program, instance, program.settings.handshake_timeout)? {
            Meeting::Nobody | Meeting::Agreed(_) | Meeting::OtherBuild => return Ok(true),
            Meeting::Closed => {}
            Meeting::TimedOut | Meeting::Foreign(_) => return Ok(false),
        }
    }
    Ok(false)
}

fn not_a_daemon(instance: &Instance, reason: String) -> ClientError {
    ClientError::NotADaemon { path: instance.socket().to_owned(), reason }
}
