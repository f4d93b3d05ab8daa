//! Opening files in a directory where others can put files too.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat, fchmod, fstat, lstat, open};
use rustix::io::Errno;

use super::{InstanceError, own_uid};

/// The mode of every file of a daemon, the socket included: its owner's alone.
pub(super) const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Which file a path or a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    pub(super) fn of_path(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&lstat(path)?))
    }

    pub(crate) fn of_file(file: impl AsFd) -> io::Result<Self> {
        Ok(Self::of(&fstat(file)?))
    }

    // The types of the fields differ between systems.
    #[allow(clippy::unnecessary_cast, trivial_numeric_casts)]
    pub(super) fn of(file: &Stat) -> Self {
        Self { device: file.st_dev as u64, inode: file.st_ino as u64 }
    }
}

/// Opens a regular file of ours for reading and writing, made empty and private where there is none, without ever
/// following a link or waiting for whoever may have put something else there.
pub(super) fn open_own(path: &Path, extra: OFlags) -> Result<File, InstanceError> {
    let opened = open_itself(path, OFlags::CREATE | extra);
    opened.map_err(|error| why_not(path, error)).and_then(|file| checked(path, file))
}

/// The same for a file that may not be there, and then stays away.
pub(super) fn open_own_if_there(path: &Path) -> Result<Option<File>, InstanceError> {
    match open_itself(path, OFlags::empty()) {
        Ok(file) => checked(path, file).map(Some),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(why_not(path, error)),
    }
}

fn open_itself(path: &Path, extra: OFlags) -> rustix::io::Result<File> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    open(path, flags | extra, PRIVATE).map(File::from)
}

fn checked(path: &Path, file: File) -> Result<File, InstanceError> {
    let found = fstat(&file).map_err(|error| file_error(path, error))?;
    check_own(path, &found, FileType::RegularFile)?;
    // The caller's umask may take from a new file what its next user, or the next daemon's, needs.
    if !Mode::from_raw_mode(found.st_mode).contains(PRIVATE) {
        fchmod(&file, PRIVATE).map_err(|error| file_error(path, error))?;
    }
    Ok(file)
}

/// Refuses what isn't ours or isn't what belongs there.
pub(super) fn check_own(path: &Path, found: &Stat, expected: FileType) -> Result<(), InstanceError> {
    if found.st_uid != own_uid() {
        return Err(InstanceError::FileOfAnother { path: path.to_owned(), owner: found.st_uid });
    }
    let kind = FileType::from_raw_mode(found.st_mode);
    if kind != expected {
        return Err(wrong_kind(path, expected, name_of(kind)));
    }
    // Another name of the file would let whoever made it choose which of our files is written.
    if found.st_nlink > 1 {
        return Err(wrong_kind(path, expected, "a link"));
    }
    Ok(())
}

/// Finds out why a file couldn't be opened, since the error alone doesn't say whose fault it is.
fn why_not(path: &Path, error: Errno) -> InstanceError {
    if let Ok(found) = lstat(path) {
        return match check_own(path, &found, FileType::RegularFile) {
            Err(reason) => reason,
            Ok(()) => file_error(path, error),
        };
    }
    match (error, path.parent()) {
        (Errno::ACCESS | Errno::ROFS | Errno::NOENT | Errno::NOTDIR, Some(directory)) => {
            InstanceError::Directory { directory: directory.to_owned(), source: error.into() }
        }
        _ => file_error(path, error),
    }
}

fn wrong_kind(path: &Path, expected: FileType, found: &'static str) -> InstanceError {
    InstanceError::WrongKind { path: path.to_owned(), expected: name_of(expected), found }
}

fn name_of(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a link",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        _ => "a device",
    }
}

pub(super) fn file_error(path: &Path, error: impl Into<io::Error>) -> InstanceError {
    InstanceError::File { path: path.to_owned(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn refusal(path: &Path) -> String {
        open_own(path, OFlags::empty()).unwrap_err().to_string()
    }

    #[test]
    fn a_new_file_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new");
        open_own(&path, OFlags::empty()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o177, 0);
    }

    #[test]
    fn what_others_may_have_put_there_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("target"), "precious").unwrap();

        symlink(at("target"), at("link")).unwrap();
        assert!(refusal(&at("link")).contains("a link"), "{}", refusal(&at("link")));
        symlink(at("nowhere"), at("dangling")).unwrap();
        assert!(refusal(&at("dangling")).contains("a link"));
        assert!(!at("nowhere").exists());

        fs::hard_link(at("target"), at("hard")).unwrap();
        assert!(refusal(&at("hard")).contains("a link"));

        #[cfg(target_os = "linux")]
        {
            rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), FileType::Fifo, PRIVATE, 0).unwrap();
            assert!(refusal(&at("fifo")).contains("a FIFO"));
        }

        fs::create_dir(at("directory")).unwrap();
        assert!(refusal(&at("directory")).contains("a directory"));
        assert_eq!(fs::read(at("target")).unwrap(), b"precious");
    }

    #[test]
    fn a_missing_directory_is_named() {
        assert!(refusal(Path::new("/nonexistent/file")).contains("the directory /nonexistent "));
    }
}
