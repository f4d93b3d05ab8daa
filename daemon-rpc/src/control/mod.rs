//! A program's daemon from outside: how it is, stopping it, restarting it, its log.
//!
//! Every program has these as [flags](HELP), and can have them as a [subcommand](crate::App::subcommand) of its own. A program that
//! wants more than that makes a [`Control`]:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use daemon_rpc::params::Args;
//! use daemon_rpc::{App, build, handler_fn};
//!
//! async fn shout(words: Args) {}
//!
//! fn main() -> ExitCode {
//!     let app = App::new(build!());
//!     if std::env::args_os().nth(1).is_none_or(|first| first != "is-warm") {
//!         return app.run(handler_fn(shout));
//!     }
//!     match app.control().and_then(|control| control.status()) {
//!         Ok(Some(status)) => println!("yes, for {:?}", status.uptime),
//!         Ok(None) => println!("no"),
//!         Err(error) => {
//!             eprintln!("{error}");
//!             return error.exit_code().into();
//!         }
//!     }
//!     ExitCode::SUCCESS
//! }
//! ```

mod action;
mod status;

use std::path::PathBuf;

use rustix::process::Signal;

use crate::ExitCode;
use crate::app::Program;
use crate::client::{self, ClientError, Last, Wait};
use crate::instance::Instance;

pub(crate) use action::Action;
pub use action::HELP;
pub use status::Status;

/// A program's daemon, for those who look after it. [`App::control`](crate::App::control) makes one.
///
/// None of its methods needs a handler's thread of the daemon: they work while all of those are blocked, and on a daemon of another
/// build too.
#[derive(Debug)]
pub struct Control {
    program: Program,
    instance: Instance,
}

/// What becomes of the commands that run when a daemon is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// They may go on for 30 seconds, then they are cancelled.
    Drain,
    /// They are cancelled at once, and aborted when their grace period is over.
    Now,
}

/// A daemon that was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Its process, if it could be told.
    pub pid: Option<u32>,
    /// How many commands it still ran.
    pub running: u64,
}

impl Control {
    pub(crate) fn new(program: Program, id: String) -> Result<Self, ControlError> {
        let instance = Instance::new(id).map_err(ClientError::from)?;
        Ok(Self { program, instance })
    }

    /// How the daemon is. `None` if there is none, which is then not started.
    ///
    /// # Errors
    ///
    /// When the daemon doesn't answer within the handshake time-out (5 seconds), or its files can't be used.
    pub fn status(&self) -> Result<Option<Status>, ControlError> {
        let status = client::status(&self.program, &self.instance)?;
        Ok(status.map(|status| Status::new(status, &self.program, &self.instance)))
    }

    /// Stops the daemon, and returns when its socket is free, so that the next one can start: that is at once, also while commands
    /// still run. `None` if there was no daemon.
    ///
    /// # Errors
    ///
    /// When others have been starting or stopping the daemon for a minute, or it can't be had to give up its socket, even by killing
    /// it.
    pub fn stop(&self, stop: Stop) -> Result<Option<Stopped>, ControlError> {
        self.stop_telling(stop, &|_| {})
    }

    fn stop_telling(
        &self,
        stop: Stop,
        tell: &(dyn Fn(Wait) + Sync),
    ) -> Result<Option<Stopped>, ControlError> {
        let signal = match stop {
            Stop::Drain => Signal::TERM,
            Stop::Now => Signal::QUIT,
        };
        let stopped = client::stop(&self.program, &self.instance, signal, tell)?;
        Ok(stopped.map(|Last { pid, running }| Stopped { pid, running }))
    }

    /// Stops the daemon as [`Stop::Drain`] does, if there is one, and starts one of this build. Returns when it has loaded its state.
    ///
    /// It is made for programs that end soon. The daemon is a child of this process, which is to wait for it if it lives on, has the default
    /// action for `SIGCHLD` from then on, and keeps the descriptors that it has by then from all its children.
    ///
    /// # Errors
    ///
    /// As for [`stop`](Self::stop), and when the new one can't be started or can't load its state.
    pub fn restart(&self) -> Result<Status, ControlError> {
        self.restart_telling(&|_| {})
    }

    fn restart_telling(&self, tell: &(dyn Fn(Wait) + Sync)) -> Result<Status, ControlError> {
        let status = client::restart(&self.program, &self.instance, tell)?;
        Ok(Status::new(status, &self.program, &self.instance))
    }

    /// Where the daemon writes its log, unless a supervisor has started it. The file may not be there yet.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.instance.log()
    }
}

/// Why something couldn't be done with a daemon. Its text, with its causes, says what to do.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ControlError(#[from] ClientError);

impl ControlError {
    /// The exit code for a program that can't go on without.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.0.exit_code()
    }
}

impl From<ControlError> for ClientError {
    fn from(error: ControlError) -> Self {
        error.0
    }
}
