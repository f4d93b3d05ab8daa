//! `CancellationToken`: whether anybody still waits for the command.

use tokio_util::sync::CancellationToken;

use crate::{FromInvocation, Invocation, Needs};

/// Cancelled when the caller goes away (Ctrl+C, a signal, a closed standard output) or the daemon must end. The handler
/// then has 5 seconds to tidy up before it is aborted, at its next `.await`.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn wait_for_the_end(cancel: CancellationToken) {
///     cancel.cancelled().await;
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let token = CancellationToken::new();
/// token.cancel();
/// wait_for_the_end(token).await;
/// # })
/// ```
impl FromInvocation for CancellationToken {
    const NEEDS: Needs = Needs::NOTHING;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        Ok(invocation.cancellation.child_token())
    }
}
