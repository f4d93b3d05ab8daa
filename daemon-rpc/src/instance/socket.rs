//! The socket's file.

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, lstat, unlink};
use rustix::io::Errno;
use rustix::process::umask;

use super::file::{FileIdentity, PRIVATE, check_own, file_error};
use super::{Instance, InstanceError, LifeLock};
use crate::fault;

/// How many bytes a socket's path can have: all of `sun_path` but the NUL at its end.
const PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Says that a path is too long before the system calls it an "invalid argument".
pub(super) fn check_path_length(path: &Path) -> Result<(), InstanceError> {
    let length = path.as_os_str().len();
    if length > PATH_LIMIT {
        return Err(InstanceError::PathTooLong { path: path.to_owned(), length, limit: PATH_LIMIT });
    }
    Ok(())
}

impl Instance {
    /// Whether there is a socket, of ours, that a daemon may listen on.
    pub(crate) fn has_socket(&self) -> Result<bool, InstanceError> {
        let path = self.socket();
        match lstat(path) {
            Ok(found) => check_own(path, &found, FileType::Socket).map(|()| true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(file_error(path, error)),
        }
    }

    /// Makes the socket and listens on it, after removing one that a dead daemon left.
    ///
    /// The life lock shows that no daemon serves the old one.
    pub(crate) fn bind(&self, _life: &LifeLock) -> Result<UnixListener, InstanceError> {
        let path = self.socket();
        fault::at("bind").map_err(|error| file_error(path, error))?;
        if self.has_socket()? {
            unlink(path).map_err(|error| file_error(path, error))?;
        }
        // The mode must be right from the socket's first instant. No other thread of a client makes files.
        let callers = umask(Mode::from_bits_retain(0o777).difference(PRIVATE));
        let listener = UnixListener::bind(path);
        umask(callers);
        listener.map_err(|error| file_error(path, error))
    }
}

/// The socket's file that a daemon serves. It goes with this.
///
/// The listener must live as long: the system doesn't use the inode again before, so that no other file has the identity.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: FileIdentity,
    /// It is somebody else's to remove.
    stays: bool,
}

impl SocketFile {
    /// The socket that is there now.
    pub(super) fn of(instance: &Instance) -> Result<Self, InstanceError> {
        let path = instance.socket().to_owned();
        let identity = FileIdentity::of_path(&path).map_err(|error| file_error(&path, error))?;
        Ok(Self { path, identity, stays: false })
    }

    /// Whether its path still leads to it. Something may have removed or replaced the file.
    pub(super) fn is_in_place(&self) -> bool {
        FileIdentity::of_path(&self.path).is_ok_and(|there| there == self.identity)
    }

    /// Leaves the file to somebody else.
    pub(super) fn leave(&mut self) {
        self.stays = true;
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if !self.stays && self.is_in_place() && fault::at("unlink_socket").is_ok() {
            // Whoever removed it first did what was to be done.
            let _ = unlink(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_the_system_takes() {
        let directory = tempfile::tempdir().unwrap();
        let room = PATH_LIMIT - directory.path().as_os_str().len() - 1;
        let longest = directory.path().join("s".repeat(room));
        assert!(check_path_length(&longest).is_ok());
        UnixListener::bind(&longest).unwrap();

        let too_long = directory.path().join("t".repeat(room + 1));
        assert!(UnixListener::bind(&too_long).is_err());
        let message = check_path_length(&too_long).unwrap_err().to_string();
        assert!(
            message.contains(&format!("is {} bytes long, and the limit is {PATH_LIMIT}", PATH_LIMIT + 1))
        );
    }
}
