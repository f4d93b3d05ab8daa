//! Finding the daemon of this build: the one that serves, or a new one.

use std::thread;

use rustix::process::Signal;

use super::connection::{Connection, Contact, Meeting};
use super::{ClientError, start};
use crate::app::Program;
use crate::instance::{Instance, Life, StartLock};
use crate::limits::{
    DRAIN_LIMIT, MAX_DISCONNECTIONS, MAX_DYING_LISTENERS, ORPHAN_PAUSE, STOP_MARGIN, SUPERVISOR_PATIENCE,
};

/// What came of a look at the socket.
#[derive(Debug)]
enum Look {
    /// A daemon of this build, ready for a command.
    Ready(Connection),
    /// A daemon that doesn't answer in time.
    Hung,
    /// One that has disconnected us before it answered: it is just going, or has no room for whoever doesn't speak at once.
    Disconnected,
    /// No daemon, or one of another build.
    NoneOfThisBuild,
}

/// Connects to a daemon of this build, starting or replacing one where needed, and sends it what there is room for of `command`. `None` if
/// that one has retired already, or is just retiring.
pub(super) fn connect(
    program: &Program,
    instance: &Instance,
    command: &[u8],
) -> Result<Option<Connection>, ClientError> {
    let hung = match look(program, instance, command)? {
        Look::Ready(daemon) => return Ok(Some(daemon)),
        Look::Hung => true,
        Look::Disconnected | Look::NoneOfThisBuild => false,
    };
    let (start, waited) = instance.lock_start()?;
    // Somebody may have put things right meanwhile. Only a daemon that just failed to answer, and that nobody was
    // starting, needn't be asked a second time.
    take_over(program, instance, start, waited || !hung, command)
}

/// Takes the place of the daemon that lives, if one does, unless that is asked again and is of this build. Nobody is waited for with
/// the start lock held but a daemon that lives: whom a supervisor starts may need that lock.
pub(super) fn take_over(
    program: &Program,
    instance: &Instance,
    start: StartLock,
    mut ask_again: bool,
    command: &[u8],
) -> Result<Option<Connection>, ClientError> {
    let mut retired = false;
    let mut disconnected = 0;
    let life = loop {
        match instance.lock_life(&start)? {
            Life::Free(life) => break life,
            Life::Held(_) if std::mem::take(&mut ask_again) => {
                match look(program, instance, command)? {
                    Look::Ready(daemon) => return Ok(Some(daemon)),
                    // One that is well does so too. Only who never gets an answer takes it for one that isn't.
                    Look::Disconnected if disconnected < MAX_DISCONNECTIONS => {
                        disconnected += 1;
                        ask_again = true;
                    }
                    Look::Disconnected | Look::Hung | Look::NoneOfThisBuild => {}
                }
            }
            Life::Held(holder) => {
                holder.retire(Signal::TERM)?;
                retired = true;
            }
        }
    };
    match Connection::open(program, instance)? {
        Contact::Nobody => start::start(program, instance, life, command),
        Contact::Peer(peer) => {
            drop(life);
            drop(start);
            wait(program, instance, peer, retired, command)
        }
        Contact::QueueFull => Err(not_a_daemon(instance, SILENT.into())),
    }
}

/// Asks whoever listens at the socket who he is.
fn look(program: &Program, instance: &Instance, command: &[u8]) -> Result<Look, ClientError> {
    match Connection::meet(program, instance, program.settings.handshake_timeout, command)? {
        Meeting::Agreed(daemon) => Ok(Look::Ready(daemon)),
        Meeting::Closed => Ok(Look::Disconnected),
        Meeting::Nobody | Meeting::OtherBuild => Ok(Look::NoneOfThisBuild),
        Meeting::TimedOut => Ok(Look::Hung),
        Meeting::Foreign(reason) => Err(not_a_daemon(instance, reason)),
    }
}

/// Waits for whoever listens although no daemon has the life lock, and whose socket it therefore isn't ours to remove. Mostly that is a
/// supervisor, such as systemd, who starts the daemon for those in his queue. It can be a daemon whose pid file somebody has removed,
/// which retires as soon as it finds out, or the socket of one that was killed, which the system hasn't closed yet.
fn wait(
    program: &Program,
    instance: &Instance,
    mut peer: Connection,
    retired: bool,
    command: &[u8],
) -> Result<Option<Connection>, ClientError> {
    let start = program.settings.handshake_timeout.saturating_mul(SUPERVISOR_PATIENCE);
    // A supervisor starts the next daemon when the last one has ended, and not before.
    let last_ones_end = program.settings.grace_period.saturating_add(DRAIN_LIMIT + STOP_MARGIN);
    for _ in 0..MAX_DYING_LISTENERS {
        match peer.handshake(&program.build, start.saturating_add(last_ones_end), command)? {
            Meeting::Agreed(daemon) => return Ok(Some(daemon)),
            Meeting::OtherBuild if retired => {
                return Err(ClientError::SupervisorsBuild { path: instance.socket().to_owned() });
            }
            Meeting::OtherBuild => {
                thread::sleep(ORPHAN_PAUSE);
                return Ok(None);
            }
            Meeting::TimedOut => break,
            Meeting::Foreign(reason) => return Err(not_a_daemon(instance, reason)),
            Meeting::Nobody | Meeting::Closed => match Connection::open(program, instance)? {
                Contact::Nobody => return Ok(None),
                Contact::Peer(next) => peer = next,
                Contact::QueueFull => break,
            },
        }
    }
    Err(not_a_daemon(instance, SILENT.into()))
}

/// It may be a supervisor as well.
const SILENT: &str = "it doesn't answer as one; if it is a supervisor, see why it starts no daemon";

fn not_a_daemon(instance: &Instance, reason: String) -> ClientError {
    ClientError::NotADaemon { path: instance.socket().to_owned(), reason }
}
