//! `Bytes`: all of standard input, raw.

use anyhow::Context as _;
use bytes::Bytes;

use crate::{FromInvocation, Invocation, Needs};

/// All of standard input as it is, which the client has read to its end. Input that is longer than `max_command` is refused
/// by the client with exit code 65.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn count(input: Bytes, mut out: Stdout) -> std::io::Result<()> {
///     out.write_all(format!("{}\n", input.len()).as_bytes()).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (out, written) = Stdout::captured();
/// count(Bytes::from_static(b"\xff\0"), out).await.unwrap();
/// assert_eq!(written.text(), "2\n");
/// # })
/// ```
impl FromInvocation for Bytes {
    const NEEDS: Needs = Needs::BYTES;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        invocation.command.bytes.take().context("the command came without its input")
    }
}
