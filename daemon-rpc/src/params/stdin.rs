//! `Stdin`: standard input, as it comes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::invocation::Input;
use crate::{FromInvocation, Invocation, Needs};

/// Standard input as it comes: [`AsyncRead`] and [`AsyncBufRead`].
///
/// The client reads its standard input only once the handler reads this, and never more than 512 KiB ahead of it. So a
/// handler that doesn't read leaves the input to whoever comes next, one that reads slowly holds the writer back, and one
/// that ends before the input does ends the command, as `head` does. There is no limit to how much may come.
///
/// If the caller goes before its input has ended, reading fails with [`io::ErrorKind::BrokenPipe`]; if the daemon has to end
/// before, with another error.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn number(stdin: Stdin, mut out: Stdout) -> std::io::Result<()> {
///     let mut lines = stdin.lines();
///     let mut number = 0;
///     while let Some(line) = lines.next_line().await? {
///         number += 1;
///         out.write_all(format!("{number:>6} {line}\n").as_bytes()).await?;
///     }
///     Ok(())
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (out, written) = Stdout::captured();
/// number(Stdin::from("one\ntwo"), out).await.unwrap();
/// assert_eq!(written.text(), "     1 one\n     2 two\n");
/// # })
/// ```
///
/// Code that isn't async reads through [`SyncIoBridge`](crate::prelude::SyncIoBridge), which is a [`std::io::BufRead`], on a
/// thread that may block.
#[derive(Debug)]
pub struct Stdin {
    source: Arc<dyn Input>,
    bytes: Vec<u8>,
    consumed: usize,
}

impl FromInvocation for Stdin {
    const NEEDS: Needs = Needs::STREAMED_INPUT;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        Ok(Self { source: Arc::clone(&invocation.input), bytes: Vec::new(), consumed: 0 })
    }
}

/// For the author's own tests: an input that is there from the beginning.
impl<B: Into<Vec<u8>>> From<B> for Stdin {
    fn from(bytes: B) -> Self {
        Self { source: given(bytes.into()), bytes: Vec::new(), consumed: 0 }
    }
}

impl AsyncBufRead for Stdin {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let stdin = self.get_mut();
        if stdin.consumed >= stdin.bytes.len() {
            ready!(stdin.source.poll_fill(context, &mut stdin.bytes))?;
            stdin.consumed = 0;
        }
        Poll::Ready(Ok(stdin.bytes.get(stdin.consumed..).unwrap_or_default()))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.consumed += amount;
    }
}

impl AsyncRead for Stdin {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let ready = ready!(self.as_mut().poll_fill_buf(context))?;
        let count = ready.len().min(buffer.remaining());
        buffer.put_slice(ready.get(..count).unwrap_or_default());
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

/// An input that is there from the beginning.
pub(crate) fn given(bytes: Vec<u8>) -> Arc<dyn Input> {
    Arc::new(Given(Mutex::new(bytes)))
}

#[derive(Debug)]
struct Given(Mutex<Vec<u8>>);

impl Input for Given {
    fn poll_fill(&self, _: &mut Context<'_>, bytes: &mut Vec<u8>) -> Poll<io::Result<()>> {
        *bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_read_in_pieces_is_the_whole() {
        let mut stdin = Stdin::from("hello");
        let mut piece = [0; 2];
        stdin.read_exact(&mut piece).await.unwrap();
        assert_eq!(&piece, b"he");
        let mut rest = String::new();
        stdin.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "llo");
        assert_eq!(stdin.read(&mut piece).await.unwrap(), 0);
    }
}
