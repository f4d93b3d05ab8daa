//! The whole of a program, put together by hand: what the attribute expands to.

use std::fmt;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use crate::client::ClientError;
use crate::control::{Control, ControlError};
use crate::daemon::DaemonError;
use crate::instance::own_uid;
use crate::role::Role;
use crate::settings::{Errors, FOREVER, LARGEST_CHUNK_SIZE, LARGEST_MAX_COMMAND, Settings};
use crate::state::{self, Loader};
use crate::{Build, CommandHandler, ExitCode, client, daemon, inline, sys};

/// The program that is running.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// How its user called it.
    pub(crate) name: String,
    /// Which build of it this is.
    pub(crate) build: String,
    /// What its author chose.
    pub(crate) settings: Settings,
}

impl Program {
    fn new(build: &Build, settings: Settings) -> Self {
        Self { name: called_name(build), build: build.identity(), settings }
    }
}

/// A program that is client and daemon in one.
///
/// [`main`](macro@crate::main) makes one from a function; this is the same without the attribute:
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use daemon_rpc::{App, CommandHandler, Invocation, IntoOutcome, Needs, Outcome, async_trait, build};
///
/// struct Nothing;
///
/// #[async_trait]
/// impl CommandHandler for Nothing {
///     fn needs(&self) -> Needs {
///         Needs::NOTHING
///     }
///
///     async fn handle(&self, _: Invocation) -> Outcome {
///         ().into_outcome()
///     }
/// }
///
/// fn main() -> ExitCode {
///     App::new(build!()).id(|| "nothing").run(Nothing)
/// }
/// ```
#[must_use = "a program does nothing until it is run"]
pub struct App {
    build: Build,
    id: Option<Box<dyn FnOnce() -> String>>,
    load: Loader,
    settings: Settings,
    subcommand: Option<String>,
}

impl App {
    /// A program of this build, with the id `{binary name}-{uid}`.
    pub fn new(build: Build) -> Self {
        Self { build, id: None, load: state::nothing(), settings: Settings::default(), subcommand: None }
    }

    /// Gives the program's daemon another id. Programs with the same id share a daemon, and different builds replace each
    /// other's.
    ///
    /// `id` is called in the client, once for each command, so that it can depend on where the client was called. What it
    /// gives must be a valid id (see [`check_id`](crate::check_id)), or the command ends with
    /// [`ExitCode::CONFIGURATION`].
    pub fn id<S: Into<String>>(mut self, id: impl FnOnce() -> S + 'static) -> Self {
        self.id = Some(Box::new(|| id().into()));
        self
    }

    /// Has the daemon load what all its commands share, before the first of them. Handlers get it as
    /// [`State`](crate::params::State).
    ///
    /// `load` is called once in each daemon, inside its runtime. Clients wait for it, and are told if it fails.
    pub fn state<T, F>(mut self, load: impl FnOnce() -> F + Send + 'static) -> Self
    where
        T: Send + Sync + 'static,
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        self.load = state::loader(load);
        self
    }

    /// How long the daemon waits without a connection before it retires, instead of 1 hour. [`Duration::MAX`] is for ever.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = timeout.min(FOREVER);
        self
    }

    /// How long a handler may go on after its token was cancelled, before it is aborted, instead of 5 seconds.
    pub fn grace_period(mut self, period: Duration) -> Self {
        self.settings.grace_period = period.min(FOREVER);
        self
    }

    /// How long client and daemon give each other for the handshake, instead of 5 seconds. A daemon that doesn't answer in time
    /// is asked to retire, then killed.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout = timeout.min(FOREVER);
        self
    }

    /// Limits how long a command's input may be: `bytes`, instead of 16 MiB. The client refuses longer input with
    /// [`ExitCode::BAD_INPUT`] before it connects.
    ///
    /// The input is held in memory on both sides, the daemon's for each command that runs or waits for its turn.
    ///
    /// # Panics
    ///
    /// If `bytes` is not from 1 to 1 GiB.
    pub fn max_command(mut self, bytes: usize) -> Self {
        assert!(
            (1..=LARGEST_MAX_COMMAND).contains(&bytes),
            "max_command is from 1 byte to 1 GiB, not {bytes}"
        );
        self.settings.max_command = bytes;
        self
    }

    /// How many commands run at once, instead of 64. Further ones wait, and each gets its turn in the order in which they came.
    pub fn max_concurrent(mut self, commands: NonZeroUsize) -> Self {
        self.settings.max_concurrent = commands;
        self
    }

    /// The most output that travels as one message, in bytes, instead of 64 KiB. A command's output is held back in the daemon
    /// by at most so much.
    ///
    /// # Panics
    ///
    /// If `bytes` is not from 1 to 1 MiB.
    pub fn chunk_size(mut self, bytes: usize) -> Self {
        assert!((1..=LARGEST_CHUNK_SIZE).contains(&bytes), "chunk_size is from 1 byte to 1 MiB, not {bytes}");
        self.settings.chunk_size = bytes;
        self
    }

    /// How many threads run handlers, instead of one for each processor.
    ///
    /// With one, all handlers run on it. Otherwise up to as many other threads (8 at most, and only on Linux) accept clients and begin their
    /// commands: a handler runs there until it first waits for something, and then on the threads counted here, as a task of tokio's. How
    /// many commands run at once is [`max_concurrent`](Self::max_concurrent)'s to say.
    pub fn worker_threads(mut self, threads: NonZeroUsize) -> Self {
        self.settings.worker_threads = Some(threads);
        self
    }

    /// Says on which stream a handler's error is told, instead of standard output. The framework's own errors are always told
    /// on standard error.
    pub fn errors(mut self, errors: Errors) -> Self {
        self.settings.errors = errors;
        self
    }

    /// Has the program look after its daemon also when its first argument is `name`, followed by `status`, `stop`, `restart`, `log`
    /// or `run`: `tool daemon status --json` is then the same as `tool --daemon-status --json`.
    pub fn subcommand(mut self, name: impl Into<String>) -> Self {
        self.subcommand = Some(name.into());
        self
    }

    /// The program's daemon, to be looked after.
    ///
    /// # Errors
    ///
    /// When the id, the directory or a path can't be used.
    pub fn control(self) -> Result<Control, ControlError> {
        let program = Program::new(&self.build, self.settings);
        Control::new(program, id(self.id, &self.build))
    }

    /// Runs as what the arguments say: as the client of one command, as the daemon, or as whoever looks after that.
    ///
    /// The result is for `main` to return. It is the command's exit code, or one of those that [`ExitCode`] names.
    #[must_use]
    pub fn run(self, handler: impl CommandHandler) -> std::process::ExitCode {
        let program = Program::new(&self.build, self.settings);
        let id = || id(self.id, &self.build);
        let ended = match Role::of_this_process(self.subcommand.as_deref()) {
            Role::Client if inline::is_asked_for() => {
                inline::run(&program, self.load, Arc::new(handler)).map_err(Failure::of_client)
            }
            Role::Client => client::run(&program, id(), handler.needs()).map_err(Failure::of_client),
            Role::Daemon { id, build } => {
                let served = daemon::run(&program, &build, id, self.load, Arc::new(handler));
                served.map(|()| ExitCode::SUCCESS).map_err(Failure::of_daemon)
            }
            Role::ForegroundDaemon => {
                let served = daemon::run_in_foreground(&program, id(), self.load, Arc::new(handler));
                served.map(|()| ExitCode::SUCCESS).map_err(Failure::of_daemon)
            }
            Role::Operator(action) => {
                let performed =
                    Control::new(program.clone(), id()).and_then(|control| control.perform(action));
                performed.map_err(|error| Failure::of_client(error.into()))
            }
            Role::Confused(message) => {
                Err(Failure { code: ExitCode::USAGE, error: anyhow::Error::msg(message) })
            }
        };
        let code = ended.unwrap_or_else(|Failure { code, error }| {
            // With standard error gone, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "{}: {error:#}", program.name);
            code
        });
        code.into()
    }
}

/// Why this process couldn't do what it was called for.
struct Failure {
    code: ExitCode,
    error: anyhow::Error,
}

impl Failure {
    fn of_client(error: ClientError) -> Self {
        if let ClientError::ReaderGone = error {
            // Quietly, as programs end that write to a pipe nobody reads.
            sys::die_of(Signal::PIPE);
        }
        Self { code: error.exit_code(), error: error.into() }
    }

    fn of_daemon(error: DaemonError) -> Self {
        Self { code: error.exit_code(), error: error.into() }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").field("build", &self.build).finish_non_exhaustive()
    }
}

/// What the user called this program: messages begin with it.
fn called_name(build: &Build) -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| build.name().to_owned())
}

/// The id that the author has chosen, or the default.
fn id(chosen: Option<Box<dyn FnOnce() -> String>>, build: &Build) -> String {
    chosen.map_or_else(|| format!("{}-{}", build.name(), own_uid()), |id| id())
}
