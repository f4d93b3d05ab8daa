//! The daemon's log: kept short, and written by one daemon at a time.

use std::fs::{File, rename};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, unlink};

use super::file::{FileIdentity, file_error, open_own, open_own_if_there};
use super::lock::try_lock;
use super::{Instance, InstanceError, LifeLock};
use crate::fault;
use crate::limits::{KEPT_LOG, MAX_LOG};

const TRIMMED: &[u8] = b"(what was logged before has been removed)\n";

/// A log, open at its end.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
}

impl Instance {
    /// Opens the log for a new daemon.
    ///
    /// Whoever writes a log holds a lock on it. One whose daemon has retired, but still sees its last commands out, is set aside.
    pub(crate) fn open_log(&self, _life: &LifeLock) -> Result<Log, InstanceError> {
        let path = self.log();
        let failed = |error: io::Error| file_error(&path, error);
        fault::at("open_log").map_err(|error| failed(error.into()))?;
        let mut file = open_own(&path, OFlags::APPEND)?;
        if !try_lock(&file).map_err(|error| failed(error.into()))? {
            // Where it can't have that name, it goes on without one.
            rename(&path, self.old_log())
                .or_else(|_| unlink(&path).map_err(io::Error::from))
                .map_err(failed)?;
            file = open_own(&path, OFlags::APPEND)?;
            try_lock(&file).map_err(|error| failed(error.into()))?;
        }
        trim(&file).map_err(failed)?;
        Ok(Log { file, path })
    }

    /// The log, if there is one, to be read.
    pub(crate) fn read_log(&self) -> Result<Option<File>, InstanceError> {
        open_own_if_there(&self.log())
    }

    /// The log that this process's standard error goes to, if that is this daemon's.
    pub(crate) fn log_of_this_process(&self) -> io::Result<Option<Log>> {
        let path = self.log();
        let file = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let is_own = FileIdentity::of_path(&path).ok() == Some(FileIdentity::of_file(&file)?);
        Ok(is_own.then_some(Log { file, path }))
    }
}

impl Log {
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the beginning if the log has grown too long. What is written at this very moment may go with it.
    pub(crate) fn trim(&self) -> io::Result<()> {
        trim(&self.file)
    }
}

fn trim(log: &File) -> io::Result<()> {
    let length = log.metadata()?.len();
    if length <= MAX_LOG {
        return Ok(());
    }
    let mut kept = vec![0; KEPT_LOG];
    log.read_exact_at(&mut kept, length.saturating_sub(KEPT_LOG as u64))?;
    let first_line = kept.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    log.set_len(0)?;
    let mut log = log;
    log.write_all(TRIMMED)?;
    log.write_all(kept.get(first_line..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::instance::Life;

    fn instance(directory: &Path) -> (Instance, LifeLock) {
        let instance = Instance::of(directory.to_owned(), "test".into());
        let (start, _) = instance.lock_start().unwrap();
        let Life::Free(life) = instance.lock_life(&start).unwrap() else { panic!("nobody else is here") };
        (instance, life)
    }

    #[test]
    fn a_log_that_has_grown_too_long_keeps_its_last_lines() {
        let directory = tempfile::tempdir().unwrap();
        let (instance, life) = instance(directory.path());
        let line = |number: usize| format!("{number:99}\n");
        let lines = usize::try_from(MAX_LOG).unwrap() / line(0).len();
        fs::write(instance.log(), (0..lines).map(line).collect::<String>()).unwrap();
        let mut log = instance.open_log(&life).unwrap();
        assert_eq!(fs::metadata(instance.log()).unwrap().len(), (lines * line(0).len()) as u64);

        log.file.write_all(line(lines).as_bytes()).unwrap();
        log.file.write_all(line(lines + 1).as_bytes()).unwrap();
        log.trim().unwrap();
        let text = fs::read_to_string(instance.log()).unwrap();
        let kept: Vec<_> = text.lines().collect();
        assert_eq!(kept[0].as_bytes(), TRIMMED.trim_ascii_end());
        let numbers = kept[1..].iter().map(|line| line.trim().parse::<usize>().unwrap());
        assert!(numbers.eq(lines + 3 - kept.len()..lines + 2));
        assert!(kept.len() * 100 > KEPT_LOG - 100 && text.len() < KEPT_LOG + TRIMMED.len());
    }

    #[test]
    fn a_log_that_another_daemon_still_writes_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let (instance, life) = instance(directory.path());
        let mut first = instance.open_log(&life).unwrap();
        let mut second = instance.open_log(&life).unwrap();
        first.file.write_all(b"first\n").unwrap();
        second.file.write_all(b"second\n").unwrap();
        assert_eq!(fs::read(instance.old_log()).unwrap(), b"first\n");
        drop((first, second));
        instance.open_log(&life).unwrap().file.write_all(b"third\n").unwrap();
        assert_eq!(fs::read(instance.log()).unwrap(), b"second\nthird\n");
    }

    #[test]
    fn a_directory_in_the_place_of_the_old_log_is_no_obstacle() {
        let directory = tempfile::tempdir().unwrap();
        let (instance, life) = instance(directory.path());
        fs::create_dir(instance.old_log()).unwrap();
        let _first = instance.open_log(&life).unwrap();
        instance.open_log(&life).unwrap().file.write_all(b"second\n").unwrap();
        assert_eq!(fs::read(instance.log()).unwrap(), b"second\n");
    }
}
