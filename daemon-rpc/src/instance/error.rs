//! Why a daemon's files can't be used.

use std::io;
use std::path::PathBuf;

use crate::ExitCode;
use crate::limits::START_LOCK_LIMIT;

/// A reason not to touch a daemon's files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstanceError {
    #[error("the daemon id {id:?} can't be used: {reason}")]
    Id { id: String, reason: &'static str },
    #[error(
        "the directory {directory} can't be used for the daemon's files; set DAEMON_RPC_DIR to a directory that exists \
         and that you can write",
        directory = .directory.display()
    )]
    Directory { directory: PathBuf, source: io::Error },
    #[error(
        "{directory} is not a directory; set DAEMON_RPC_DIR to a directory that you can write",
        directory = .directory.display()
    )]
    NotADirectory { directory: PathBuf },
    #[error(
        "the directory {directory} belongs to another user (uid {owner}), who could meddle with the daemon's files; set \
         DAEMON_RPC_DIR to a directory of your own",
        directory = .directory.display()
    )]
    DirectoryOfAnother { directory: PathBuf, owner: u32 },
    #[error(
        "others can write the directory {directory}, which has no sticky bit, and could replace the daemon's files; run \
         `chmod go-w` on it or set DAEMON_RPC_DIR to another directory",
        directory = .directory.display()
    )]
    DirectoryUnsafe { directory: PathBuf },
    #[error(
        "the socket path {path} is {length} bytes long, and the limit is {limit}; set DAEMON_RPC_DIR to a directory with \
         a shorter name",
        path = .path.display()
    )]
    PathTooLong { path: PathBuf, length: usize, limit: usize },
    #[error("{path} belongs to another user (uid {owner}); have it removed, or set DAEMON_RPC_DIR to a directory of your own", path = .path.display())]
    FileOfAnother { path: PathBuf, owner: u32 },
    #[error("{path} is not {expected} but {found}; remove it", path = .path.display())]
    WrongKind { path: PathBuf, expected: &'static str, found: &'static str },
    #[error("can't use {path}", path = .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(
        "another process has been starting the daemon for {limit} seconds, and holds {path}; see what it waits for \
         (`fuser {path}`)",
        limit = START_LOCK_LIMIT.as_secs(),
        path = .path.display()
    )]
    StartLockHeld { path: PathBuf },
    #[error("can't wait for the daemon that serves now to retire; call this command again")]
    Retire { source: io::Error },
    #[error("the daemon that serves now doesn't answer and can't be stopped{}; stop it by hand", in_brackets(.pid))]
    Unresponsive { pid: Option<i32> },
    #[error("the daemon's lock on {path} was not handed over", path = .path.display())]
    NotLocked { path: PathBuf },
}

impl InstanceError {
    /// Whether it says no more than that a file isn't there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// The exit code that tells scripts which of these it was.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Id { .. }
            | Self::Directory { .. }
            | Self::NotADirectory { .. }
            | Self::PathTooLong { .. } => ExitCode::CONFIGURATION,
            Self::DirectoryOfAnother { .. }
            | Self::DirectoryUnsafe { .. }
            | Self::FileOfAnother { .. }
            | Self::WrongKind { .. } => ExitCode::NOT_OURS,
            Self::File { .. }
            | Self::StartLockHeld { .. }
            | Self::Retire { .. }
            | Self::Unresponsive { .. }
            | Self::NotLocked { .. } => ExitCode::UNAVAILABLE,
        }
    }
}

/// The pid, if it is known, as the end of a phrase.
pub(crate) fn in_brackets(pid: &Option<i32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}
