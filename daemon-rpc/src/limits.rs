//! Every time limit and size of the framework that no author chooses, with its reason.

use std::time::Duration;

/// What arguments, environment and directory may need in a `Command`. The system allows 6 MiB of the first two, and none of
/// them is longer here than twice what it counts there.
pub(crate) const MAX_SURROUNDINGS: usize = 16 * 1024 * 1024;

/// How many arguments, or variables of the environment, a `Command` may have: in 6 MiB, with 9 bytes for the shortest, a system
/// passes fewer. Each takes 32 bytes here, or 64, even if it is empty.
pub(crate) const MAX_ITEMS: usize = 768 * 1024;

/// The longest `CommandError`: an error chain is for people, and even a careless one fits.
pub(crate) const MAX_ERROR_TEXT: usize = 256 * 1024;

/// What a frame's body may need beside its content: names and lengths.
pub(crate) const BODY_OVERHEAD: usize = 256;

/// The longest body of what is read from a peer of which nothing is known yet: a `VersionCheck` or a `StatusRequest`.
pub(crate) const MAX_VERSION_CHECK: usize = 256;

/// How much of a command's streamed input a daemon holds at most, in bytes. Enough to keep client and handler both busy.
pub(crate) const INPUT_WINDOW: usize = 512 * 1024;

/// How much of its standard input a client reads at once, in bytes: what a pipe holds.
pub(crate) const INPUT_CHUNK: usize = 64 * 1024;

/// How long the application may load its state before those who wait for it are told.
pub(crate) const LOADING_NOTICE: Duration = Duration::from_secs(1);

/// How much more than a chunk a client asks the kernel for at once, so that the end of a command comes with its last chunk.
pub(crate) const RECEIVE_EXTRA: usize = 4 * 1024;

/// Of a chunk so long, in bytes, the rest is received with no more than the next one's header, so that such chunks come one by one. What goes into a
/// pipe in pieces of other sizes than its own takes its reader more turns.
pub(crate) const LONG_CHUNK: usize = 32 * 1024;

/// How many times as long as for a daemon's handshake a client waits for one that a supervisor still starts: without a daemon,
/// nobody can say that it will come.
pub(crate) const SUPERVISOR_PATIENCE: u32 = 6;

/// How long a client leaves a daemon of another build alone whose pid file is gone, before it looks again: as often as it tries, that is
/// longer than the daemon takes to notice.
pub(crate) const ORPHAN_PAUSE: Duration = Duration::from_millis(250);

/// How long an operator waits before he is told for what.
pub(crate) const WAITING_NOTICE: Duration = Duration::from_secs(1);

/// How long a daemon that is to be stopped may take to say what it still has to do.
pub(crate) const STATUS_BEFORE_STOP: Duration = Duration::from_millis(500);

/// How long a daemon that was just spawned may take until it answers. Only catches one that hangs before its control
/// loop runs: one that dies is noticed at once, and the application's own loading isn't counted.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a daemon that was asked to retire may hold on to its socket before it is killed. Retiring itself takes a
/// few system calls; this is for machines under load.
pub(crate) const RETIRE_LIMIT: Duration = Duration::from_secs(5);

/// How often a daemon that has to go is looked for and signalled, if need be: once before it has named itself, once to ask it to
/// retire, once to kill it.
pub(crate) const RETIRE_ROUNDS: usize = 3;

/// How long a client waits for others that start a daemon: more than starting and replacing may take together, so that
/// only a suspended or hung process makes it give up.
pub(crate) const START_LOCK_LIMIT: Duration = Duration::from_secs(60);

/// How long the commands that run when a daemon retires may go on.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// How long a handler may take from its abortion to its end, if it doesn't block its thread: one turn of the scheduler, on a
/// machine under load.
pub(crate) const ABORT_LIMIT: Duration = Duration::from_secs(1);

/// How long a daemon that ends waits for threads that commands have left behind, which may still hold its state.
pub(crate) const LEFT_BEHIND_LIMIT: Duration = Duration::from_secs(1);

/// How often a daemon looks whether its files are still its own. The kernel doesn't say so, and a look costs little.
pub(crate) const FILES_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How long a daemon that ran out of descriptors waits before it accepts again, unless a connection ends first.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// How many descriptors a daemon keeps for itself (20) and its acceptors (3 each with a client), for those whom it turns away, and for waiting
/// until callers who don't read have room; the rest of its limit are callers'. What handlers open comes out of the same limit.
pub(crate) const OWN_DESCRIPTORS: u64 = 64;

/// How long whoever has connected may say nothing while there is no room for others. Clients speak at once, but may be suspended.
pub(crate) const CROWDED_PATIENCE: Duration = Duration::from_millis(250);

/// How long a client waits that was turned away, before it asks again. Nobody can wake it, since being remembered is what the daemon
/// has no room for.
pub(crate) const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// How many daemons in a row may retire under a client before it gives up: each is a coincidence of its own.
pub(crate) const MAX_ATTEMPTS: usize = 32;

/// How long the log may be, in bytes. A daemon looks when it starts and each time it looks at its files.
pub(crate) const MAX_LOG: u64 = 1024 * 1024;

/// How much of a log that has grown too long is kept, in bytes: its end, which passes through memory.
pub(crate) const KEPT_LOG: usize = 256 * 1024;

/// How much of the log's end an error message shows.
pub(crate) const LOG_EXCERPT: u64 = 2 * 1024;

/// How long a client may take to send its command after the handshake. It has it ready by then, so a longer wait means
/// that it was suspended, and it will ask again.
pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a daemon that ends may take over its last commands beyond their grace period, on a machine under load.
pub(crate) const STOP_MARGIN: Duration = Duration::from_secs(5);

/// How many times in a row a daemon that lives may disconnect a client before it answers, until that has it retire. One without room
/// does so whenever the client is held up for `CROWDED_PATIENCE` between its connection and its first word, which on a machine under
/// load is not rare.
pub(crate) const MAX_DISCONNECTIONS: usize = 16;

/// How many times a client connects to a socket that disconnects it, before it takes what listens there for no daemon. One
/// that is dying disconnects its callers once and is gone then.
pub(crate) const MAX_DYING_LISTENERS: usize = 4;

/// How much room a daemon has at least for what a client sends next, in bytes: all that most say at once, in one system call. Until the
/// handshake it is all that is held for anybody who doesn't say more at once.
pub(crate) const FIRST_RECEIVE: usize = 1024;

/// How long a daemon that has no descriptor to watch for room in a client's socket waits before it looks.
pub(crate) const ROOM_PAUSE: Duration = Duration::from_millis(10);

/// How many threads accept clients at most. One begins tens of thousands of commands a second.
#[cfg(target_os = "linux")]
pub(crate) const MAX_ACCEPTORS: usize = 8;

/// How long an acceptor waits for what a client says first. Mostly that is there, or comes with the client's next system call.
#[cfg(target_os = "linux")]
pub(crate) const PROMPT_LIMIT: Duration = Duration::from_millis(2);

/// How much an acceptor receives of a client, in bytes. A handshake and a command that are longer come too slowly to be waited for there.
#[cfg(target_os = "linux")]
pub(crate) const PROMPT_RECEIVE: usize = 64 * 1024;

/// How long the control plane leaves a client to acceptors that are busy and get on: longer than most commands' first step.
#[cfg(target_os = "linux")]
pub(crate) const BUSY_ACCEPTORS: Duration = Duration::from_millis(1);

/// Up to how many bytes a chunk is short.
pub(crate) const SHORT_CHUNK: usize = 1024;

/// How many short chunks in a row are as good as none for a handler's turn. They take less time than one long one.
pub(crate) const UNCOUNTED_CHUNKS: usize = 7;
