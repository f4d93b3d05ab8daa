//! The daemon's log, shown to an operator.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

#[cfg(target_os = "linux")]
use rustix::event::PollFlags;
use rustix::event::{PollFd, poll};
#[cfg(target_os = "linux")]
use rustix::io::Errno;
use rustix::io::retry_on_intr;

use super::ClientError;
use super::output::CallersStream;
use crate::instance::{FileIdentity, Instance};

const READ_AT_ONCE: usize = 64 * 1024;

/// Writes the log to standard output, and if asked goes on as it grows, until nobody reads any more.
pub(crate) fn print(instance: &Instance, follow: bool) -> Result<(), ClientError> {
    let stdout = CallersStream::stdout();
    // Before the first look, so that nothing is missed behind it.
    let changes = if follow { Some(Changes::watch(instance).map_err(failed)?) } else { None };
    let mut shown = instance.read_log()?;
    if shown.is_none() && !follow {
        return Err(ClientError::NoLog { path: instance.log() });
    }
    loop {
        if let Some(log) = &mut shown {
            copy(log, &stdout)?;
        }
        let Some(changes) = &changes else {
            return Ok(());
        };
        changes.wait(&stdout)?;
        // By its name, since the next daemon may have set it aside.
        changes.watch_log(instance).map_err(failed)?;
        let now = instance.read_log()?;
        if !is_same(shown.as_ref(), now.as_ref()).map_err(failed)? {
            // What came in between.
            shown.iter().try_for_each(|log| copy(log, &stdout))?;
            shown = now;
        }
    }
}

fn failed(source: io::Error) -> ClientError {
    ClientError::Log { source }
}

/// Copies what is new. Where the beginning has been removed, that is all there is.
fn copy(mut log: &File, stdout: &CallersStream) -> Result<(), ClientError> {
    let trimmed = log.stream_position().map_err(failed)? > log.metadata().map_err(failed)?.len();
    if trimmed {
        log.seek(SeekFrom::Start(0)).map_err(failed)?;
    }
    let mut buffer = vec![0; READ_AT_ONCE];
    loop {
        let count = log.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok(());
        }
        stdout.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

fn is_same(shown: Option<&File>, now: Option<&File>) -> io::Result<bool> {
    Ok(shown.map(FileIdentity::of_file).transpose()? == now.map(FileIdentity::of_file).transpose()?)
}

/// Tells when the log grows, or another takes its name.
#[derive(Debug)]
struct Changes {
    #[cfg(target_os = "linux")]
    events: rustix::fd::OwnedFd,
}

impl Changes {
    #[cfg(target_os = "linux")]
    fn watch(instance: &Instance) -> io::Result<Self> {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
        let events = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        add_watch(&events, instance.directory(), WatchFlags::CREATE | WatchFlags::ONLYDIR)?;
        let changes = Self { events };
        changes.watch_log(instance)?;
        Ok(changes)
    }

    /// Watches the file that is the log now. To do so again changes nothing.
    #[cfg(target_os = "linux")]
    fn watch_log(&self, instance: &Instance) -> io::Result<()> {
        use rustix::fs::inotify::{WatchFlags, add_watch};
        match add_watch(&self.events, instance.log(), WatchFlags::MODIFY | WatchFlags::DONT_FOLLOW) {
            Err(error) if error != Errno::NOENT => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Waits for the next change.
    #[cfg(target_os = "linux")]
    fn wait(&self, stdout: &CallersStream) -> Result<(), ClientError> {
        let mut watched = [stdout.poll_for_reader(), PollFd::new(&self.events, PollFlags::IN)];
        retry_on_intr(|| poll(&mut watched, None)).map_err(|error| failed(error.into()))?;
        check_for_reader(&watched)?;
        // What they say doesn't matter, nor whether there are more: then the next wait is short.
        let _ = rustix::io::read(&self.events, &mut [0; 4096]);
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unnecessary_wraps)]
    fn watch(_: &Instance) -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unnecessary_wraps)]
    fn watch_log(&self, _: &Instance) -> io::Result<()> {
        Ok(())
    }

    /// Waits a while, since nothing here tells of changes without a dependency of its own.
    #[cfg(not(target_os = "linux"))]
    fn wait(&self, stdout: &CallersStream) -> Result<(), ClientError> {
        use rustix::event::Timespec;
        let a_while = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
        let mut watched = [stdout.poll_for_reader()];
        retry_on_intr(|| poll(&mut watched, Some(&a_while))).map_err(|error| failed(error.into()))?;
        check_for_reader(&watched)
    }
}

fn check_for_reader(watched: &[PollFd<'_>]) -> Result<(), ClientError> {
    match watched.first() {
        Some(stdout) if !stdout.revents().is_empty() => Err(ClientError::ReaderGone),
        _ => Ok(()),
    }
}
