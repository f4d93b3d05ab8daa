//! What `Stdout` and `Stderr` have in common.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::Invocation;
use crate::invocation::Output;
use crate::protocol::Stream;

/// One of the caller's two output streams. The order between what is written to them is kept.
#[derive(Debug)]
pub(super) struct OutputStream {
    output: Arc<dyn Output>,
    stream: Stream,
}

impl OutputStream {
    pub(super) fn new(invocation: &Invocation, stream: Stream) -> Self {
        Self { output: Arc::clone(invocation.output()), stream }
    }
}

impl AsyncWrite for OutputStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.poll_write(context, self.stream, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
