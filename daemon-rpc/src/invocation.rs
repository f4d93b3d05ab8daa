//! One command as its handler gets it.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio_util::sync::CancellationToken;

use crate::protocol::{Command, Stream};

/// One command: what the client sent, and the ways back to it.
///
/// Parameters take from it what they stand for; see [`FromInvocation`](crate::FromInvocation).
#[derive(Debug)]
pub struct Invocation {
    command: Command,
    output: Arc<dyn Output>,
    cancellation: CancellationToken,
}

/// Where a command's output goes. It keeps the order of what is written and holds the writer back when the reader is
/// slower.
pub(crate) trait Output: Debug + Send + Sync {
    /// Takes some of `bytes` and says how many. What was taken is on its way without further calls.
    fn poll_write(&self, context: &mut Context<'_>, stream: Stream, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Ready when all that was taken has been handed to the kernel.
    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl Invocation {
    pub(crate) fn new(command: Command, output: Arc<dyn Output>, cancellation: CancellationToken) -> Self {
        Self { command, output, cancellation }
    }

    /// What the client sent. It has what the handler's needs named.
    pub(crate) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    pub(crate) fn output(&self) -> &Arc<dyn Output> {
        &self.output
    }

    pub(crate) fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }
}
