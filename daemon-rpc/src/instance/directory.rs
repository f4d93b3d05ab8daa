//! The directory that holds the daemon's files.

use std::env;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode};

use super::{InstanceError, own_uid};

/// Names the directory of the daemons' files.
pub(crate) const VARIABLE: &str = "DAEMON_RPC_DIR";

const DEFAULT: &str = "/tmp";

/// The user who can do anything anyhow.
pub(crate) const ROOT: u32 = 0;

/// The directory that the environment asks for, once it has been found safe.
pub(super) fn from_environment() -> Result<PathBuf, InstanceError> {
    let directory = match env::var_os(VARIABLE) {
        Some(directory) if !directory.is_empty() => PathBuf::from(directory),
        _ => PathBuf::from(DEFAULT),
    };
    // The daemon runs in another directory and must find the same files.
    let directory = std::path::absolute(&directory)
        .map_err(|source| InstanceError::Directory { directory: directory.clone(), source })?;
    check(&directory)?;
    Ok(directory)
}

/// Whoever can rename or remove files in the directory can put a socket of his own in the daemon's place.
fn check(directory: &Path) -> Result<(), InstanceError> {
    let found = rustix::fs::stat(directory).map_err(|error| InstanceError::Directory {
        directory: directory.to_owned(),
        source: error.into(),
    })?;
    let directory = || directory.to_owned();
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return Err(InstanceError::NotADirectory { directory: directory() });
    }
    if found.st_uid != ROOT && found.st_uid != own_uid() {
        return Err(InstanceError::DirectoryOfAnother { directory: directory(), owner: found.st_uid });
    }
    let mode = Mode::from_raw_mode(found.st_mode);
    if mode.intersects(Mode::WGRP | Mode::WOTH) && !mode.contains(Mode::SVTX) {
        return Err(InstanceError::DirectoryUnsafe { directory: directory() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_directories_that_no_other_user_can_change_are_safe() {
        let directory = tempfile::tempdir().unwrap();
        for (mode, safe) in
            [(0o700, true), (0o755, true), (0o1777, true), (0o1770, true), (0o777, false), (0o770, false)]
        {
            fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
            assert_eq!(check(directory.path()).is_ok(), safe, "{mode:o}");
        }
    }

    #[test]
    fn a_file_or_nothing_is_not_a_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(check(file.path()), Err(InstanceError::NotADirectory { .. })));
        assert!(matches!(check(Path::new("/nonexistent")), Err(InstanceError::Directory { .. })));
    }
}
