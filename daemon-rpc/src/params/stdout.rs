//! `Stdout`: the caller's standard output.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::invocation::Output;
use crate::{FromInvocation, Invocation, Needs};

/// The caller's standard output.
///
/// What is written is on its way at once, in order; there is nothing to flush. A caller that reads slowly holds the
/// handler back, and once the caller has gone, writing fails with [`io::ErrorKind::BrokenPipe`].
///
/// Each write becomes one message of at most 64 KiB, so a handler with many small pieces does well to wrap this in a
/// buffer (and to flush that).
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn greet(mut out: Stdout) -> std::io::Result<()> {
///     out.write_all(b"hello\n").await
/// }
/// ```
#[derive(Debug)]
pub struct Stdout {
    output: Arc<dyn Output>,
}

impl FromInvocation for Stdout {
    const NEEDS: Needs = Needs::NOTHING;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        Ok(Self { output: invocation.output() })
    }
}

impl AsyncWrite for Stdout {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
