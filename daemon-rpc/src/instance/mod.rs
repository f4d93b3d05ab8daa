//! One daemon on disk: where its files are, who owns them, and the locks that say whether it lives.

mod directory;
mod error;
mod file;
mod id;
mod lock;
mod served;
mod socket;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(crate) use directory::VARIABLE as DIRECTORY_VARIABLE;
pub(crate) use error::InstanceError;
pub use id::check as check_id;
pub(crate) use lock::{Holder, Life, LifeLock, StartLock};
pub(crate) use served::ServedFiles;

use rustix::fs::OFlags;

use crate::limits::MAX_LOG;

/// The files of the daemon with one id, in one directory.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    directory: PathBuf,
    id: String,
    /// Every call needs this path, and several times; the others only those that start a daemon.
    socket: PathBuf,
}

impl Instance {
    /// The daemon with this id, in the directory that the environment names.
    ///
    /// # Errors
    ///
    /// When the id or the directory can't be used, or the directory isn't safe.
    pub(crate) fn new(id: String) -> Result<Self, InstanceError> {
        id::check(&id).map_err(|reason| InstanceError::Id { id: id.clone(), reason })?;
        let instance = Self::of(directory::from_environment()?, id);
        socket::check_path_length(&instance.socket)?;
        Ok(instance)
    }

    fn of(directory: PathBuf, id: String) -> Self {
        let socket = file_path(&directory, &id, "sock");
        Self { directory, id, socket }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn pid(&self) -> PathBuf {
        self.file("pid")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.file("lock")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.file("log")
    }

    /// Opens the log at its end. One that has grown too long begins anew.
    pub(crate) fn open_log(&self) -> Result<File, InstanceError> {
        let path = self.log();
        let log = file::open_own(&path, OFlags::APPEND)?;
        let trim = || if log.metadata()?.len() > MAX_LOG { log.set_len(0) } else { Ok(()) };
        trim().map_err(|error| file::file_error(&path, error))?;
        Ok(log)
    }

    fn file(&self, extension: &str) -> PathBuf {
        file_path(&self.directory, &self.id, extension)
    }
}

fn file_path(directory: &Path, id: &str, extension: &str) -> PathBuf {
    directory.join(["daemon-rpc-", id, ".", extension].concat())
}

/// The user on whose behalf this process acts: only its files and its peers are trusted.
pub(crate) fn own_uid() -> u32 {
    static UID: OnceLock<u32> = OnceLock::new();
    *UID.get_or_init(|| rustix::process::geteuid().as_raw())
}
