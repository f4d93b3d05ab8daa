//! The caller's output streams, written without a buffer in between.

use std::cell::Cell;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::BorrowedFd;
use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, write};

use super::ClientError;
use super::readiness::wait_for;
use crate::fault;

/// Standard output or standard error.
#[derive(Debug)]
pub(super) struct CallersStream {
    descriptor: BorrowedFd<'static>,
    name: &'static str,
    /// It was found to be a file, which nobody reads who could go.
    is_file: Cell<bool>,
}

impl CallersStream {
    pub(super) fn stdout() -> Self {
        Self::new(rustix::stdio::stdout(), "standard output")
    }

    pub(super) fn stderr() -> Self {
        Self::new(rustix::stdio::stderr(), "standard error")
    }

    /// One of a caller who isn't this process.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn to(descriptor: BorrowedFd<'static>) -> Self {
        Self::new(descriptor, "a stream")
    }

    fn new(descriptor: BorrowedFd<'static>, name: &'static str) -> Self {
        Self { descriptor, name, is_file: Cell::new(false) }
    }

    /// Asks `poll` about nothing but the reader's going away, which it reports unasked.
    pub(super) fn poll_for_reader(&self) -> PollFd<'_> {
        PollFd::new(&self.descriptor, PollFlags::empty())
    }

    /// Whether it isn't known yet that nobody can go.
    pub(super) fn may_lose_reader(&self) -> bool {
        !self.is_file.get()
    }

    /// Whether the reader has gone, which `poll` has reported. It reports the same of some files that the kernel makes up, as those in
    /// `/sys` are.
    pub(super) fn has_lost_reader(&self) -> bool {
        let is_file = fstat(self.descriptor)
            .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile);
        self.is_file.set(is_file);
        !is_file
    }

    pub(super) fn write_all(&self, mut bytes: &[u8]) -> Result<(), ClientError> {
        while !bytes.is_empty() {
            match fault::at("write").and_then(|()| write(self.descriptor, bytes)) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                // Whoever shares the caller's terminal or pipe may have made it non-blocking.
                Err(Errno::AGAIN) => self.wait_for_room()?,
                Err(Errno::PIPE) => return Err(ClientError::ReaderGone),
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(())
    }

    fn failed(&self, error: Errno) -> ClientError {
        ClientError::Output { stream: self.name, source: error.into() }
    }

    fn wait_for_room(&self) -> Result<(), ClientError> {
        wait_for(PollFlags::OUT, self.descriptor).map_err(|error| self.failed(error))
    }
}

/// How much is written at once, in bytes, where chunks have come together.
const GATHERED: usize = 64 * 1024;

/// To write a chunk so long by itself costs less than to copy it.
const WORTH_A_WRITE: usize = 4 * 1024;

/// Chunks for one stream that have come together, to be written together: a handler that writes line by line makes a chunk of each.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// One alone, which isn't copied.
    first: Bytes,
    /// More than one.
    bytes: Vec<u8>,
}

impl Gathered {
    /// Takes a chunk. What it has by then is written if the chunk finds no room behind it.
    pub(super) fn take(&mut self, chunk: Bytes, stream: &CallersStream) -> Result<(), ClientError> {
        let is_long = chunk.len() >= WORTH_A_WRITE || self.first.len() >= WORTH_A_WRITE;
        if is_long || self.bytes.len() + chunk.len() > GATHERED {
            self.write(stream)?;
        }
        if self.first.is_empty() && self.bytes.is_empty() {
            self.first = chunk;
        } else {
            self.bytes.extend_from_slice(&std::mem::take(&mut self.first));
            self.bytes.extend_from_slice(&chunk);
        }
        Ok(())
    }

    /// Writes what it has.
    pub(super) fn write(&mut self, stream: &CallersStream) -> Result<(), ClientError> {
        stream.write_all(&std::mem::take(&mut self.first))?;
        stream.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}
