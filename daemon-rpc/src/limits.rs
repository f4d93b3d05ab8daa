//! Every time limit and size of the framework, with its reason.

use std::time::Duration;

/// The longest input a command may carry unless its author says otherwise. It is held in memory, on both sides.
pub(crate) const MAX_COMMAND: usize = 16 * 1024 * 1024;

/// The most that its author can say: far within what a frame's length can express.
pub(crate) const LARGEST_MAX_COMMAND: usize = 1024 * 1024 * 1024;

/// What arguments, environment and directory may need in a `Command`. The system allows 6 MiB of the first two, and none of
/// them is longer here than twice what it counts there.
pub(crate) const MAX_SURROUNDINGS: usize = 16 * 1024 * 1024;

/// What a `Command` may need beside its content: field names and lengths.
pub(crate) const COMMAND_OVERHEAD: usize = 256;

/// The most output that travels as one frame. Larger ones save system calls but make a chunk wait for more of itself.
pub(crate) const CHUNK_SIZE: usize = 64 * 1024;

/// The longest `CommandError`: an error chain is for people, and even a careless one fits.
pub(crate) const MAX_ERROR_TEXT: usize = 256 * 1024;

/// The longest body of a frame that a daemon sends.
pub(crate) const MAX_REPLY: usize = MAX_ERROR_TEXT + 16;

/// The longest body of a `VersionCheck`, the only frame that is read from a peer of which nothing is known yet.
pub(crate) const MAX_VERSION_CHECK: usize = 256;

/// How much a client asks the kernel for at once: a chunk with its header, and the end of the command behind it.
pub(crate) const RECEIVE_SIZE: usize = CHUNK_SIZE + 4 * 1024;

/// How long a peer may take over its part of the handshake before it counts as hung.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a daemon that was just spawned may take until it answers. Only catches one that hangs before its control
/// loop runs: one that dies is noticed at once, and the application's own loading isn't counted.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a daemon that was asked to retire may hold on to its socket before it is killed. Retiring itself takes a
/// few system calls; this is for machines under load.
pub(crate) const RETIRE_LIMIT: Duration = Duration::from_secs(5);

/// How long a client waits for others that start a daemon: more than starting and replacing may take together, so that
/// only a suspended or hung process makes it give up.
pub(crate) const START_LOCK_LIMIT: Duration = Duration::from_secs(60);

/// How long the commands that run when a daemon retires may go on.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// How long a handler may go on after its token was cancelled.
pub(crate) const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// How long a handler may take from its abortion to its end, if it doesn't block its thread: one turn of the scheduler, on a
/// machine under load.
pub(crate) const ABORT_LIMIT: Duration = Duration::from_secs(1);

/// How long a daemon that ends may take over its last commands once it has cancelled them: their grace period, and as long
/// again for machines under load.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How long a daemon waits without a connection before it retires.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// How often a daemon looks whether its files are still its own. The kernel doesn't say so, and a look costs little.
pub(crate) const FILES_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How long a daemon that ran out of descriptors waits before it accepts again, unless a connection ends first.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// How many daemons in a row may retire under a client before it gives up: each is a coincidence of its own.
pub(crate) const MAX_ATTEMPTS: usize = 32;

/// How long the log may be when a daemon starts. A longer one is emptied first.
pub(crate) const MAX_LOG: u64 = 1024 * 1024;

/// How much of the log's end an error message shows.
pub(crate) const LOG_EXCERPT: u64 = 2 * 1024;

/// How long a client may take to send its command after the handshake. It has it ready by then, so a longer wait means
/// that it was suspended, and it will ask again.
pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
