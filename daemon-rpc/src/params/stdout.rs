//! `Stdout`: the caller's standard output.

use super::output::{OutputStream, output_parameter};
use crate::protocol::Stream;

/// The caller's standard output.
///
/// What is written is on its way at once, in order; there is nothing to flush. A caller that reads slowly holds the
/// handler back, and once the caller has gone, writing fails with [`BrokenPipe`](std::io::ErrorKind::BrokenPipe).
///
/// Each write becomes one message, of at most 64 KiB (`chunk_size`), so a handler with many small pieces does well to wrap this in a
/// buffer (and to flush that).
///
/// ```
/// use daemon_rpc::prelude::*;
///
/// async fn greet(mut out: Stdout) -> std::io::Result<()> {
///     out.write_all(b"hello\n").await
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (out, written) = Stdout::captured();
/// greet(out).await.unwrap();
/// assert_eq!(written.bytes(), b"hello\n");
/// # })
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
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (out, written) = Stdout::captured();
/// count(out).await.unwrap();
/// assert!(written.text().ends_with("999\n1000\n"));
/// # })
/// ```
#[derive(Debug)]
pub struct Stdout(OutputStream);

output_parameter!(Stdout, Stream::Stdout);
