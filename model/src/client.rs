//! What a client does, one step at a time, as `daemon-rpc/src/client` does it.

use crate::daemon::Daemon;
use crate::world::{Connection, Inode, Process, Processes};
use crate::{Build, State, System};

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client {
    /// Which build of the program it is.
    pub build: Build,
    /// What it does next.
    pub step: Step,
    /// Its connection, if it has one.
    pub connection: Option<Connection>,
    /// How often it has begun anew.
    pub attempts: u8,
}

/// What a client does next. The names are those of the code's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// It hasn't been called yet.
    NotCalled,
    /// `connect::look`: connects to whoever listens.
    Look {
        /// For the second time, holding the start lock.
        again: bool,
    },
    /// `Connection::handshake`, for a look.
    Handshake {
        /// As for the look.
        again: bool,
    },
    /// `Instance::lock_start`: waits until the lock is free.
    LockStart {
        /// The daemon that listens didn't answer.
        hung: bool,
        /// Somebody else has held the lock.
        waited: bool,
    },
    /// `Instance::lock_life`: opens the pid file.
    LockLife {
        /// A daemon that lives is asked again, rather than had retire.
        ask_again: bool,
    },
    /// `Instance::lock_life`: tries to lock what it has opened.
    TryLock {
        /// As above.
        ask_again: bool,
        /// The file.
        file: Inode,
    },
    /// `Instance::lock_life`: compares the locked file with the path's.
    IsInPlace {
        /// As above.
        ask_again: bool,
        /// The file.
        file: Inode,
        /// It has got the lock.
        free: bool,
    },
    /// `Holder::retire`: signals, and waits until the lock is released.
    Retire {
        /// The file whose lock it is.
        file: Inode,
        /// It has sent SIGTERM.
        asked: bool,
    },
    /// `connect::take_over`: connects to whoever listens although nobody holds the life lock.
    Open {
        /// The life lock's file.
        file: Inode,
    },
    /// `connect::wait`: waits for whoever that is, without a lock.
    Wait,
    /// `Instance::bind`, and `Connection::open`.
    Bind {
        /// The life lock's file.
        file: Inode,
    },
    /// `start::spawn`.
    Spawn {
        /// What it has for the daemon.
        files: Files,
    },
    /// `Connection::handshake`, with the daemon that it has spawned.
    Started {
        /// What it has given to the daemon.
        files: Files,
        /// The daemon.
        child: Process,
    },
    /// `ServedFiles::drop`: undoes a start that has failed, by the first of its steps that are left.
    Undo {
        /// What is undone.
        files: Files,
        /// How many steps have been done.
        done: u8,
        /// Nothing went wrong: the daemon has retired at once.
        again: bool,
    },
    /// `relay::run`: sends what there was no room for.
    Send,
    /// `relay::run`: waits for the end of its command.
    Next,
    /// It has ended.
    Ended(Ending),
}

impl Step {
    /// The files that it is about.
    pub(crate) fn files_mut(&mut self) -> (Option<&mut Inode>, Option<&mut Inode>) {
        match self {
            Self::TryLock { file, .. }
            | Self::IsInPlace { file, .. }
            | Self::Retire { file, .. }
            | Self::Open { file }
            | Self::Bind { file } => (None, Some(file)),
            Self::Spawn { files } | Self::Started { files, .. } | Self::Undo { files, .. } => {
                (Some(&mut files.socket), Some(&mut files.pid_file))
            }
            _ => (None, None),
        }
    }
}

/// `ServedFiles`: the socket and the life lock's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Files {
    /// The socket.
    pub socket: Inode,
    /// The life lock's file.
    pub pid_file: Inode,
}

/// How a client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// With what a daemon of this build has answered.
    Result(Build),
    /// With an error.
    Error,
    /// It was killed.
    Killed,
}

impl Client {
    /// A client that hasn't been called yet.
    #[must_use]
    pub fn new(build: Build) -> Self {
        Self { build, step: Step::NotCalled, connection: None, attempts: 0 }
    }

    /// Whether it has ended, or never begun.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.step, Step::Ended(_) | Step::NotCalled)
    }
}

impl System {
    /// What a client can do next: mostly one thing, and nothing while it waits.
    pub(crate) fn client_steps(&self, state: &State, me: Process) -> Option<State> {
        let client = state.client(me);
        let mut next = state.clone();
        let hung = |state: &State| state.answerer(me).is_some_and(|daemon| state.daemon(daemon).hung);
        match client.step {
            Step::NotCalled | Step::Ended(_) => return None,
            Step::Look { again } => match state.world.reachable() {
                Some(socket) => next.connect(me, socket, Step::Handshake { again }),
                None => self.nobody(&mut next, me, again),
            },
            Step::Handshake { again } => match client.connection? {
                connection if state.is_answered(connection, client.build) => {
                    next.release_start(me);
                    next.go_on(me, Step::Send);
                }
                Connection::NotRun(daemon) if state.daemon(daemon).build == client.build => {
                    next.release_start(me);
                    next.retry(me);
                }
                // As often as there is one to ask: in the code there is a limit, for a daemon that does nothing else.
                Connection::Closed if again => {
                    next.disconnect(me);
                    next.go_on(me, Step::LockLife { ask_again: true });
                }
                Connection::Closed | Connection::Answered(_) | Connection::NotRun(_) => {
                    self.nobody(&mut next, me, again);
                }
                _ if hung(state) => {
                    next.disconnect(me);
                    let step = if again {
                        Step::LockLife { ask_again: false }
                    } else {
                        Step::LockStart { hung: true, waited: false }
                    };
                    next.go_on(me, step);
                }
                _ => return None,
            },
            Step::LockStart { hung, waited } => match state.world.start_lock {
                Some(_) if self.cures.start_lock && waited => return None,
                Some(_) if self.cures.start_lock => next.go_on(me, Step::LockStart { hung, waited: true }),
                _ => {
                    next.world.start_lock = Some(me);
                    let ask_again = self.cures.second_look && (waited || !hung);
                    next.go_on(me, Step::LockLife { ask_again });
                }
            },
            Step::LockLife { ask_again } => {
                let file = next.world.open_pid_file();
                next.go_on(me, Step::TryLock { ask_again, file });
            }
            Step::TryLock { ask_again, file } => {
                let free = state.world.pid_file(file).locked_by.is_empty();
                if free {
                    next.world.pid_file_mut(file).locked_by = Processes::of(me);
                }
                next.go_on(me, Step::IsInPlace { ask_again, file, free });
            }
            Step::IsInPlace { ask_again, file, free } => {
                let in_place = !self.cures.compare_locked_file || state.world.pid_path == Some(file);
                let step = match (in_place, free) {
                    (false, _) => {
                        next.world.pid_file_mut(file).locked_by.remove(me);
                        Step::LockLife { ask_again }
                    }
                    (true, true) => Step::Open { file },
                    (true, false) if ask_again => Step::Look { again: true },
                    (true, false) => Step::Retire { file, asked: false },
                };
                next.go_on(me, step);
            }
            Step::Retire { file, asked } => {
                let holder = state.world.pid_file(file);
                match holder.named {
                    _ if holder.locked_by.is_empty() => {
                        next.go_on(me, Step::LockLife { ask_again: false });
                    }
                    Some(daemon) if !asked => {
                        next.daemon_mut(daemon).asked_to_retire = true;
                        next.go_on(me, Step::Retire { file, asked: true });
                    }
                    Some(daemon) if state.daemon(daemon).hung => next.kill(daemon),
                    // It hangs, or what holds the lock isn't a daemon yet and hangs.
                    None if state.is_held_by_hung(file) => next.end(me, Ending::Error),
                    _ => return None,
                }
            }
            Step::Open { file } => match state.world.reachable() {
                Some(socket) => {
                    next.release_life(me, file);
                    next.release_start(me);
                    next.connect(me, socket, Step::Wait);
                }
                None => next.go_on(me, Step::Bind { file }),
            },
            Step::Wait => match client.connection? {
                connection if state.is_answered(connection, client.build) => next.go_on(me, Step::Send),
                Connection::Closed | Connection::Answered(_) | Connection::NotRun(_) => next.retry(me),
                _ if hung(state) => next.end(me, Ending::Error),
                _ => return None,
            },
            Step::Bind { file } => {
                let socket = next.world.bind(me);
                let files = Files { socket, pid_file: file };
                next.go_on(me, Step::Spawn { files });
                if self.cures.connect_before_spawn {
                    next.connect(me, files.socket, Step::Spawn { files });
                }
            }
            Step::Spawn { files } => {
                let child = next.spawn(Daemon::new(client.build, files));
                next.world.socket_mut(files.socket).listening.insert(child);
                next.world.pid_file_mut(files.pid_file).locked_by.insert(child);
                next.close_listeners(me);
                next.go_on(me, Step::Started { files, child });
            }
            Step::Started { files, child } => {
                if client.connection.is_none() {
                    // Only without a cure: it connects now, if it still can.
                    match state.world.socket(files.socket).listening.is_empty() {
                        false => next.connect(me, files.socket, Step::Started { files, child }),
                        true => next.go_on(me, Step::Undo { files, done: 0, again: false }),
                    }
                    return Some(next);
                }
                match client.connection? {
                    connection
                        if state.is_answered(connection, client.build)
                            || matches!(connection, Connection::NotRun(_)) =>
                    {
                        next.hand_over(me, files);
                        next.go_on(me, Step::Send);
                    }
                    Connection::Closed if state.daemon(child).is_draining() => {
                        // It lives, and has others' commands to finish.
                        next.hand_over(me, files);
                        next.retry(me);
                    }
                    Connection::Closed if !state.daemon(child).is_gone() => return None,
                    Connection::Closed => {
                        let again = state.daemon(child).retired;
                        next.go_on(me, Step::Undo { files, done: 0, again });
                    }
                    _ if hung(state) => {
                        next.kill(child);
                        next.go_on(me, Step::Undo { files, done: 0, again: false });
                    }
                    _ => return None,
                }
            }
            Step::Undo { files, done, again } => {
                self.drop_files(&mut next, files, done);
                if done < 2 {
                    next.go_on(me, Step::Undo { files, done: done + 1, again });
                } else {
                    next.release_start(me);
                    if again { next.retry(me) } else { next.end(me, Ending::Error) }
                }
            }
            Step::Send => match client.connection? {
                Connection::Answered(daemon) => {
                    next.client_mut(me).connection = Some(Connection::Sent(daemon));
                    next.go_on(me, Step::Next);
                }
                // It went with the handshake.
                _ => next.go_on(me, Step::Next),
            },
            Step::Next => match client.connection? {
                Connection::Exited(daemon) => {
                    let build = state.daemon(daemon).build;
                    next.disconnect(me);
                    next.end(me, Ending::Result(build));
                }
                Connection::NotRun(_) => next.retry(me),
                Connection::Closed | Connection::Lost if !self.cures.retry_only_when_certain => {
                    next.retry(me);
                }
                Connection::Closed | Connection::Lost => next.end(me, Ending::Error),
                // A command may take for ever; then its user interrupts it.
                _ if hung(state) => next.end(me, Ending::Error),
                _ => return None,
            },
        }
        Some(next)
    }

    /// A look has found no daemon of this build.
    fn nobody(&self, next: &mut State, me: Process, again: bool) {
        next.disconnect(me);
        let step = if again {
            Step::LockLife { ask_again: false }
        } else {
            Step::LockStart { hung: false, waited: false }
        };
        next.go_on(me, step);
    }
}

impl State {
    /// Whether a daemon of this build has answered, whatever has come of the command since.
    fn is_answered(&self, connection: Connection, build: Build) -> bool {
        match connection {
            Connection::Answered(daemon) => self.daemon(daemon).build == build,
            Connection::Running(_) | Connection::Exited(_) | Connection::Lost => true,
            Connection::Queued(_) | Connection::Sent(_) | Connection::NotRun(_) | Connection::Closed => false,
        }
    }

    /// Whose answer a client waits for, if anybody's.
    fn answerer(&self, me: Process) -> Option<Process> {
        match self.client(me).connection? {
            Connection::Queued(socket) => {
                self.daemons().find(|daemon| self.world.socket(socket).listening.contains(*daemon))
            }
            other => other.daemon(),
        }
    }

    fn is_held_by_hung(&self, file: Inode) -> bool {
        let holders = self.world.pid_file(file).locked_by;
        self.daemons().any(|daemon| holders.contains(daemon) && self.daemon(daemon).hung)
    }

    fn go_on(&mut self, me: Process, step: Step) {
        self.client_mut(me).step = step;
    }

    fn connect(&mut self, me: Process, socket: Inode, step: Step) {
        self.disconnect(me);
        self.world.socket_mut(socket).queue.push(me);
        self.client_mut(me).connection = Some(Connection::Queued(socket));
        self.go_on(me, step);
    }

    fn retry(&mut self, me: Process) {
        self.disconnect(me);
        let client = self.client_mut(me);
        client.attempts += 1;
        client.step = Step::Look { again: false };
    }

    fn end(&mut self, me: Process, ending: Ending) {
        self.disconnect(me);
        self.world.release_locks(me);
        self.go_on(me, Step::Ended(ending));
    }

    fn release_start(&mut self, me: Process) {
        if self.world.start_lock == Some(me) {
            self.world.start_lock = None;
        }
    }

    /// `LifeLock::drop` of one that was never shared: the file goes too.
    fn release_life(&mut self, me: Process, file: Inode) {
        if self.world.pid_path == Some(file) {
            self.world.pid_path = None;
        }
        self.world.pid_file_mut(file).locked_by.remove(me);
    }

    /// `ServedFiles::hand_over`: closes what the daemon has by now. Then the start lock goes.
    fn hand_over(&mut self, me: Process, files: Files) {
        self.world.pid_file_mut(files.pid_file).locked_by.remove(me);
        self.release_start(me);
    }
}
