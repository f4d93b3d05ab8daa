//! The daemon: takes over the socket, serves commands until there is a reason to retire, and leaves nothing behind.
//!
//! Two runtimes: the control plane (accepting, handshakes, hang-ups, signals, timers) has a thread of its own that no
//! handler ever runs on, so that it answers however many handlers block theirs.

mod command;
mod control;
mod error;
mod handover;
mod outbox;
mod session;
mod setup;

use std::sync::Arc;

use tokio::runtime;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::CommandHandler;
use crate::app::Program;
use crate::instance::Instance;
use crate::limits::{BODY_OVERHEAD, MAX_SURROUNDINGS};
use crate::settings::Settings;
use handover::Handover;

pub(crate) use error::DaemonError;

/// What every session of this daemon shares.
struct Daemon {
    build: String,
    settings: Settings,
    handler: Arc<dyn CommandHandler>,
    /// Where handlers run.
    handlers: runtime::Handle,
    /// One for each command that may run at once; who waits for one gets it in the order in which they came.
    turns: Arc<Semaphore>,
    /// Told when a handler blocks its thread and can't be ended.
    blocked: Notify,
    /// Cancelled when no new commands are taken any more.
    retiring: CancellationToken,
    /// Cancelled when the commands that still run have to end.
    stopping: CancellationToken,
}

impl Daemon {
    /// The longest body of a `Command` that a client of this program has reason to send.
    fn longest_command(&self) -> usize {
        let surroundings = if self.handler.needs().surroundings() { MAX_SURROUNDINGS } else { 0 };
        self.settings.max_command + surroundings + BODY_OVERHEAD
    }
}

/// Serves until there is a reason to retire. `asked_for` is the build that the caller takes this program for.
pub(crate) fn run(
    program: &Program,
    asked_for: &str,
    id: String,
    handler: Arc<dyn CommandHandler>,
) -> Result<(), DaemonError> {
    let build = program.build.clone();
    if asked_for != build {
        return Err(DaemonError::OtherBuild { asked_for: asked_for.to_owned(), build });
    }
    let instance = Instance::new(id)?;
    let Handover { listener, files } = Handover::take(&instance)?;
    setup::log_to_stderr();
    setup::raise_descriptor_limit();
    setup::set_umask();
    setup::name_process(&program.name);

    let control = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut handlers = runtime::Builder::new_multi_thread();
    if let Some(threads) = program.settings.worker_threads {
        handlers.worker_threads(threads.get());
    }
    let handlers = handlers.thread_name("handler").enable_all().build()?;
    let daemon = Arc::new(Daemon {
        build,
        settings: program.settings,
        turns: Arc::new(Semaphore::new(program.settings.max_concurrent.get())),
        handler,
        handlers: handlers.handle().clone(),
        blocked: Notify::new(),
        retiring: CancellationToken::new(),
        stopping: CancellationToken::new(),
    });
    let served = control.block_on(control::serve(&daemon, listener, files));
    // Handlers that block their threads don't keep a daemon that has nothing more to do.
    handlers.shutdown_background();
    served
}
