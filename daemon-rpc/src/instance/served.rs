//! The files of a daemon that serves, and their end.

use std::io;
use std::os::fd::OwnedFd;

use super::socket::SocketFile;
use super::{Instance, InstanceError, LifeLock};

/// The socket and the locked pid file. They go when this goes, also in a panic.
///
/// The fields go in their order: the socket first, so that nobody connects any more; the lock last, so that nobody puts new
/// files there before the old ones are gone.
#[derive(Debug)]
pub(crate) struct ServedFiles {
    socket: SocketFile,
    life: LifeLock,
}

impl ServedFiles {
    /// The files as they are now. For the holder of the life lock, whose socket it therefore is.
    pub(crate) fn new(instance: &Instance, life: LifeLock) -> Result<Self, InstanceError> {
        Ok(Self { socket: SocketFile::of(instance)?, life })
    }

    /// The same, or `None` if somebody has removed the socket since it was made.
    pub(crate) fn if_still_there(instance: &Instance, life: LifeLock) -> Result<Option<Self>, InstanceError> {
        match Self::new(instance, life) {
            Err(error) if error.is_not_found() => Ok(None),
            files => files.map(Some),
        }
    }

    /// The same where the socket is a supervisor's, who keeps it when the daemon goes.
    pub(crate) fn at_supervisors_socket(instance: &Instance, life: LifeLock) -> Result<Self, InstanceError> {
        let mut files = Self::new(instance, life)?;
        files.socket.leave();
        Ok(files)
    }

    /// Whether the paths still lead to these files. Without the socket nobody finds the daemon, and without the pid file
    /// nobody can have it retire.
    pub(crate) fn are_in_place(&self) -> bool {
        self.socket.is_in_place() && self.life.is_in_place()
    }

    /// Names this process as the daemon, which from here on must know what to do with a signal.
    pub(crate) fn write_pid(&mut self) -> Result<(), InstanceError> {
        self.life.write_pid()
    }

    /// The same to the kernel alone, which may have forgotten it.
    pub(crate) fn name_daemon(&self) {
        // Nobody else can have it, since nobody else has the file.
        let _ = self.life.name_daemon();
    }

    /// A descriptor of the life lock for the daemon.
    pub(crate) fn share_life_lock(&self) -> io::Result<OwnedFd> {
        self.life.share()
    }

    /// Leaves the files to the daemon that shares the life lock by now.
    pub(crate) fn hand_over(mut self) {
        self.socket.leave();
        self.life.hand_over();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::Path;

    use super::*;
    use crate::instance::Life;

    fn served(directory: &Path) -> (Instance, ServedFiles, UnixListener) {
        let instance = Instance::of(directory.to_owned(), "test".into());
        let (start, _) = instance.lock_start().unwrap();
        let Life::Free(life) = instance.lock_life(&start).unwrap() else { panic!("nobody else is here") };
        let listener = instance.bind(&life).unwrap();
        let files = ServedFiles::new(&instance, life).unwrap();
        assert!(instance.socket().exists() && instance.pid().exists());
        (instance, files, listener)
    }

    #[test]
    fn the_files_go_in_a_panic_too() {
        let directory = tempfile::tempdir().unwrap();
        let (instance, files, _listener) = served(directory.path());
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let _files = files;
            panic!("in the control plane");
        }));
        assert!(panicked.is_err());
        assert!(!instance.socket().exists() && !instance.pid().exists());
    }

    #[test]
    fn files_that_were_handed_over_stay_and_so_does_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let (instance, files, _listener) = served(directory.path());
        let daemons = files.share_life_lock().unwrap();
        files.hand_over();
        assert!(instance.socket().exists() && instance.pid().exists());
        let (start, _) = instance.lock_start().unwrap();
        assert!(matches!(instance.lock_life(&start).unwrap(), Life::Held(_)));
        drop(daemons);
        assert!(matches!(instance.lock_life(&start).unwrap(), Life::Free(_)));
    }

    #[test]
    fn files_of_somebody_else_stay() {
        let directory = tempfile::tempdir().unwrap();
        let (instance, files, _listener) = served(directory.path());
        for path in [instance.socket().to_owned(), instance.pid()] {
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "").unwrap();
        }
        assert!(!files.are_in_place());
        drop(files);
        assert!(instance.socket().exists() && instance.pid().exists());
    }
}
