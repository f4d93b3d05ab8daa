//! One command, once a daemon is ready for it: sent whole, then its output passed on until it ends, and its input where the
//! handler reads it.

use super::ClientError;
use super::caller::Caller;
use super::connection::{Connection, Received, peer_is_gone};
use super::notice::Notice;
use super::output::Gathered;
use super::terminal::Resizes;
use crate::app::Program;
use crate::protocol::{Message, ProtocolError};
use crate::{Errors, ExitCode};

/// How a command ended.
#[derive(Debug)]
pub(super) enum Ending {
    Exit(ExitCode),
    /// Certainly no handler has seen the command: it can be sent to another daemon.
    NotRun,
    /// The same, and the daemon has too many callers at the moment.
    Busy,
    /// The connection has ended, and nobody knows what has become of the command.
    DaemonDied,
    /// The daemon said something that it mustn't.
    Garbled(ProtocolError),
}

/// Has the daemon run the command, of which it may have some already.
pub(super) fn run(
    daemon: &mut Connection,
    command: &[u8],
    caller: &mut Caller,
    program: &Program,
) -> Result<Ending, ClientError> {
    let arrived = match daemon.send(command.get(daemon.sent..).unwrap_or_default()) {
        Ok(()) => true,
        // The daemon may have said why before it closed.
        Err(error) if peer_is_gone(&error) => false,
        Err(source) => return Err(ClientError::Connection { source }),
    };
    let mut notice = Notice::default();
    let mut output = Gathered::default();
    // What says so has a handler that has seen the command.
    let mut begun = false;
    loop {
        let received = next(daemon, caller, &mut output);
        notice.take_back(&caller.stderr);
        let received = received?;
        if !matches!(received, Received::Message(Message::OutputChunk(_))) {
            output.write(&caller.stdout)?;
        }
        begun |= matches!(
            received,
            Received::Message(
                Message::OutputChunk(_)
                    | Message::ErrorChunk(_)
                    | Message::CommandError(_)
                    | Message::InputWindow(_)
            )
        );
        match received {
            Received::Message(Message::OutputChunk(chunk)) => output.take(chunk, &caller.stdout)?,
            Received::Message(Message::ErrorChunk(chunk)) => caller.stderr.write_all(&chunk)?,
            Received::Message(Message::InputWindow(bytes)) if caller.input.is_some() => {
                caller.input.iter_mut().for_each(|input| input.grant(bytes));
            }
            Received::Message(Message::Loading) => notice.give(&caller.stderr, program),
            Received::Message(Message::CommandError(text)) => {
                let errors = match program.settings.errors {
                    Errors::ToStdout => &caller.stdout,
                    Errors::ToStderr => &caller.stderr,
                };
                errors.write_all(format!("{}: {text}\n", program.name).as_bytes())?;
            }
            Received::Message(Message::Exit(code)) => return Ok(Ending::Exit(code.into())),
            Received::Message(Message::NotRun) if !begun => return Ok(Ending::NotRun),
            Received::Message(Message::Busy) if !begun => return Ok(Ending::Busy),
            Received::Message(Message::NotLoaded(error)) if !begun => {
                return Err(ClientError::NotLoaded { error });
            }
            // A command that didn't arrive whole can't have been run.
            Received::Closed if !arrived => return Ok(Ending::NotRun),
            Received::Closed => return Ok(Ending::DaemonDied),
            Received::Message(other) => return Ok(Ending::Garbled(ProtocolError::Unexpected(other.name()))),
            Received::Garbled(error) => return Ok(Ending::Garbled(error)),
        }
    }
}

/// What the daemon says next. Before that is waited for, the output so far is written; meanwhile, what the caller has for the daemon is
/// passed on.
fn next(
    daemon: &mut Connection,
    caller: &mut Caller,
    output: &mut Gathered,
) -> Result<Received, ClientError> {
    loop {
        if let Some(received) = daemon.decode() {
            return Ok(received);
        }
        output.write(&caller.stdout)?;
        let ready = caller.wait(daemon)?;
        if ready.daemon
            && let Some(end) = daemon.receive()?
        {
            return Ok(end);
        }
        if ready.input
            && let Some(input) = &mut caller.input
        {
            input.pass_on(daemon)?;
        }
        if ready.resized
            && let Some(size) = caller.resizes.as_ref().and_then(Resizes::latest)
        {
            // A daemon that has gone is noticed by what it doesn't say.
            let _ = daemon.send(&Message::TerminalSize(size).encode());
        }
    }
}
