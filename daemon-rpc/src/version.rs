//! Which build of a program this is, so that a client is never served by the daemon of another one.

use std::fmt::Write as _;
use std::path::Path;

const MAX_TIMESTAMP: usize = 64;

/// The program that is running: its name and when it was built.
///
/// [`build!`](crate::build!) makes one at compile time.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    name: &'static str,
    timestamp: Timestamp,
}

#[derive(Clone, Copy, Debug)]
enum Timestamp {
    /// Differs between any two builds.
    Unique(&'static str),
    /// Differs between releases, but two builds can share it.
    Reproducible(&'static str),
}

impl Build {
    /// A build that its timestamp alone tells apart from all others.
    ///
    /// `name` is the program's. Both are compared and shown, never interpreted.
    ///
    /// # Panics
    ///
    /// If the timestamp is longer than 64 bytes. In a constant that is an error at compile time.
    #[must_use]
    pub const fn unique(name: &'static str, timestamp: &'static str) -> Self {
        check_length(timestamp);
        Self { name, timestamp: Timestamp::Unique(timestamp) }
    }

    /// A reproducible build, whose timestamp (`SOURCE_DATE_EPOCH`) other builds may have as well.
    ///
    /// Such builds are told apart by the executable file that runs, at the cost of one system call for each command.
    ///
    /// # Panics
    ///
    /// As for [`unique`](Self::unique).
    #[must_use]
    pub const fn reproducible(name: &'static str, timestamp: &'static str) -> Self {
        check_length(timestamp);
        Self { name, timestamp: Timestamp::Reproducible(timestamp) }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// What client and daemon compare: equal exactly when they are the same build.
    pub(crate) fn identity(&self) -> String {
        match self.timestamp {
            Timestamp::Unique(timestamp) => timestamp.to_owned(),
            Timestamp::Reproducible(timestamp) => {
                let mut identity = timestamp.to_owned();
                if let Ok(path) = executable() {
                    append_file_identity(&mut identity, &path);
                }
                identity
            }
        }
    }
}

/// Keeps timestamps, with what is added to some, within what a handshake can hold.
const fn check_length(timestamp: &str) {
    assert!(timestamp.len() <= MAX_TIMESTAMP, "a build's timestamp has at most 64 bytes");
}

/// The executable of this very process. On Linux the link leads there although the file may have been replaced.
pub(crate) fn executable() -> std::io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// A running executable can't be written to, and its inode isn't used again before the process ends. So two builds
/// that run at the same time differ in one of these.
fn append_file_identity(identity: &mut String, path: &Path) {
    if let Ok(file) = rustix::fs::stat(path) {
        // Writing to a string can't fail.
        let _ = write!(
            identity,
            "-{:x}.{:x}.{:x}.{:x}.{:x}",
            file.st_dev, file.st_ino, file.st_size, file.st_mtime, file.st_mtime_nsec
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_build_is_its_timestamp() {
        assert_eq!(Build::unique("tool", "1763886646").identity(), "1763886646");
    }

    #[test]
    fn a_reproducible_build_has_its_executable_in_its_identity() {
        let identity = Build::reproducible("tool", "1").identity();
        assert!(identity.starts_with("1-"), "{identity}");
        assert_eq!(identity, Build::reproducible("tool", "1").identity());
        assert!(identity.len() < crate::limits::MAX_VERSION_CHECK / 2);
    }

    #[test]
    fn another_file_is_another_identity() {
        let directory = tempfile::tempdir().unwrap();
        let identities = ["one", "two"].map(|name| {
            let path = directory.path().join(name);
            std::fs::write(&path, "the same bytes").unwrap();
            let mut identity = String::new();
            append_file_identity(&mut identity, &path);
            identity
        });
        assert_ne!(identities[0], identities[1]);
    }
}
