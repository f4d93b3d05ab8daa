//! Starting a daemon: the client makes the socket and hands it over, so that every caller can connect at once and wait
//! in its queue.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};

use rustix::process::Signal;

use super::ClientError;
use super::connection::{Connection, Contact, Meeting};
use super::error::LogExcerpt;
use crate::app::Program;
use crate::deadline::Pending;
use crate::instance::{DIRECTORY_VARIABLE, Instance, LifeLock, Log, ServedFiles};
use crate::limits::{LOG_EXCERPT, RETIRE_LIMIT, START_LIMIT};
use crate::{fault, role, sys, version};

/// Starts a daemon of this very build and waits until it is ready. `None` if it was asked to retire by then.
///
/// Until then the caller keeps the start lock, so that nobody takes a slow start for a hung daemon.
pub(super) fn start(
    program: &Program,
    instance: &Instance,
    life: LifeLock,
    command: &[u8],
) -> Result<Option<Connection>, ClientError> {
    let log = NewLog::open(instance, &life)?;
    let listener = instance.bind(&life)?;
    // Removed again unless a daemon takes them over.
    let Some(files) = ServedFiles::if_still_there(instance, life)? else {
        return Ok(None);
    };

    // Before there is anybody to answer, so that even a daemon that ends at once finds its caller in the queue.
    let Contact::Peer(daemon) = Connection::open(program, instance)? else {
        return Ok(None);
    };
    let child =
        spawn(program, instance, listener, &files, &log).map_err(|source| ClientError::Spawn { source })?;
    fault::passing("spawned");
    match daemon.handshake(&program.build, START_LIMIT, command) {
        Ok(Meeting::Agreed(daemon)) => {
            fault::passing("hand_over");
            files.hand_over();
            Ok(Some(daemon))
        }
        Ok(Meeting::TimedOut) => {
            kill(child);
            Err(ClientError::HungAtStart { log: log.excerpt() })
        }
        // It has closed the connection, mostly because it is gone or going.
        Ok(_) => match wait(child).map_err(|source| ClientError::Spawn { source })? {
            Some(status) if !status.success() => Err(ClientError::DiedAtStart { status, log: log.excerpt() }),
            Some(_) => Ok(None),
            // It lives: it didn't want to wait for us any longer, or retires and has others' commands to finish.
            None => {
                files.hand_over();
                Ok(None)
            }
        },
        Err(error) => {
            kill(child);
            Err(error)
        }
    }
}

/// Runs this program once more, as a daemon that keeps nothing of its caller's.
fn spawn(
    program: &Program,
    instance: &Instance,
    listener: UnixListener,
    files: &ServedFiles,
    log: &NewLog,
) -> io::Result<Child> {
    fault::at("spawn")?;
    let program_file = version::executable()?;
    let mut command = Command::new(&program_file);
    command
        .arg0(&program.name)
        .args(role::daemon_arguments(instance.id(), &program.build))
        .env(DIRECTORY_VARIABLE, instance.directory())
        .current_dir("/")
        .stdin(OwnedFd::from(listener))
        .stdout(files.share_life_lock()?)
        .stderr(log.log.file().try_clone()?);
    sys::keep_descriptors_from_children()?;
    // Or nobody would tell how the daemon ended.
    sys::heed([Signal::CHILD]);
    // With the command goes this process's copy of the listener: from here on the daemon alone keeps callers waiting.
    command
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program_file.display())))
}

/// Ends a daemon that doesn't get ready.
fn kill(mut child: Child) {
    // Both fail only where there is no such child any more.
    let _ = child.kill();
    let _ = child.wait();
}

/// Waits for a daemon that is going by itself, so that its own exit status is known.
fn wait(mut child: Child) -> io::Result<Option<ExitStatus>> {
    Pending::start(move || child.wait())?.within(RETIRE_LIMIT).transpose()
}

/// The log, and where the daemon that is being started begins to write it.
#[derive(Debug)]
struct NewLog {
    log: Log,
    start: u64,
}

impl NewLog {
    fn open(instance: &Instance, life: &LifeLock) -> Result<Self, ClientError> {
        let log = instance.open_log(life)?;
        let start = log.file().metadata().map_err(|source| ClientError::Spawn { source })?.len();
        Ok(Self { log, start })
    }

    /// What the daemon wrote, or the end of it.
    fn excerpt(self) -> LogExcerpt {
        // Without its log the failure is still worth reporting.
        let text = self.read_end().unwrap_or_default();
        LogExcerpt { path: self.log.path().to_owned(), text }
    }

    fn read_end(&self) -> io::Result<String> {
        let mut file = self.log.file();
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(self.start.max(end.saturating_sub(LOG_EXCERPT))))?;
        let mut text = Vec::new();
        file.take(LOG_EXCERPT).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
