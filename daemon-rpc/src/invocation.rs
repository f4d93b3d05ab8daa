//! One command as its handler gets it.

use std::any::Any;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::TerminalSize;
use crate::protocol::{Command, Stream};

/// One command: what the client sent, and the ways back to it.
///
/// Parameters take from it what they stand for; see [`FromInvocation`](crate::FromInvocation).
#[derive(Debug)]
pub struct Invocation {
    /// What the client sent. It has what the handler's needs named.
    pub(crate) command: Command,
    pub(crate) input: Arc<dyn Input>,
    pub(crate) output: Arc<dyn Output>,
    /// The terminal's size, as it changes.
    pub(crate) size: watch::Receiver<Option<TerminalSize>>,
    /// What the application has loaded.
    pub(crate) state: LoadedState,
    pub(crate) cancellation: CancellationToken,
}

/// What the application has loaded, of a type that it and its handler know.
pub(crate) type LoadedState = Arc<dyn Any + Send + Sync>;

/// Where a command's output goes. It keeps the order of what is written and holds the writer back when the reader is
/// slower.
pub(crate) trait Output: Debug + Send + Sync {
    /// Takes some of `bytes` and says how many. What was taken is on its way without further calls.
    fn poll_write(&self, context: &mut Context<'_>, stream: Stream, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Ready when all that was taken has been handed to the kernel.
    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Where a command's streamed input comes from.
pub(crate) trait Input: Debug + Send + Sync {
    /// Replaces `bytes`, which has been used up, by what comes next. Nothing is the end.
    fn poll_fill(&self, context: &mut Context<'_>, bytes: &mut Vec<u8>) -> Poll<io::Result<()>>;
}
