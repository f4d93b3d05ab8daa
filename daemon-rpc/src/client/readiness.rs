//! Waiting for a descriptor that would block.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;
use rustix::io::retry_on_intr;

/// Waits until a descriptor is ready for one of `events`, or broken.
pub(super) fn wait_for(events: PollFlags, descriptor: impl AsFd) -> rustix::io::Result<()> {
    retry_on_intr(|| poll(&mut [PollFd::new(&descriptor, events)], None)).map(drop)
}
