//! Why a daemon couldn't serve.

use std::io;
use std::path::PathBuf;

use crate::ExitCode;
use crate::instance::{InstanceError, in_brackets};

/// A failure of the daemon as a whole, which ends in its log and, at its start, with the client that started it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DaemonError {
    #[error("a daemon of build {asked_for} was asked for, and this is build {build}")]
    OtherBuild { asked_for: String, build: String },
    #[error("daemons are started by the command itself: call it without --daemon-id")]
    NotStartedByClient,
    #[error("a daemon serves already{}; stop it first (--daemon-stop)", in_brackets(.pid))]
    AlreadyServed { pid: Option<i32> },
    #[error(
        "something listens at {path} already; if a supervisor does, let it start the daemon, otherwise stop that program",
        path = .path.display()
    )]
    SocketInUse { path: PathBuf },
    #[error(
        "none of the sockets that were passed (LISTEN_FDS) listens at {path}; make that the supervisor's (ListenStream=, Accept=no), or set DAEMON_RPC_DIR to its directory",
        path = .path.display()
    )]
    OtherSocket { path: PathBuf },
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The application's own error is all that there is to say.
    #[error("{0}")]
    NotLoaded(String),
    #[error("the system refused what a daemon needs")]
    Io(#[from] io::Error),
}

impl DaemonError {
    /// The exit code that tells supervisors which of these it was.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::OtherBuild { .. } | Self::NotStartedByClient => ExitCode::USAGE,
            Self::Instance(error) => error.exit_code(),
            Self::OtherSocket { .. } => ExitCode::CONFIGURATION,
            Self::AlreadyServed { .. } | Self::SocketInUse { .. } | Self::NotLoaded(_) | Self::Io(_) => {
                ExitCode::UNAVAILABLE
            }
        }
    }
}

impl From<rustix::io::Errno> for DaemonError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}
