//! What an error of a socket says that isn't one.

use std::io;

use rustix::net::SendFlags;

/// A peer that has gone is an error and no signal, whatever the application does with SIGPIPE.
#[cfg(target_os = "linux")]
pub(crate) const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// A peer that has gone is an error as long as SIGPIPE is ignored, as Rust has it: there is no such flag here.
#[cfg(not(target_os = "linux"))]
pub(crate) const NO_SIGNAL: SendFlags = SendFlags::empty();

/// Whether there is only nothing to read, or no room, at the moment.
pub(crate) fn may_retry(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
