//! Output that stays in memory, for authors' tests.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::invocation::Output;
use crate::protocol::Stream;

/// What has been written to a captured stream. It can be looked at while more is written.
#[derive(Clone, Debug)]
pub struct Captured {
    output: Arc<CapturedOutput>,
    stream: Stream,
}

impl Captured {
    pub(crate) fn new(stream: Stream) -> (Arc<CapturedOutput>, Self) {
        let output = Arc::new(CapturedOutput::default());
        (Arc::clone(&output), Self { output, stream })
    }

    /// Everything so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.output.written(self.stream).clone()
    }

    /// Everything so far as text, with a replacement for what isn't UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output.written(self.stream)).into_owned()
    }
}

/// Both streams of a command that runs in memory.
#[derive(Debug, Default)]
pub(crate) struct CapturedOutput {
    stdout: Mutex<Vec<u8>>,
    stderr: Mutex<Vec<u8>>,
}

impl CapturedOutput {
    pub(crate) fn written(&self, stream: Stream) -> MutexGuard<'_, Vec<u8>> {
        let bytes = match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        };
        // Bytes are whole at any moment.
        bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output for CapturedOutput {
    fn poll_write(&self, _: &mut Context<'_>, stream: Stream, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.written(stream).extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
