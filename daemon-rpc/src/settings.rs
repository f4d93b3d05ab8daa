//! What an author can choose, with the defaults.

use std::num::NonZeroUsize;
use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The most that `max_command` can be: far within what a frame's length can express.
pub(crate) const LARGEST_MAX_COMMAND: usize = 1024 * MIB;

/// The most that `chunk_size` can be. The client holds a chunk or two.
pub(crate) const LARGEST_CHUNK_SIZE: usize = MIB;

/// The most that a time limit can be, which is for ever, and can still be added to a date.
pub(crate) const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The choices of one program. Client and daemon have the same, since they are the same build.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How long a daemon waits without a connection before it retires.
    pub(crate) idle_timeout: Duration,
    /// How long a handler may go on after its token was cancelled.
    pub(crate) grace_period: Duration,
    /// How long a peer may take over its part of the handshake before it counts as hung.
    pub(crate) handshake_timeout: Duration,
    /// The longest input a command may carry, in bytes. It is held in memory, on both sides.
    pub(crate) max_command: usize,
    /// How many commands run at once. Further ones wait their turn.
    pub(crate) max_concurrent: NonZeroUsize,
    /// The most output that travels as one frame, in bytes. Larger ones save system calls but make a chunk wait for more of
    /// itself.
    pub(crate) chunk_size: usize,
    /// How many threads the handlers' pool has; `None` for as many as there are processors.
    pub(crate) worker_threads: Option<NonZeroUsize>,
    /// Where a handler's error is told.
    pub(crate) errors: Errors,
}

impl Default for Settings {
    fn default() -> Self {
        const MAX_CONCURRENT: NonZeroUsize = NonZeroUsize::new(64).unwrap();
        Self {
            idle_timeout: Duration::from_secs(60 * 60),
            grace_period: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(5),
            max_command: 16 * MIB,
            max_concurrent: MAX_CONCURRENT,
            chunk_size: 64 * KIB,
            worker_threads: None,
            errors: Errors::default(),
        }
    }
}

/// The stream on which a handler's error, or its panic, is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Errors {
    /// Standard output, behind what the handler wrote.
    #[default]
    ToStdout,
    /// Standard error.
    ToStderr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        let Settings {
            idle_timeout,
            grace_period,
            handshake_timeout,
            max_command,
            max_concurrent,
            chunk_size,
            worker_threads,
            errors,
        } = Settings::default();
        assert_eq!((worker_threads, errors), (None, Errors::ToStdout));
        for (option, default) in [
            ("idle_timeout", format!("\"{}h\"", idle_timeout.as_secs() / 3600)),
            ("grace_period", format!("\"{}s\"", grace_period.as_secs())),
            ("handshake_timeout", format!("\"{}s\"", handshake_timeout.as_secs())),
            ("max_command", format!("\"{}MiB\"", max_command / MIB)),
            ("max_concurrent", max_concurrent.to_string()),
            ("chunk_size", format!("\"{}KiB\"", chunk_size / KIB)),
        ] {
            let readme = include_str!("../../README.md");
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{option}` |"))).unwrap();
            assert!(row.ends_with(&format!("| `{default}` |")), "{default} in {row}");
        }
    }
}
