//! What the starting client hands over: the listening socket as standard input, the life lock as standard output, and
//! the log as standard error.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;

use rustix::stdio::{dup2_stdin, dup2_stdout};

use super::DaemonError;
use super::supervisor::Supervisor;
use crate::fault;
use crate::instance::{Instance, LifeLock, ServedFiles, StartLock};

/// All that a daemon needs in order to serve.
#[derive(Debug)]
pub(super) struct Handover {
    pub(super) listener: UnixListener,
    pub(super) files: ServedFiles,
    /// Until the daemon serves, if no client holds it for that long.
    pub(super) start: Option<StartLock>,
    /// Of a daemon in the foreground.
    pub(super) supervisor: Option<Supervisor>,
}

impl Handover {
    /// Takes what this process was given, and leaves its standard streams as handlers expect a daemon's to be: nothing to
    /// read, and everything written goes to the log. `None` if somebody has removed the files since, so that nobody would find the
    /// daemon.
    pub(super) fn take(instance: &Instance) -> Result<Option<Self>, DaemonError> {
        fault::at("take")?;
        let listener = listener(instance, io::stdin().as_fd().try_clone_to_owned()?)?
            .ok_or(DaemonError::NotStartedByClient)?;
        let life = LifeLock::inherited(instance, io::stdout().as_fd().try_clone_to_owned()?)?;
        dup2_stdin(File::open("/dev/null")?)?;
        dup2_stdout(io::stderr())?;
        let Some(life) = life else { return Ok(None) };
        let files = ServedFiles::if_still_there(instance, life)?;
        Ok(files.map(|files| Self { listener, files, start: None, supervisor: None }))
    }
}

/// The descriptor as a listener, if it is the one for this daemon's socket.
pub(super) fn listener(instance: &Instance, descriptor: OwnedFd) -> io::Result<Option<UnixListener>> {
    let listener = UnixListener::from(descriptor);
    let is_ours = listener.local_addr().is_ok_and(|address| address.as_pathname() == Some(instance.socket()));
    if !is_ours {
        return Ok(None);
    }
    listener.set_nonblocking(true)?;
    Ok(Some(listener))
}
