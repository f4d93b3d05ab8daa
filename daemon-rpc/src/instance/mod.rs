//! One daemon on disk: where its files are, who owns them, and the locks that say whether it lives.

mod directory;
mod error;
mod file;
mod holder;
mod id;
mod lock;
mod log;
mod served;
mod socket;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(crate) use directory::{ROOT, VARIABLE as DIRECTORY_VARIABLE};
pub(crate) use error::{InstanceError, in_brackets};
pub(crate) use file::FileIdentity;
pub(crate) use holder::Holder;
pub use id::check as check_id;
pub(crate) use lock::{Life, LifeLock, StartLock};
pub(crate) use log::Log;
pub(crate) use served::ServedFiles;

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

    /// The log of the daemon before, if that hadn't ended when the next one came.
    pub(crate) fn old_log(&self) -> PathBuf {
        self.file("log.old")
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
