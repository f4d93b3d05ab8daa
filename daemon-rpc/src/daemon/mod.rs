//! The daemon: takes over the socket, serves commands until there is a reason to retire, and leaves nothing behind.
//!
//! Two runtimes: the control plane (accepting, handshakes, hang-ups, signals, timers) has a thread of its own that no
//! handler ever runs on, so that it answers however many handlers block theirs. Acceptors spare it what needs no waiting.

// Where there are no acceptors, what only they use is compiled all the same.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

mod command;
mod control;
mod entrance;
mod error;
mod foreground;
#[cfg(feature = "forward-logs")]
mod forward;
mod handover;
mod inbox;
mod load;
mod outbox;
mod room;
mod session;
mod setup;
mod socket;
mod status;
mod supervisor;
mod tally;

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

#[cfg(any(test, feature = "fuzzing"))]
use bytes::BytesMut;
use rustix::process::Signal;
use tokio::runtime;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::app::Program;
use crate::instance::{Instance, Log};
use crate::invocation::LoadedState;
use crate::limits::{BODY_OVERHEAD, LEFT_BEHIND_LIMIT, MAX_SURROUNDINGS};
use crate::panic;
use crate::protocol::{Message, VersionCheck};
use crate::settings::Settings;
use crate::state::Loader;
use crate::sys;
use crate::{CommandHandler, ExitCode};
use handover::Handover;

pub(crate) use error::DaemonError;
use load::Load;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use socket::Socket;
use tally::Tally;

/// What every session of this daemon shares.
pub(crate) struct Daemon {
    /// Which build it is of.
    version: VersionCheck,
    /// The same as a frame, which is what it says to each client first.
    greeting: Vec<u8>,
    settings: Settings,
    handler: Arc<dyn CommandHandler>,
    /// What the application loads.
    state: watch::Receiver<Load>,
    /// Where handlers run.
    handlers: runtime::Handle,
    /// Where nothing blocks: who waits for a socket is told from there.
    control: runtime::Handle,
    /// One for each command that may run at once; who waits for one gets it in the order in which they came.
    turns: Arc<Semaphore>,
    tally: Arc<Tally>,
    /// Its own, to be kept short; `None` where somebody else keeps what it logs.
    log: Option<Log>,
    /// Told when there is no room for somebody: who hasn't said anything has to hurry then.
    crowded: Notify,
    /// Told when a handler blocks its thread and can't be ended.
    blocked: Notify,
    /// Cancelled when no new commands are taken any more.
    retiring: CancellationToken,
    /// Cancelled when the commands that still run have to end.
    stopping: CancellationToken,
}

impl Daemon {
    /// One that runs handlers on `handlers`, where it begins to load the application's state, and has sockets watched on `control`.
    fn new(
        program: &Program,
        load: Loader,
        handler: Arc<dyn CommandHandler>,
        log: Option<Log>,
        handlers: &runtime::Handle,
        control: &runtime::Handle,
    ) -> Arc<Self> {
        let version = VersionCheck::of(&program.build);
        Arc::new(Self {
            greeting: Message::VersionCheck(version.clone()).encode(),
            version,
            settings: program.settings,
            turns: Arc::new(Semaphore::new(
                program.settings.max_concurrent.get().min(Semaphore::MAX_PERMITS),
            )),
            handler,
            state: load::start(load, handlers),
            handlers: handlers.clone(),
            control: control.clone(),
            tally: Arc::new(Tally::new()),
            log,
            crowded: Notify::new(),
            blocked: Notify::new(),
            retiring: CancellationToken::new(),
            stopping: CancellationToken::new(),
        })
    }

    /// What the application has loaded, once it has.
    fn loaded(&self) -> Option<LoadedState> {
        match &*self.state.borrow() {
            Load::Done(state) => Some(Arc::clone(state)),
            Load::Running | Load::Failed(_) => None,
        }
    }

    /// The longest body of a `Command` that a client of this program has reason to send.
    fn longest_command(&self) -> usize {
        let surroundings = if self.handler.needs().surroundings() { MAX_SURROUNDINGS } else { 0 };
        self.settings.max_command + surroundings + BODY_OVERHEAD
    }
}

/// What the control loop does, one by one.
#[cfg(any(test, feature = "fuzzing"))]
impl Daemon {
    /// One whose handlers run where its sessions do: on this very runtime.
    pub(crate) fn here(program: &Program, load: Loader, handler: Arc<dyn CommandHandler>) -> Arc<Self> {
        // Once in a process is enough.
        static LOG: std::sync::Once = std::sync::Once::new();
        LOG.call_once(setup::log_if_asked_for);
        let here = runtime::Handle::current();
        Self::new(program, load, handler, None, &here, &here)
    }

    pub(crate) async fn serve(self: Arc<Self>, socket: Socket) {
        let _ = session::serve(self, socket, BytesMut::new()).await;
    }

    pub(crate) async fn turn_away(self: Arc<Self>, socket: Socket) {
        let _ = session::turn_away(self, socket, BytesMut::new()).await;
    }

    /// Whether no command runs or waits, as far as it counts.
    pub(crate) fn is_idle(&self) -> bool {
        self.tally.counts().is_idle()
    }

    pub(crate) fn retire(&self) {
        self.retiring.cancel();
    }

    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }
}

/// Serves until there is a reason to retire. `asked_for` is the build that the caller takes this program for.
pub(crate) fn run(
    program: &Program,
    asked_for: &str,
    id: String,
    load: Loader,
    handler: Arc<dyn CommandHandler>,
) -> Result<(), DaemonError> {
    let build = &program.build;
    if asked_for != build {
        return Err(DaemonError::OtherBuild { asked_for: asked_for.to_owned(), build: build.clone() });
    }
    let instance = Instance::new(id)?;
    let Some(handover) = Handover::take(&instance)? else {
        return Ok(());
    };
    // Here rather than before this program was executed: that would take a fork of the client, which is slow.
    sys::leave_callers_session()?;
    setup::name_process(&program.name);
    serve(program, &instance, handover, load, handler)
}

/// The same without a client that has started it: by hand, or for a supervisor.
pub(crate) fn run_in_foreground(
    program: &Program,
    id: String,
    load: Loader,
    handler: Arc<dyn CommandHandler>,
) -> Result<(), DaemonError> {
    let instance = Instance::new(id)?;
    let handover = foreground::take_up(&instance)?;
    serve(program, &instance, handover, load, handler)
}

fn serve(
    program: &Program,
    instance: &Instance,
    handover: Handover,
    load: Loader,
    handler: Arc<dyn CommandHandler>,
) -> Result<(), DaemonError> {
    setup::log_to_stderr();
    setup::raise_descriptor_limit();
    setup::set_umask();
    // In the foreground, it is somebody else's.
    let log = if handover.supervisor.is_none() { instance.log_of_this_process()? } else { None };
    on_runtimes(program, load, handler, log, async |daemon| control::serve(daemon, handover).await)
}

/// Serves the one client at the other end of `socket`, in its own process. Returns the signal that ended its command, if one
/// did.
pub(crate) fn run_inline(
    program: &Program,
    load: Loader,
    handler: Arc<dyn CommandHandler>,
    socket: StdUnixStream,
) -> Result<Option<Signal>, DaemonError> {
    setup::log_if_asked_for();
    on_runtimes(program, load, handler, None, async |daemon| control::serve_one(daemon, socket).await)
}

/// The pool of handlers' threads. Where tokio can't have one of them it panics, and then waits for the others for ever, so that the process
/// ends instead of the panic.
fn handlers_runtime(program: &Program) -> io::Result<runtime::Runtime> {
    let mut builder = runtime::Builder::new_multi_thread();
    if let Some(threads) = program.settings.worker_threads {
        builder.worker_threads(threads.get());
    }
    builder.thread_name("handler").enable_all();
    let hook = std::panic::take_hook();
    let name = program.name.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let reason = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        // Nobody can be told where it can't be written.
        let _ = writeln!(io::stderr(), "{name}: can't start the threads for handlers: {reason}");
        std::process::exit(u8::from(ExitCode::UNAVAILABLE).into());
    }));
    let built = builder.build();
    std::panic::set_hook(hook);
    built
}

/// Runs the control plane until it is done, with the handlers' runtime and the application's state beside it.
fn on_runtimes<T>(
    program: &Program,
    load: Loader,
    handler: Arc<dyn CommandHandler>,
    log: Option<Log>,
    serve: impl AsyncFnOnce(&Arc<Daemon>) -> Result<T, DaemonError>,
) -> Result<T, DaemonError> {
    let control = runtime::Builder::new_current_thread().enable_all().build()?;
    let handlers = handlers_runtime(program)?;
    let daemon = Daemon::new(program, load, handler, log, handlers.handle(), control.handle());
    let served = control.block_on(serve(&daemon));
    // With the sessions that were left go the last references to the daemon but this one.
    drop(control);
    let inside = handlers.enter();
    // The application's state goes with it, where it was made. A panic there has nobody left to harm, and is in the log.
    let _ = panic::catch_in(|| drop(daemon));
    drop(inside);
    // What commands have left behind goes here, and may hold the state too. What blocks its thread doesn't keep a daemon that has
    // nothing more to do.
    handlers.shutdown_timeout(LEFT_BEHIND_LIMIT);
    served
}
