//! What the client says to its arguments by itself.

use std::env;

use super::ClientError;
use super::output::CallersStream;
use super::terminal::{colors, is_terminal};
use crate::params::Env;
use crate::protocol::Stream;
use crate::{ColorSupport, ExitCode, Needs};

/// Refuses arguments that no parameter takes, and lets one that checks them say what it finds. An exit code ends the command.
pub(super) fn answer(needs: Needs, env: Option<&Env>) -> Result<Option<ExitCode>, ClientError> {
    if !needs.arguments {
        return match env::args_os().nth(1) {
            None => Ok(None),
            Some(argument) => Err(ClientError::argument(&argument, needs)),
        };
    }
    let Some(check) = needs.argument_check else {
        return Ok(None);
    };
    let nothing = Env::default();
    let Err(answer) = check(&env::args_os().collect::<Vec<_>>(), env.unwrap_or(&nothing)) else {
        return Ok(None);
    };
    let text = match &answer.colored {
        Some(colored) if colors(is_terminal(answer.stream)) != ColorSupport::None => colored,
        _ => &answer.text,
    };
    let stream = match answer.stream {
        Stream::Stdout => CallersStream::stdout(),
        Stream::Stderr => CallersStream::stderr(),
    };
    stream.write_all(text.as_bytes())?;
    Ok(Some(answer.code))
}
