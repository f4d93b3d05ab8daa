//! The client: collects what the command needs, finds or starts the daemon, and passes on what comes back.
//!
//! Blocking code without a runtime and, where a daemon serves already, without a thread: this is all that a warm call
//! costs its caller.

mod arguments;
mod caller;
mod collect;
mod connect;
mod connection;
mod control;
mod error;
mod input;
mod log;
mod notice;
mod output;
mod readiness;
mod relay;
mod start;
mod terminal;

use std::io;
use std::os::unix::net::UnixStream;
use std::thread;

use crate::app::Program;
use crate::instance::Instance;
use crate::limits::{BUSY_PAUSE, MAX_ATTEMPTS};
use crate::params::Env;
use crate::protocol::Message;
use crate::{ExitCode, Needs};

use caller::Caller;
pub(crate) use collect::into_text;
use connection::{Connection, Meeting};
pub(crate) use control::{Last, Wait, restart, status, stop};
pub(crate) use error::ClientError;
pub(crate) use log::print as print_log;
use output::CallersStream;
use relay::Ending;
use terminal::Resizes;

/// Runs one command for the user and returns its exit code.
pub(crate) fn run(program: &Program, id: String, needs: Needs) -> Result<ExitCode, ClientError> {
    let env = collect::environment(needs);
    if let Some(code) = arguments::answer(needs, env.as_ref())? {
        return Ok(code);
    }
    let instance = Instance::new(id)?;
    let (mut caller, command) = collect(program, needs, env)?;

    let mut attempts = 0;
    while attempts < MAX_ATTEMPTS {
        let Some(mut daemon) = connect::connect(program, &instance, &command)? else {
            attempts += 1;
            continue;
        };
        match relay::run(&mut daemon, &command, &mut caller, program)? {
            Ending::Exit(code) => return Ok(code),
            Ending::NotRun => attempts += 1,
            // It will have room again when others have done, however long that takes.
            Ending::Busy => thread::sleep(BUSY_PAUSE),
            Ending::DaemonDied => return Err(ClientError::DaemonDied { log: instance.log() }),
            Ending::Garbled(source) => return Err(ClientError::Garbled { log: instance.log(), source }),
        }
        caller.resizes.iter().for_each(Resizes::repeat);
    }
    Err(ClientError::AlwaysRetiring)
}

/// The same with a daemon that is a part of this process, and that `start` starts when there is something to run.
pub(crate) fn run_inline(
    program: &Program,
    needs: Needs,
    start: impl FnOnce() -> io::Result<UnixStream>,
) -> Result<ExitCode, ClientError> {
    let env = collect::environment(needs);
    if let Some(code) = arguments::answer(needs, env.as_ref())? {
        return Ok(code);
    }
    let (mut caller, command) = collect(program, needs, env)?;

    let failed = |reason: &dyn std::fmt::Debug| ClientError::Inline { reason: format!("{reason:?}") };
    let socket = start().map_err(|source| ClientError::Connection { source })?;
    let mut daemon = match Connection::meet_inline(socket, program, &command)? {
        Meeting::Agreed(daemon) => daemon,
        other => return Err(failed(&other)),
    };
    match relay::run(&mut daemon, &command, &mut caller, program)? {
        Ending::Exit(code) => Ok(code),
        other => Err(failed(&other)),
    }
}

/// Takes what comes from `socket` for the daemon's part of one command, whose caller isn't this process, and says what became of
/// it in the words of the code.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn take_answer(
    program: &Program,
    socket: UnixStream,
    [stdout, stderr]: [std::os::fd::BorrowedFd<'static>; 2],
    streams_input: bool,
) -> Result<String, ClientError> {
    let command = Message::Command(crate::protocol::Command::default()).encode();
    let mut daemon = match Connection::meet_inline(socket, program, &command)? {
        Meeting::Agreed(daemon) => daemon,
        other => return Ok(format!("{other:?}")),
    };
    let mut caller = Caller {
        stdout: CallersStream::to(stdout),
        stderr: CallersStream::to(stderr),
        input: streams_input.then(input::StreamedInput::at_its_end),
        resizes: None,
    };
    relay::run(&mut daemon, &command, &mut caller, program).map(|ending| format!("{ending:?}"))
}

/// The caller, and the command as it is sent.
fn collect(program: &Program, needs: Needs, env: Option<Env>) -> Result<(Caller, Vec<u8>), ClientError> {
    // First, so that no change of the terminal's size is missed while the input is read.
    let caller = Caller::new(needs)?;
    let command = collect::command(needs, env, program.settings.max_command)?;
    Ok((caller, Message::Command(command).encode()))
}

/// Writes to the user's standard output.
pub(crate) fn print(text: &[u8]) -> Result<(), ClientError> {
    CallersStream::stdout().write_all(text)
}
