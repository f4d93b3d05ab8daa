//! What `Stdout` and `Stderr` have in common.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::Invocation;
use crate::capture::Captured;
use crate::invocation::Output;
use crate::protocol::Stream;

/// One of the caller's two output streams. The order between what is written to them is kept.
#[derive(Clone, Debug)]
pub(super) struct OutputStream {
    output: Arc<dyn Output>,
    stream: Stream,
}

impl OutputStream {
    pub(super) fn new(invocation: &Invocation, stream: Stream) -> Self {
        Self { output: Arc::clone(&invocation.output), stream }
    }

    pub(super) fn captured(stream: Stream) -> (Self, Captured) {
        let (output, captured) = Captured::new(stream);
        (Self { output, stream }, captured)
    }
}

#[cfg(feature = "indicatif")]
impl OutputStream {
    /// Writes as much as there is room for, wherever it is called, and says how much that was.
    pub(super) fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            let write = std::future::poll_fn(|context| self.output.poll_write(context, self.stream, rest));
            // What a handler may do in one turn is no measure for what there is room for.
            match std::pin::pin!(tokio::task::coop::unconstrained(write)).as_mut().poll(&mut context) {
                Poll::Ready(count) => written += count?,
                Poll::Pending => break,
            }
        }
        Ok(written)
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

/// Makes a parameter of a type that wraps an [`OutputStream`].
macro_rules! output_parameter {
    ($parameter:ident, $stream:expr) => {
        impl $parameter {
            /// One for the author's own tests, with what will have been written to it.
            #[must_use]
            pub fn captured() -> (Self, $crate::testing::Captured) {
                let (stream, captured) = $crate::params::output::OutputStream::captured($stream);
                (Self(stream), captured)
            }
        }

        impl $crate::FromInvocation for $parameter {
            const NEEDS: $crate::Needs = $crate::Needs::NOTHING;

            fn from_invocation(invocation: &mut $crate::Invocation) -> anyhow::Result<Self> {
                Ok(Self($crate::params::output::OutputStream::new(invocation, $stream)))
            }
        }

        impl tokio::io::AsyncWrite for $parameter {
            fn poll_write(
                mut self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                std::pin::Pin::new(&mut self.0).poll_write(context, bytes)
            }

            fn poll_flush(
                mut self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::pin::Pin::new(&mut self.0).poll_flush(context)
            }

            fn poll_shutdown(
                self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.poll_flush(context)
            }
        }
    };
}

pub(super) use output_parameter;
