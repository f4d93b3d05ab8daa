//! The whole of a program, put together by hand: what the attribute expands to.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::instance::own_uid;
use crate::limits::{LARGEST_MAX_COMMAND, MAX_COMMAND};
use crate::role::Role;
use crate::{Build, CommandHandler, ExitCode, client, daemon};

/// The program that is running.
#[derive(Debug)]
pub(crate) struct Program {
    /// How its user called it.
    pub(crate) name: String,
    /// Which build of it this is.
    pub(crate) build: String,
    /// The longest input that a command may carry, in bytes.
    pub(crate) max_command: usize,
    /// Where a handler's error is told.
    pub(crate) errors: Errors,
}

/// The stream on which a handler's error, or its panic, is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Errors {
    /// Standard output, behind what the handler wrote.
    #[default]
    ToStdout,
    /// Standard error.
    ToStderr,
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
    max_command: usize,
    errors: Errors,
}

impl App {
    /// A program of this build, with the id `{binary name}-{uid}`.
    pub fn new(build: Build) -> Self {
        Self { build, id: None, max_command: MAX_COMMAND, errors: Errors::default() }
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

    /// Limits how long a command's input may be: `bytes`, instead of 16 MiB. The client refuses longer input
    /// with [`ExitCode::BAD_INPUT`] before it connects.
    ///
    /// The input is held in memory on both sides, the daemon's once for each command that runs.
    ///
    /// # Panics
    ///
    /// If `bytes` is not from 1 to 1 GiB.
    pub fn max_command(mut self, bytes: usize) -> Self {
        assert!(
            (1..=LARGEST_MAX_COMMAND).contains(&bytes),
            "max_command is from 1 byte to 1 GiB, not {bytes}"
        );
        self.max_command = bytes;
        self
    }

    /// Says on which stream a handler's error is told, instead of standard output. The framework's own errors are always told
    /// on standard error.
    pub fn errors(mut self, errors: Errors) -> Self {
        self.errors = errors;
        self
    }

    /// Runs as what the arguments say: as the client of one command, or as the daemon.
    ///
    /// The result is for `main` to return. It is the command's exit code, or one of those that [`ExitCode`] names.
    #[must_use]
    pub fn run(self, handler: impl CommandHandler) -> std::process::ExitCode {
        let program = Program {
            name: called_name(&self.build),
            build: self.build.identity(),
            max_command: self.max_command,
            errors: self.errors,
        };
        let ended = match Role::of_this_process() {
            Role::Client => {
                let id = self.id.map_or_else(|| default_id(&self.build), |id| id());
                client::run(&program, id, handler.needs())
                    .map_err(|error| (error.exit_code(), anyhow::Error::from(error)))
            }
            Role::Daemon { id, build } => {
                let served = daemon::run(&program, &build, id, Arc::new(handler));
                served.map(|()| ExitCode::SUCCESS).map_err(|error| (error.exit_code(), error.into()))
            }
            Role::Confused => Err((ExitCode::USAGE, anyhow::Error::msg(Role::CONFUSED))),
        };
        let code = ended.unwrap_or_else(|(code, error)| {
            // With standard error gone, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "{}: {error:#}", program.name);
            code
        });
        code.into()
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

fn default_id(build: &Build) -> String {
    format!("{}-{}", build.name(), own_uid())
}
