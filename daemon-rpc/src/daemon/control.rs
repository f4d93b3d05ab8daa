//! The control loop: accepts clients until there is a reason to retire, then sees the running commands out.

use std::fmt;
use std::fs::File;
use std::future::pending;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustix::process::Signal;
use tokio::select;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tracing::{error, info, warn};

use super::entrance::{Arrival, Entrance};
use super::handover::Handover;
use super::session::Visit;
use super::socket::Socket;
use super::supervisor::Supervisor;
use super::{Daemon, DaemonError, Load, session, setup};
use crate::instance::ServedFiles;
use crate::limits::{ACCEPT_PAUSE, DRAIN_LIMIT, FILES_CHECK_INTERVAL, STOP_MARGIN};
use crate::{fault, sys};

/// Why a daemon retires.
#[derive(Debug)]
enum Reason {
    Asked(Signal),
    Idle(Duration),
    FilesGone,
    HandlerBlocked,
    NotLoaded(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked(Signal::TERM) => formatter.write_str("it was sent SIGTERM"),
            Self::Asked(Signal::INT) => formatter.write_str("it was sent SIGINT"),
            Self::Asked(Signal::HUP) => formatter.write_str("it was sent SIGHUP"),
            Self::Asked(_) => formatter.write_str("it was sent SIGQUIT, not to wait for its commands"),
            Self::Idle(timeout) => write!(formatter, "it had no connection for {timeout:?}"),
            Self::HandlerBlocked => formatter.write_str("an aborted command blocks its thread"),
            Self::NotLoaded(error) => write!(formatter, "it can't get ready: {error}"),
            Self::FilesGone => formatter.write_str("its socket or its pid file was removed or replaced"),
        }
    }
}

/// Serves, retires, and returns when the last command has ended.
pub(super) async fn serve(daemon: &Arc<Daemon>, handover: Handover) -> Result<(), DaemonError> {
    let Handover { listener, files, start, supervisor } = handover;
    fault::at("serve")?;
    let mut entrance = Entrance::new(daemon, listener)?;
    // Declared behind the listener, so that the files go first in a panic too: until the listener goes, nobody else's
    // socket can be taken for ours.
    let mut files = files;
    let mut signals = Signals::new()?;
    files.write_pid()?;
    drop(start);
    let mut sessions = JoinSet::new();
    info!(build = daemon.version.build, pid = std::process::id(), "serving");

    let accepted = accept(daemon, &mut entrance, &files, &mut signals, &mut sessions);
    let reason = match &supervisor {
        Some(supervisor) => with_supervisor(daemon, supervisor, accepted).await,
        None => accepted.await,
    };

    fault::passing("retire");
    drop(files);
    // Behind it, so that nobody waits for the log.
    info!(%reason, sessions = sessions.len(), "retiring");
    let patient = !matches!(reason, Reason::Asked(Signal::QUIT));
    if let Reason::NotLoaded(_) = reason {
        // Everybody who waits is to know, those whom nobody has accepted yet included.
        entrance
            .queued()
            .into_iter()
            .for_each(|socket| spawn(daemon, socket, BytesMut::new(), &mut sessions));
    }
    daemon.retiring.cancel();
    let (begun, acceptors) = entrance.close();
    begun.into_iter().for_each(|(command, handler)| drop(sessions.spawn(command.see_through(handler))));
    drain(daemon, &mut sessions, &mut signals, patient).await;
    acceptors.join();
    match reason {
        Reason::NotLoaded(error) => Err(DaemonError::NotLoaded(error)),
        _ => {
            info!("ended");
            Ok(())
        }
    }
}

/// Tells the supervisor when the daemon can do what it is for, and when it can't any more.
async fn with_supervisor(
    daemon: &Daemon,
    supervisor: &Supervisor,
    accept: impl Future<Output = Reason>,
) -> Reason {
    let mut state = daemon.state.clone();
    let ready = async {
        // Loading that fails is a reason to retire, which ends the waiting.
        if state.wait_for(|state| matches!(state, Load::Done(_))).await.is_ok() {
            supervisor.tell_ready();
        }
        pending().await
    };
    let reason = select! {
        reason = accept => reason,
        reason = ready => reason,
    };
    supervisor.tell_stopping();
    reason
}

fn spawn(daemon: &Arc<Daemon>, socket: Socket, received: BytesMut, sessions: &mut JoinSet<Visit>) {
    sessions.spawn(session::serve(Arc::clone(daemon), socket, received));
}

/// Serves one client until its command has ended, and returns the signal that asked for that, if one did.
pub(super) async fn serve_one(
    daemon: &Arc<Daemon>,
    socket: StdUnixStream,
) -> Result<Option<Signal>, DaemonError> {
    let mut signals = Signals::new()?;
    socket.set_nonblocking(true)?;
    let connection = socket.try_clone()?;
    let mut session = pin!(session::serve(Arc::clone(daemon), Socket::new(socket.into()), BytesMut::new()));
    let signal = select! {
        _ = &mut session => None,
        signal = signals.next() => Some(signal),
    };
    // The next one ends the process, whatever goes on.
    sys::heed(signals.heeded);
    if signal.is_some() {
        // To the handler it is as if its caller had gone, which elsewhere is what the signal does.
        connection.shutdown(Shutdown::Both)?;
        session.await;
    }
    Ok(signal)
}

/// Accepts clients until there is a reason to retire.
async fn accept(
    daemon: &Arc<Daemon>,
    entrance: &mut Entrance,
    files: &ServedFiles,
    signals: &mut Signals,
    sessions: &mut JoinSet<Visit>,
) -> Reason {
    let mut files_check = interval(FILES_CHECK_INTERVAL);
    files_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let idle_timeout = daemon.settings.idle_timeout;
    let mut state = daemon.state.clone();
    let mut room = setup::room_for_callers();
    let mut spare = spare_descriptor();
    // Where there are no descriptors left, trying again at once would only keep the machine busy.
    let mut accept_again = None;
    loop {
        entrance.set_crowded(sessions.len() >= room);
        let came = select! {
            arrival = entrance.next(accept_again.is_none()) => match arrival {
                Ok(Arrival::Client(socket, received)) => Ok((socket, received)),
                Ok(Arrival::Command(command, handler)) => {
                    sessions.spawn(command.see_through(handler));
                    continue;
                }
                Err(error) => Err(error),
            },
            () = sleep_until(accept_again.unwrap_or_else(Instant::now)), if accept_again.is_some() => {
                accept_again = None;
                continue;
            }
            Some(ended) = sessions.join_next() => {
                note(daemon, ended);
                accept_again = None;
                if spare.is_none() {
                    spare = spare_descriptor();
                    room = setup::room_for_callers();
                }
                continue;
            }
            () = daemon.blocked.notified() => return Reason::HandlerBlocked,
            error = not_loaded(&mut state) => return Reason::NotLoaded(error),
            signal = signals.next() => return Reason::Asked(signal),
            () = sleep_until(daemon.tally.last_busy() + idle_timeout), if sessions.is_empty() => {
                if !entrance.is_quiet() {
                    // It is looked at again when it may be idle next.
                    daemon.tally.note_busy();
                } else if daemon.tally.last_busy().elapsed() >= idle_timeout {
                    return Reason::Idle(idle_timeout);
                }
                // Else an acceptor has served somebody meanwhile, which doesn't wake this loop.
                continue;
            }
            _ = files_check.tick() => {
                fault::passing("check_files");
                if !files.are_in_place() {
                    return Reason::FilesGone;
                }
                files.name_daemon();
                if let Some(log) = &daemon.log && let Err(error) = log.trim() {
                    warn!(error = &error as &dyn std::error::Error, "can't trim the log");
                }
                continue;
            }
        };
        match came {
            Ok((socket, received)) if sessions.len() < room => spawn(daemon, socket, received, sessions),
            Ok((socket, received)) => {
                daemon.crowded.notify_waiters();
                sessions.spawn(session::turn_away(Arc::clone(daemon), socket, received));
            }
            // The one more that there is a descriptor for is turned away.
            Err(_) if spare.take().is_some() => {
                daemon.crowded.notify_waiters();
                // Whoever comes alone is served all the same.
                room = sessions.len().max(1);
            }
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "can't accept a client");
                accept_again = Some(Instant::now() + ACCEPT_PAUSE);
            }
        }
    }
}

/// A descriptor to give up when there are no others, so that those who wait can be told.
fn spare_descriptor() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Returns if the application's state can't be loaded, with the reason.
async fn not_loaded(state: &mut watch::Receiver<Load>) -> String {
    let failed = |state: &Load| matches!(state, Load::Failed(_));
    let error = match state.wait_for(failed).await.as_deref() {
        Ok(Load::Failed(error)) => Some(error.clone()),
        _ => None,
    };
    match error {
        Some(error) => error,
        None => pending().await,
    }
}

/// Lets the running commands end: for a while by themselves, unless nobody has the patience, then by cancelling them.
async fn drain(daemon: &Daemon, sessions: &mut JoinSet<Visit>, signals: &mut Signals, patient: bool) {
    fault::passing("drain");
    if patient {
        select! {
            ended = timeout(DRAIN_LIMIT, all_ended(daemon, sessions)) => match ended {
                Ok(()) => return,
                Err(_) => warn!("the drain limit is over, cancelling what still runs"),
            },
            signal = signals.next() => warn!(?signal, "asked once more, cancelling what still runs"),
        }
    }
    daemon.stopping.cancel();
    // Whoever hasn't ended by then goes with the process.
    let _ = timeout(daemon.settings.grace_period + STOP_MARGIN, all_ended(daemon, sessions)).await;
}

async fn all_ended(daemon: &Daemon, sessions: &mut JoinSet<Visit>) {
    while let Some(ended) = sessions.join_next().await {
        note(daemon, ended);
    }
}

fn note(daemon: &Daemon, ended: Result<Visit, JoinError>) {
    match ended {
        Ok(Visit::Observer) => return,
        Ok(Visit::Caller) => {}
        // It took only its own client with it.
        Err(failure) => error!(%failure, "a session failed"),
    }
    daemon.tally.note_busy();
}

/// The signals that ask a daemon to retire.
struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    hang_up: unix::Signal,
    quit: unix::Signal,
    /// Those that whoever started this process doesn't have it ignore, as `nohup` and shells do. A daemon that a client has started
    /// ignores none.
    heeded: Vec<Signal>,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let all = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];
        // Before they are handled.
        let heeded = all.into_iter().filter(|signal| !sys::ignores(*signal)).collect();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            heeded,
        })
    }

    /// The next signal.
    async fn next(&mut self) -> Signal {
        loop {
            let signal = select! {
                _ = self.terminate.recv() => Signal::TERM,
                _ = self.interrupt.recv() => Signal::INT,
                _ = self.hang_up.recv() => Signal::HUP,
                _ = self.quit.recv() => Signal::QUIT,
            };
            if self.heeded.contains(&signal) {
                return signal;
            }
        }
    }
}
