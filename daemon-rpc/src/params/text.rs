//! `String`: all of standard input, as text.

use anyhow::Context as _;

use crate::{FromInvocation, Invocation, Needs};

/// All of standard input, which the client has read to its end. Input that isn't UTF-8, or is longer than `max_command`,
/// is refused by the client with exit code 65.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn count(text: String, mut out: Stdout) -> std::io::Result<()> {
///     out.write_all(format!("{}\n", text.lines().count()).as_bytes()).await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (out, written) = Stdout::captured();
/// count("one\ntwo\n".into(), out).await.unwrap();
/// assert_eq!(written.text(), "2\n");
/// # })
/// ```
impl FromInvocation for String {
    const NEEDS: Needs = Needs::TEXT;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        invocation.command.text.take().context("the command came without its text")
    }
}
