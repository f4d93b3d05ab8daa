//! Work that blocks its thread.

use tokio::task::{self, JoinHandle};
use tracing::Span;

/// Runs what blocks its thread (a long computation, synchronous I/O) where it keeps no other command waiting.
///
/// This is tokio's [`spawn_blocking`](task::spawn_blocking), only that events of the work belong to the command it is called in.
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn sum(mut out: Stdout) -> anyhow::Result<()> {
///     let sum: u64 = spawn_blocking(|| (1..=1000).sum()).await?;
///     Ok(out.write_all(format!("{sum}\n").as_bytes()).await?)
/// }
/// ```
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let span = Span::current();
    task::spawn_blocking(move || span.in_scope(work))
}
