//! A model of how daemons are started, replaced and retired: the steps that clients and daemons take on locks, files and sockets, with
//! crashes between any two of them. `cargo test -p daemon-rpc-model` goes through every order in which they can happen.
//!
//! Each step is named after the function of `daemon-rpc` that takes it:
//!
//! | step | function |
//! | --- | --- |
//! | [`client::Step::Look`], `Handshake` | `client/connect.rs`: `look`; `client/connection.rs`: `open`, `handshake` |
//! | `LockStart`, `LockLife`, `TryLock`, `IsInPlace` | `instance/lock.rs`: `lock_start`, `lock_life`, `try_lock`, `is_in_place` |
//! | `Retire` | `instance/holder.rs`: `retire` |
//! | `Open`, `Wait` | `client/connect.rs`: `take_over`, `wait` |
//! | `Bind` | `instance/socket.rs`: `bind`; `client/connection.rs`: `open` |
//! | `Spawn`, `Started` | `client/start.rs`: `start`, `spawn` |
//! | `Undo`, [`daemon::Stage::DropFiles`] | `instance/served.rs`: `drop` of `ServedFiles`, `hand_over` |
//! | `Send`, `Next` | `client/relay.rs`: `run`, `next` |
//! | [`daemon::Stage::Take`] | `daemon/handover.rs`: `take` |
//! | `WritePid` | `instance/lock.rs`: `write_pid` |
//! | `Accept`, `DropListener`, `Drain` | `daemon/control.rs`: `accept`, `serve`, `drain` |
//!
//! What isn't in it: time (a limit that is over is a daemon that hangs), supervisors, files that somebody removes, and what a command
//! does. The tests over real processes have those.

pub mod client;
pub mod daemon;
mod forget;
pub mod world;

use client::{Client, Ending, Step};
use daemon::Daemon;
use stateright::{Model, Property};
use world::{Process, World};

/// A build of the program.
pub type Build = char;

/// What the protocol does for a reason. Without any one of them, something breaks.
#[derive(Clone, Copy, Debug)]
pub struct Cures {
    /// Only one client at a time starts or replaces a daemon.
    pub start_lock: bool,
    /// Who has got the start lock looks again.
    pub second_look: bool,
    /// A locked file counts only if it is still the path's.
    pub compare_locked_file: bool,
    /// Files go before the lock.
    pub unlock_last: bool,
    /// A command that may have been seen isn't sent again.
    pub retry_only_when_certain: bool,
    /// A client is in its listener's queue before there is a daemon.
    pub connect_before_spawn: bool,
}

impl Cures {
    /// The protocol as it is.
    pub const ALL: Self = Self {
        start_lock: true,
        second_look: true,
        compare_locked_file: true,
        unlock_last: true,
        retry_only_when_certain: true,
        connect_before_spawn: true,
    };
}

/// What is explored.
#[derive(Clone, Debug)]
pub struct System {
    /// The clients' builds.
    pub builds: Vec<Build>,
    /// How many processes crash, or hang, at most.
    pub crashes: u8,
    /// How many times a daemon retires by itself at most.
    pub retirements: u8,
    /// How many times a client begins anew at most.
    pub attempts: u8,
    /// Which cures the protocol has.
    pub cures: Cures,
}

/// A moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What all share.
    pub world: World,
    /// The clients. The last one is called when everything else has ended.
    pub clients: Vec<Client>,
    /// The daemons, in the order in which they were spawned.
    pub daemons: Vec<Daemon>,
    /// How often each client's command was begun by a handler.
    pub runs: Vec<u8>,
    /// How many processes have crashed, or hung.
    pub crashes: u8,
    /// How many times a daemon has retired by itself.
    pub retirements: u8,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A client takes its next step.
    Client(Process),
    /// A daemon takes this one of its next steps.
    Daemon(Process, usize),
    /// A process is killed.
    Crash(Process),
    /// A daemon hangs.
    Hang(Process),
    /// When all clients have ended: all that lives is killed, and the last client is called.
    Afterwards,
}

/// Processes with numbers from here on are daemons.
const FIRST_DAEMON: Process = 6;

impl State {
    /// A client.
    #[must_use]
    pub fn client(&self, client: Process) -> &Client {
        &self.clients[usize::from(client)]
    }

    fn client_mut(&mut self, client: Process) -> &mut Client {
        &mut self.clients[usize::from(client)]
    }

    /// A daemon.
    #[must_use]
    pub fn daemon(&self, daemon: Process) -> &Daemon {
        &self.daemons[usize::from(daemon - FIRST_DAEMON)]
    }

    fn daemon_mut(&mut self, daemon: Process) -> &mut Daemon {
        &mut self.daemons[usize::from(daemon - FIRST_DAEMON)]
    }

    fn spawn(&mut self, daemon: Daemon) -> Process {
        self.daemons.push(daemon);
        FIRST_DAEMON + Process::try_from(self.daemons.len() - 1).expect("there are few")
    }

    fn clients(&self) -> impl Iterator<Item = Process> + use<> {
        0..Process::try_from(self.clients.len()).expect("there are few")
    }

    fn daemons(&self) -> impl Iterator<Item = Process> + use<> {
        FIRST_DAEMON..FIRST_DAEMON + Process::try_from(self.daemons.len()).expect("there are few")
    }

    /// Whether a client has asked a daemon of its own build to retire that served well.
    fn wrongs_its_own(&self, client: &Client) -> bool {
        let Step::Retire { file, asked: true } = client.step else { return false };
        let holder = self.world.pid_file(file).named.map(|daemon| self.daemon(daemon));
        holder.is_some_and(|daemon| daemon.build == client.build && daemon.serves())
    }

    /// The clients that are called at once, without the one that comes afterwards.
    fn first_clients(&self) -> &[Client] {
        self.clients.split_last().map_or(&[], |(_, first)| first)
    }

    fn afterwards(&self) -> &Client {
        self.clients.last().expect("it is there from the beginning")
    }
}

impl Model for System {
    type State = State;
    type Action = Event;

    fn init_states(&self) -> Vec<State> {
        let mut clients: Vec<_> = self.builds.iter().map(|build| Client::new(*build)).collect();
        clients.iter_mut().for_each(|client| client.step = Step::Look { again: false });
        clients.push(Client::new(self.builds[0]));
        vec![State {
            world: World::default(),
            runs: vec![0; clients.len()],
            clients,
            daemons: Vec::new(),
            crashes: 0,
            retirements: 0,
        }]
    }

    fn actions(&self, state: &State, events: &mut Vec<Event>) {
        for client in state.clients() {
            if self.client_steps(state, client).is_some() {
                events.push(Event::Client(client));
            }
        }
        for daemon in state.daemons() {
            let mut steps = Vec::new();
            self.daemon_steps(state, daemon, &mut steps);
            events.extend((0..steps.len()).map(|step| Event::Daemon(daemon, step)));
        }
        let all_ended = state.first_clients().iter().all(Client::is_gone);
        if all_ended && state.afterwards().step == Step::NotCalled {
            events.push(Event::Afterwards);
        }
        if state.crashes < self.crashes && state.afterwards().step == Step::NotCalled {
            let clients = state.clients().filter(|client| !state.client(*client).is_gone());
            let daemons = || state.daemons().filter(|daemon| state.daemon(*daemon).lives());
            events.extend(clients.chain(daemons()).map(Event::Crash));
            events.extend(daemons().filter(|daemon| !state.daemon(*daemon).hung).map(Event::Hang));
        }
    }

    fn next_state(&self, state: &State, event: Event) -> Option<State> {
        let mut next = state.clone();
        match event {
            Event::Client(client) => next = self.client_steps(state, client)?,
            Event::Daemon(daemon, step) => {
                let mut steps = Vec::new();
                self.daemon_steps(state, daemon, &mut steps);
                next = steps.into_iter().nth(step)?;
            }
            Event::Crash(process) => {
                next.crashes += 1;
                if process < FIRST_DAEMON { next.kill_client(process) } else { next.kill(process) }
            }
            Event::Hang(daemon) => {
                next.crashes += 1;
                next.daemon_mut(daemon).hung = true;
            }
            Event::Afterwards => {
                for daemon in state.daemons().filter(|daemon| state.daemon(*daemon).lives()) {
                    next.kill(daemon);
                }
                let last = next.clients.len() - 1;
                next.clients[last].step = Step::Look { again: false };
            }
        }
        Some(next.forgetting())
    }

    /// Builds could replace each other's daemons for ever. Clients give up some time; here, that is beyond the horizon.
    fn within_boundary(&self, state: &State) -> bool {
        state.clients.iter().all(|client| client.attempts <= self.attempts)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one daemon serves at most", |_, state: &State| {
                state.daemons.iter().filter(|daemon| daemon.serves() && !daemon.hung).count() <= 1
            }),
            Property::always("who serves can be found", |_, state: &State| {
                state.daemons.iter().filter(|daemon| daemon.serves()).all(|daemon| {
                    let files = (Some(daemon.files.socket), Some(daemon.files.pid_file));
                    (state.world.socket_path, state.world.pid_path) == files
                })
            }),
            Property::always("a daemon of one's own build is left alone", |_, state: &State| {
                state.crashes > 0 || !state.clients.iter().any(|client| state.wrongs_its_own(client))
            }),
            Property::always("no command is run twice", |_, state: &State| {
                state.runs.iter().all(|runs| *runs <= 1)
            }),
            Property::always("a result is of the client's own build", |_, state: &State| {
                state.clients.iter().all(|client| match client.step {
                    Step::Ended(Ending::Result(build)) => build == client.build,
                    _ => true,
                })
            }),
            Property::always("without a crash every client gets its result", |_, state: &State| {
                state.crashes > 0
                    || !state.clients.iter().any(|client| client.step == Step::Ended(Ending::Error))
            }),
            Property::always("every client ends", |system: &Self, state: &State| {
                let mut events = Vec::new();
                system.actions(state, &mut events);
                let nothing_happens =
                    !events.iter().any(|event| matches!(event, Event::Client(_) | Event::Daemon(..)));
                !nothing_happens || state.clients.iter().all(Client::is_gone)
            }),
            Property::always("after everything has died one call suffices", |_, state: &State| {
                state.afterwards().step != Step::Ended(Ending::Error)
            }),
            // Or the above would hold of nothing.
            Property::sometimes("a client of each build gets its result", |system: &Self, state: &State| {
                system.builds.iter().all(|build| {
                    state.clients.iter().any(|client| client.step == Step::Ended(Ending::Result(*build)))
                })
            }),
            Property::sometimes("the last call gets its result", |_, state: &State| {
                matches!(state.afterwards().step, Step::Ended(Ending::Result(_)))
            }),
        ]
    }
}
