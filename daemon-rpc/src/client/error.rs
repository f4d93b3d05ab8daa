//! Why the framework couldn't run a command, as its user reads it.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::ExitCode;
use crate::instance::{InstanceError, in_brackets};
use crate::limits::START_LIMIT;
use crate::needs::{Needs, StdinNeed};

/// A failure of the framework. Its message says what happened, then what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("unexpected argument {argument:?}: this command takes no arguments{}", if *.reads_stdin { ", it reads its standard input" } else { "" })]
    Argument { argument: String, reads_stdin: bool },
    #[error(
        "the directory that this command was called in can't be told, it may have been deleted; change to another one"
    )]
    Directory { source: io::Error },
    #[error("can't read standard input")]
    Stdin { source: io::Error },
    #[error(
        "standard input is not UTF-8: byte {position} (counted from 1) is {byte:#04x}; convert it to UTF-8 first"
    )]
    NotUtf8 { position: usize, byte: u8 },
    #[error(
        "standard input is longer than this command's limit of {limit} bytes (max_command); give it less at a time"
    )]
    CommandTooLong { limit: usize },
    #[error("can't write to {stream}")]
    Output { stream: &'static str, source: io::Error },
    #[error("nobody reads this command's output any more")]
    ReaderGone,
    #[error("can't follow the terminal's size")]
    Terminal { source: io::Error },
    #[error(transparent)]
    Instance(#[from] InstanceError),
    #[error("can't reach the daemon at {path}", path = .path.display())]
    Connect { path: PathBuf, source: io::Error },
    #[error("the connection to the daemon failed")]
    Connection { source: io::Error },
    #[error("{path} is served by another user (uid {owner}); have that program stopped, or set DAEMON_RPC_DIR to a directory of your own", path = .path.display())]
    PeerOfAnother { path: PathBuf, owner: u32 },
    #[error("what listens at {path} is not this command's daemon: {reason}; stop that program, or set DAEMON_RPC_DIR to another directory", path = .path.display())]
    NotADaemon { path: PathBuf, reason: String },
    #[error("the supervisor that listens at {path} starts a daemon of another build; have it start this build of the program", path = .path.display())]
    SupervisorsBuild { path: PathBuf },
    #[error("the daemon{} doesn't answer; stop it (--daemon-stop), and see its log, {log}", in_brackets(.pid), log = .log.display())]
    NoAnswer { pid: Option<i32>, log: PathBuf },
    #[error("the daemon ended before it had loaded what it needs; its log is {log}", log = .log.display())]
    DiedLoading { log: PathBuf },
    #[error("there is no log at {path}; a daemon begins one when it starts", path = .path.display())]
    NoLog { path: PathBuf },
    #[error("can't read the log")]
    Log { source: io::Error },
    #[error("can't start the daemon")]
    Spawn { source: io::Error },
    #[error("the daemon ended before it was ready ({status}){log}")]
    DiedAtStart { status: ExitStatus, log: LogExcerpt },
    #[error("the daemon wasn't ready within {limit} seconds and was stopped{log}", limit = START_LIMIT.as_secs())]
    HungAtStart { log: LogExcerpt },
    #[error("can't get ready: {error}")]
    NotLoaded { error: String },
    #[error("this command can't run in its own process (DAEMON_RPC_INLINE): {reason}")]
    Inline { reason: String },
    #[error("the daemon was replaced or stopped each time this command reached it; call it again")]
    AlwaysRetiring,
    #[error("the daemon ended before this command did, which may be half done; its log is {log}", log = .log.display())]
    DaemonDied { log: PathBuf },
    #[error(
        "the daemon answered too late for this command, which may be half done; see whether it is, then call it again"
    )]
    LateAnswer,
    #[error("the daemon sent something that this command doesn't understand; its log is {log}", log = .log.display())]
    Garbled {
        log: PathBuf,
        #[source]
        source: crate::protocol::ProtocolError,
    },
}

impl ClientError {
    /// An argument was given to a command that takes none.
    pub(crate) fn argument(argument: &OsStr, needs: Needs) -> Self {
        Self::Argument {
            argument: argument.to_string_lossy().into_owned(),
            reads_stdin: needs.stdin != StdinNeed::Nothing,
        }
    }

    /// The exit code that tells scripts which of these it was.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Argument { .. } => ExitCode::USAGE,
            Self::Directory { .. } => ExitCode::CONFIGURATION,
            Self::NotUtf8 { .. } | Self::CommandTooLong { .. } => ExitCode::BAD_INPUT,
            Self::Stdin { .. } | Self::Output { .. } | Self::ReaderGone => ExitCode::STREAM_FAILED,
            Self::Instance(error) => error.exit_code(),
            Self::PeerOfAnother { .. } => ExitCode::NOT_OURS,
            Self::NotADaemon { .. } | Self::Garbled { .. } => ExitCode::PROTOCOL,
            Self::Connect { .. }
            | Self::Connection { .. }
            | Self::Spawn { .. }
            | Self::DiedAtStart { .. }
            | Self::HungAtStart { .. }
            | Self::NotLoaded { .. }
            | Self::Terminal { .. }
            | Self::Inline { .. }
            | Self::SupervisorsBuild { .. }
            | Self::NoAnswer { .. }
            | Self::DiedLoading { .. }
            | Self::NoLog { .. }
            | Self::Log { .. }
            | Self::AlwaysRetiring => ExitCode::UNAVAILABLE,
            Self::DaemonDied { .. } | Self::LateAnswer => ExitCode::DAEMON_DIED,
        }
    }
}

/// What a daemon that failed had to say.
#[derive(Debug)]
pub(crate) struct LogExcerpt {
    /// Where to read all of it.
    pub(super) path: PathBuf,
    /// Its last lines.
    pub(super) text: String,
}

impl std::fmt::Display for LogExcerpt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.text.trim_end() {
            "" => write!(formatter, "; its log, {}, is empty", self.path.display()),
            text => write!(formatter, "; the end of its log, {}, is:\n{text}", self.path.display()),
        }
    }
}
