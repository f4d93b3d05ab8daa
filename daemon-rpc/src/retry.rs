//! What an error of a socket says that isn't one.

use std::io;

/// Whether there is only nothing to read, or no room, at the moment.
pub(crate) fn may_retry(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
