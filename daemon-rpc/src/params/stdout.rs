//! `Stdout`: the caller's standard output.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::output::OutputStream;
use crate::protocol::Stream;
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
///
/// Code that isn't async writes through [`SyncIoBridge`](crate::prelude::SyncIoBridge), on a thread that may block, and is
/// held back just the same:
///
/// ```
/// use std::io::Write as _;
///
/// use daemon_rpc::prelude::*;
///
/// async fn count(out: Stdout) -> anyhow::Result<()> {
///     spawn_blocking(move || {
///         let mut out = std::io::BufWriter::new(SyncIoBridge::new(out));
///         (1..=1000).try_for_each(|number| writeln!(out, "{number}"))?;
///         out.flush()
///     })
///     .await??;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Stdout(OutputStream);

impl FromInvocation for Stdout {
    const NEEDS: Needs = Needs::NOTHING;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        Ok(Self(OutputStream::new(invocation, Stream::Stdout)))
    }
}

impl AsyncWrite for Stdout {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
