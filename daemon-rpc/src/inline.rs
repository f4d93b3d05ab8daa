//! A command without a daemon of its own process: for debuggers, sandboxes and tests.
//!
//! Client and daemon are the same as ever, only that they are two threads of one process with a pair of sockets between
//! them. So whatever holds for a command elsewhere holds here.

use std::env;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::panic;
use std::sync::Arc;
use std::thread;

use crate::app::Program;
use crate::client::ClientError;
use crate::state::Loader;
use crate::{CommandHandler, ExitCode, client, daemon, sys};

const VARIABLE: &str = "DAEMON_RPC_INLINE";

/// Whether the caller wants the command in its own process.
pub(crate) fn is_asked_for() -> bool {
    is_set(VARIABLE)
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Runs one command for the user and returns its exit code.
pub(crate) fn run(
    program: &Program,
    load: Loader,
    handler: Arc<dyn CommandHandler>,
) -> Result<ExitCode, ClientError> {
    if !is_set("RUST_BACKTRACE") {
        // The caller reads what a panic said anyhow, and with a daemon the rest would be in its log.
        panic::set_hook(Box::new(|_| {}));
    }
    let needs = handler.needs();
    // Ends when both have: a handler whose caller's reader has gone has its grace period here too.
    thread::scope(|scope| {
        client::run_inline(program, needs, || {
            let (client, daemon) = UnixStream::pair()?;
            let serve = || match daemon::run_inline(program, load, handler, daemon) {
                Ok(None) => {}
                // Here and not in the client, which may be waiting for somebody to read its output.
                Ok(Some(signal)) => sys::die_of(signal),
                Err(error) => {
                    let error = anyhow::Error::from(error);
                    // The client says that it has got no answer, should this not be said.
                    let _ = writeln!(std::io::stderr(), "{}: {error:#}", program.name);
                }
            };
            thread::Builder::new().name("daemon".into()).spawn_scoped(scope, serve)?;
            Ok(client)
        })
    })
}
