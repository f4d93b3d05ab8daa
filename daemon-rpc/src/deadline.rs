//! Time limits for calls that have none of their own.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A call that a thread waits for, while others watch the clock.
///
/// The thread goes on until the call returns or the process ends.
#[derive(Debug)]
pub(crate) struct Pending<T>(mpsc::Receiver<T>);

impl<T: Send + 'static> Pending<T> {
    /// Starts to wait.
    pub(crate) fn start(wait: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new().spawn(move || {
            // Nobody may want to know any more.
            let _ = sender.send(wait());
        })?;
        Ok(Self(receiver))
    }

    /// What the call returned, or `None` if it takes longer than `limit` from now.
    pub(crate) fn within(&self, limit: Duration) -> Option<T> {
        self.0.recv_timeout(limit).ok()
    }
}
