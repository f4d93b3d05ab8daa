//! The client: collects what the command needs, finds or starts the daemon, and passes on what comes back.
//!
//! Blocking code without a runtime and, where a daemon serves already, without a thread: this is all that a warm call
//! costs its caller.

mod collect;
mod connect;
mod connection;
mod error;
mod output;
mod readiness;
mod relay;
mod replace;
mod start;

use crate::app::Program;
use crate::instance::Instance;
use crate::limits::MAX_ATTEMPTS;
use crate::protocol::Message;
use crate::{ExitCode, Needs};

pub(crate) use error::ClientError;
use relay::Ending;

/// Runs one command for the user and returns its exit code.
pub(crate) fn run(program: &Program, id: String, needs: Needs) -> Result<ExitCode, ClientError> {
    collect::refuse_arguments(needs)?;
    let instance = Instance::new(id)?;
    let command = Message::Command(collect::command(needs, program.settings.max_command)?).encode();

    for _ in 0..MAX_ATTEMPTS {
        let Some(mut daemon) = connect::connect(program, &instance)? else {
            continue;
        };
        match relay::run(&mut daemon, &command, program, &instance)? {
            Ending::Exit(code) => return Ok(code),
            Ending::NotRun => {}
        }
    }
    Err(ClientError::AlwaysRetiring)
}
