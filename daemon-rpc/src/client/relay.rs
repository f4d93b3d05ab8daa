//! One command, once a daemon is ready for it: sent whole, then its output passed on until it ends.

use super::ClientError;
use super::connection::{Connection, Received, peer_is_gone};
use super::output::CallersStream;
use crate::app::Program;
use crate::instance::Instance;
use crate::protocol::{Message, ProtocolError};
use crate::{Errors, ExitCode};

/// How a command ended.
#[derive(Debug)]
pub(super) enum Ending {
    Exit(ExitCode),
    /// Certainly no handler has seen the command: it can be sent to another daemon.
    NotRun,
}

/// Has the daemon run the command.
pub(super) fn run(
    daemon: &mut Connection,
    command: &[u8],
    program: &Program,
    instance: &Instance,
) -> Result<Ending, ClientError> {
    let arrived = match daemon.send(command) {
        Ok(()) => true,
        // The daemon may have said why before it closed.
        Err(error) if peer_is_gone(&error) => false,
        Err(source) => return Err(ClientError::Connection { source }),
    };
    let (stdout, stderr) = (CallersStream::stdout(), CallersStream::stderr());
    let garbled = |source| ClientError::Garbled { log: instance.log(), source };
    loop {
        match daemon.receive(None, Some(&stdout))? {
            Received::Message(Message::OutputChunk(chunk)) => stdout.write_all(&chunk)?,
            Received::Message(Message::ErrorChunk(chunk)) => stderr.write_all(&chunk)?,
            Received::Message(Message::CommandError(text)) => {
                let errors = match program.settings.errors {
                    Errors::ToStdout => &stdout,
                    Errors::ToStderr => &stderr,
                };
                errors.write_all(format!("{}: {text}\n", program.name).as_bytes())?;
            }
            Received::Message(Message::Exit(code)) => return Ok(Ending::Exit(code.into())),
            Received::Message(Message::NotRun) => return Ok(Ending::NotRun),
            // A command that didn't arrive whole can't have been run.
            Received::Closed if !arrived => return Ok(Ending::NotRun),
            Received::Closed | Received::TimedOut => {
                return Err(ClientError::DaemonDied { log: instance.log() });
            }
            Received::Message(other) => return Err(garbled(ProtocolError::Unexpected(other.name()))),
            Received::Garbled(error) => return Err(garbled(error)),
        }
    }
}
