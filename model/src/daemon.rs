//! What a daemon does, one step at a time, as `daemon-rpc/src/daemon` does it.

use crate::client::{Ending, Files, Step as ClientStep};
use crate::world::{Connection, PidFile, Process};
use crate::{Build, State, System};

/// A daemon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Daemon {
    /// Which build of the program it is.
    pub build: Build,
    /// What it was given.
    pub files: Files,
    /// How far it is.
    pub stage: Stage,
    /// SIGTERM is pending.
    pub asked_to_retire: bool,
    /// It does nothing any more, and still lives.
    pub hung: bool,
    /// It has ended by itself, or is about to.
    pub retired: bool,
}

/// How far a daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// `Handover::take`.
    Take,
    /// `ServedFiles::write_pid`.
    WritePid,
    /// `control::accept`.
    Accept,
    /// `ServedFiles::drop`, of which so many steps have been done.
    DropFiles(u8),
    /// The listener is closed.
    DropListener,
    /// `control::drain`.
    Drain,
    /// It was killed: its locks are released, its sockets not yet.
    Dying,
    /// It is no more.
    Gone,
}

impl Daemon {
    /// One that was just spawned.
    #[must_use]
    pub fn new(build: Build, files: Files) -> Self {
        Self { build, files, stage: Stage::Take, asked_to_retire: false, hung: false, retired: false }
    }

    /// Whether it takes new connections, as far as it knows.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.stage == Stage::Accept
    }

    /// Whether it is no more, or won't be in a moment.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Gone)
    }

    /// Whether it only sees its last commands out.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        matches!(self.stage, Stage::Drain)
    }

    /// Whether the process runs.
    #[must_use]
    pub fn lives(&self) -> bool {
        !matches!(self.stage, Stage::Gone | Stage::Dying)
    }

    /// `daemon.retiring`: no new commands are taken any more.
    fn refuses(&self) -> bool {
        matches!(self.stage, Stage::DropListener | Stage::Drain)
    }
}

impl System {
    /// What a daemon can do next.
    pub(crate) fn daemon_steps(&self, state: &State, me: Process, steps: &mut Vec<State>) {
        let daemon = state.daemon(me);
        if daemon.stage == Stage::Dying {
            let mut next = state.clone();
            next.close_all(me);
            steps.push(next);
        }
        if daemon.hung || !daemon.lives() {
            return;
        }
        self.session_steps(state, me, steps);
        let mut next = state.clone();
        match daemon.stage {
            Stage::Take => {
                let files = (Some(daemon.files.socket), Some(daemon.files.pid_file));
                if (state.world.socket_path, state.world.pid_path) == files {
                    next.daemon_mut(me).stage = Stage::WritePid;
                } else {
                    next.exit(me);
                }
            }
            Stage::WritePid => {
                next.world.pid_file_mut(daemon.files.pid_file).named = Some(me);
                next.daemon_mut(me).stage = Stage::Accept;
            }
            Stage::Accept => {
                let queue = &state.world.socket(daemon.files.socket).queue;
                if let Some(client) = queue.first() {
                    let mut next = state.clone();
                    next.world.socket_mut(daemon.files.socket).queue.remove(0);
                    // And answered: who is disconnected between the two finds the same as before.
                    next.client_mut(*client).connection = Some(Connection::Answered(me));
                    steps.push(next);
                }
                let idle = state.retirements < self.retirements && !state.has_sessions(me);
                if !daemon.asked_to_retire && !idle {
                    return;
                }
                if !daemon.asked_to_retire {
                    next.retirements += 1;
                }
                next.daemon_mut(me).retired = true;
                next.daemon_mut(me).stage = Stage::DropFiles(0);
            }
            Stage::DropFiles(done) => {
                self.drop_files(&mut next, daemon.files, done);
                next.daemon_mut(me).stage =
                    if done < 2 { Stage::DropFiles(done + 1) } else { Stage::DropListener };
            }
            Stage::DropListener => {
                next.close_listeners(me);
                next.daemon_mut(me).stage = Stage::Drain;
            }
            Stage::Drain if state.has_sessions(me) => return,
            Stage::Drain => next.exit(me),
            Stage::Dying | Stage::Gone => return,
        }
        steps.push(next);
    }

    /// `Session::run`, of each session.
    fn session_steps(&self, state: &State, me: Process, steps: &mut Vec<State>) {
        let daemon = state.daemon(me);
        for client in state.clients().filter(|client| state.has_session(me, *client)) {
            let mut next = state.clone();
            let connection = match state.client(client).connection {
                // Who is of another build is disconnected, which he doesn't wait for.
                Some(Connection::Answered(_)) if state.client(client).build != daemon.build => continue,
                Some(Connection::Answered(_) | Connection::Sent(_)) if daemon.refuses() => {
                    Connection::NotRun(me)
                }
                Some(Connection::Answered(_) | Connection::Sent(_)) => {
                    next.runs[usize::from(client)] += 1;
                    Connection::Running(me)
                }
                Some(Connection::Running(_)) => Connection::Exited(me),
                _ => continue,
            };
            next.client_mut(client).connection = Some(connection);
            steps.push(next);
        }
    }

    /// `ServedFiles::drop`: the socket's file, the pid file, the lock, in this order.
    pub(crate) fn drop_files(&self, next: &mut State, files: Files, done: u8) {
        let order = if self.cures.unlock_last { [0, 1, 2] } else { [2, 0, 1] };
        match order[usize::from(done)] {
            0 if next.world.socket_path == Some(files.socket) => {
                next.world.socket_path = None;
            }
            1 if next.world.pid_path == Some(files.pid_file) => {
                next.world.pid_path = None;
            }
            // Said aloud, for everyone who shares the open file.
            2 => *next.world.pid_file_mut(files.pid_file) = PidFile::default(),
            _ => {}
        }
    }
}

impl State {
    fn has_session(&self, me: Process, client: Process) -> bool {
        self.client(client).connection.is_some_and(|connection| {
            let of_other_build = matches!(connection, Connection::Answered(_))
                && self.client(client).build != self.daemon(me).build;
            connection.is_open_for(me) && !of_other_build
        })
    }

    fn has_sessions(&self, me: Process) -> bool {
        self.clients().any(|client| self.has_session(me, client))
    }

    /// The process ends by itself.
    fn exit(&mut self, me: Process) {
        self.daemon_mut(me).retired = true;
        self.world.release_locks(me);
        self.close_all(me);
    }

    /// SIGKILL: the kernel releases the locks, and then closes the sockets.
    pub(crate) fn kill(&mut self, me: Process) {
        self.world.release_locks(me);
        let daemon = self.daemon_mut(me);
        daemon.hung = false;
        daemon.stage = Stage::Dying;
    }

    fn close_all(&mut self, me: Process) {
        self.close_listeners(me);
        let build = self.daemon(me).build;
        for client in 0..self.clients.len() {
            let client = &mut self.clients[client];
            // What was sent before the end is still read.
            let unread = matches!(client.connection, Some(Connection::NotRun(_) | Connection::Exited(_)));
            if client.connection.is_some_and(|connection| connection.daemon() == Some(me)) && !unread {
                let closed = if client.build == build { Connection::Lost } else { Connection::Closed };
                client.connection = Some(closed);
            }
        }
        self.daemon_mut(me).stage = Stage::Gone;
    }

    /// Closes a process's listeners, and disconnects who only they kept waiting.
    pub(crate) fn close_listeners(&mut self, me: Process) {
        for client in self.world.close_listeners(me) {
            self.client_mut(client).connection = Some(Connection::Closed);
        }
    }

    /// Closes a client's connection.
    pub(crate) fn disconnect(&mut self, me: Process) {
        for socket in &mut self.world.sockets {
            socket.queue.retain(|client| *client != me);
        }
        self.client_mut(me).connection = None;
    }

    /// SIGKILL, for a client.
    pub(crate) fn kill_client(&mut self, me: Process) {
        self.disconnect(me);
        self.world.release_locks(me);
        self.close_listeners(me);
        self.client_mut(me).step = ClientStep::Ended(Ending::Killed);
    }
}
