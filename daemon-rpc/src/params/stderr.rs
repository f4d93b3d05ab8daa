//! `Stderr`: the caller's standard error.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::output::OutputStream;
use crate::protocol::Stream;
use crate::{FromInvocation, Invocation, Needs};

/// The caller's standard error. It is written like [`Stdout`](super::Stdout), and the order between what is written to the two
/// is kept.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn convert(text: String, mut out: Stdout, mut err: Stderr) -> std::io::Result<()> {
///     for line in text.lines() {
///         match line.parse::<f64>() {
///             Ok(number) => out.write_all(format!("{}\n", number * 2.54).as_bytes()).await?,
///             Err(error) => err.write_all(format!("{line}: {error}\n").as_bytes()).await?,
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Stderr(OutputStream);

impl FromInvocation for Stderr {
    const NEEDS: Needs = Needs::NOTHING;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        Ok(Self(OutputStream::new(invocation, Stream::Stderr)))
    }
}

impl AsyncWrite for Stderr {
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
