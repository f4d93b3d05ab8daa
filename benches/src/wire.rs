//! A client that does the least: it speaks the wire as `docs/protocol.md` has it, and the least-possible pair's line.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::sample::micros;

const HEADER: usize = 5;
const VERSION_CHECK: u8 = 1;
const COMMAND: u8 = 2;
const OUTPUT_CHUNK: u8 = 3;
const EXIT: u8 = 5;

/// A server: where it listens, what a call is, and how its answer is read.
#[derive(Clone, Debug)]
pub struct Server {
    path: PathBuf,
    call: Vec<u8>,
    has_frames: bool,
}

impl Server {
    /// The least-possible server, asked by this line.
    #[must_use]
    pub fn of_floor(path: PathBuf, line: &str) -> Self {
        Self { path, call: format!("{line}\n").into_bytes(), has_frames: false }
    }

    /// The daemon that listens there, asked to run a command whose body this is.
    ///
    /// # Errors
    ///
    /// When it doesn't tell its build.
    pub fn of_daemon(path: PathBuf, command: &[u8]) -> anyhow::Result<Self> {
        let mut stranger = UnixStream::connect(&path)?;
        stranger.write_all(&frame(VERSION_CHECK, b"\x92\x01\xa1?"))?;
        let mut check = Vec::new();
        stranger.read_to_end(&mut check)?;
        ensure!(check.get(4) == Some(&VERSION_CHECK), "the daemon doesn't tell its build");
        Ok(Self { path, call: [check, frame(COMMAND, command)].concat(), has_frames: true })
    }

    /// Connects and asks.
    ///
    /// # Errors
    ///
    /// When nobody listens.
    pub fn call(&self) -> anyhow::Result<UnixStream> {
        let mut stream = UnixStream::connect(&self.path)?;
        stream.write_all(&self.call)?;
        Ok(stream)
    }

    /// How long it takes from connecting to the first bytes of the answer, in microseconds. The rest of it is waited for as well.
    ///
    /// # Errors
    ///
    /// When the answer isn't one.
    pub fn first_chunk(&self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut stream = self.call()?;
        let mut answer = Vec::with_capacity(4096);
        while !self.has_begun(&answer) {
            receive(&mut stream, &mut answer)?;
        }
        let took = micros(begun.elapsed());
        self.finish(&mut stream, answer)?;
        Ok(took)
    }

    /// Waits for the end of the answer, and checks it.
    ///
    /// # Errors
    ///
    /// When the answer isn't one.
    pub fn finish(&self, stream: &mut UnixStream, mut answer: Vec<u8>) -> anyhow::Result<()> {
        stream.read_to_end(&mut answer)?;
        let whole = if self.has_frames { answer.ends_with(&frame(EXIT, &[0])) } else { answer == b"hello\n" };
        ensure!(whole, "an answer is cut: {answer:?}");
        Ok(())
    }

    fn has_begun(&self, answer: &[u8]) -> bool {
        if !self.has_frames {
            return !answer.is_empty();
        }
        // Behind the daemon's own check.
        let check = answer.first_chunk().map(|length| 4 + u32::from_be_bytes(*length) as usize);
        let chunk = check.and_then(|length| answer.get(length..)).filter(|rest| rest.len() > HEADER);
        chunk.is_some_and(|chunk| chunk[4] == OUTPUT_CHUNK)
    }
}

fn receive(stream: &mut UnixStream, answer: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut block = [0; 4096];
    let count = stream.read(&mut block)?;
    ensure!(count > 0, "an answer ends early: {answer:?}");
    answer.extend(block.get(..count).context("no more than there is room for")?);
    Ok(())
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 1).to_be_bytes();
    [&length, &[kind][..], body].concat()
}
