//! Time limits for calls that have none of their own.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The result of `wait`, or `None` if it took longer than `limit`.
///
/// A thread waits while this one watches the clock. After the limit that thread goes on, until its call returns or the
/// process ends.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    wait: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        // Nobody listens any more after the limit.
        let _ = sender.send(wait());
    })?;
    Ok(receiver.recv_timeout(limit).ok())
}
