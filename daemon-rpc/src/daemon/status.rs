//! What the daemon tells of itself.

use std::process;
use std::time::Duration;

use super::tally::Counts;
use super::{Daemon, Load};
use crate::protocol::StatusReply;

impl Daemon {
    pub(super) fn status(&self) -> StatusReply {
        let counts = self.tally.counts();
        let Counts { running, waiting, done, failed } = counts;
        let idle_left = self.settings.idle_timeout.saturating_sub(self.tally.last_busy().elapsed());
        StatusReply {
            pid: process::id(),
            build: self.version.build.clone(),
            uptime_ms: milliseconds(self.tally.started.elapsed()),
            loaded: matches!(&*self.state.borrow(), Load::Done(_)),
            running,
            waiting,
            done,
            failed,
            memory: resident(),
            idle_left_ms: counts.is_idle().then(|| milliseconds(idle_left)),
            log: self.log.as_ref().map(|log| log.path().to_string_lossy().into_owned()),
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The memory that this process has in use, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * u64::try_from(rustix::param::page_size()).ok()?)
}

#[cfg(not(target_os = "linux"))]
fn resident() -> Option<u64> {
    None
}
