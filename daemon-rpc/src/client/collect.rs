//! What the handler asked for, collected from where the client was called.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::event::PollFlags;
use rustix::io::{Errno, read};
use rustix::stdio::stdin;

use super::ClientError;
use super::readiness::wait_for;
use super::terminal;
#[cfg(feature = "forward-logs")]
use crate::LOG_VARIABLE;
use crate::Needs;
use crate::needs::{EnvironmentNeed, StdinNeed};
use crate::params::Env;
use crate::protocol::Command;

/// Enough for what most commands read, in one system call.
const FIRST_READ: usize = 8 * 1024;

/// As much of the environment as is needed.
pub(super) fn environment(needs: Needs) -> Option<Env> {
    match needs.environment {
        EnvironmentNeed::Nothing => None,
        EnvironmentNeed::Named(names) => Some(
            names().into_iter().filter_map(|name| env::var_os(&name).map(|value| (name, value))).collect(),
        ),
        EnvironmentNeed::All => Some(env::vars_os().collect()),
    }
}

/// The command to send: only what was asked for is so much as looked at.
pub(super) fn command(needs: Needs, env: Option<Env>, max_command: usize) -> Result<Command, ClientError> {
    let mut command = Command::default();
    if needs.argument_check.is_some() {
        command.program = env::args_os().next().map(to_bytes);
    }
    if needs.arguments {
        command.args = Some(env::args_os().skip(1).map(to_bytes).collect());
    }
    command.env =
        env.map(|env| env.into_iter().map(|(name, value)| (to_bytes(name), to_bytes(value))).collect());
    if needs.directory {
        let directory = env::current_dir().map_err(|source| ClientError::Directory { source })?;
        command.cwd = Some(to_bytes(directory.into_os_string()));
    }
    #[cfg(feature = "forward-logs")]
    {
        let filter = env::var_os(LOG_VARIABLE).filter(|filter| !filter.is_empty());
        command.log = filter.map(|filter| filter.to_string_lossy().into_owned());
    }
    match needs.stdin {
        // What is streamed comes when it is asked for.
        StdinNeed::Nothing | StdinNeed::Streamed => {}
        StdinNeed::Text => command.text = Some(into_text(read_stdin(max_command)?)?),
        StdinNeed::Bytes => command.bytes = Some(read_stdin(max_command)?.into()),
    }
    // Last, since it may have changed while the input was read.
    command.terminal = needs.terminal.then(terminal::describe);
    Ok(command)
}

fn to_bytes(text: OsString) -> Bytes {
    text.into_vec().into()
}

fn read_stdin(limit: usize) -> Result<Vec<u8>, ClientError> {
    let mut input = Vec::with_capacity(FIRST_READ);
    while read_more(&mut input).map_err(|source| ClientError::Stdin { source })? {
        if input.len() > limit {
            return Err(ClientError::CommandTooLong { limit });
        }
    }
    Ok(input)
}

/// The input as text, if it is text.
pub(crate) fn into_text(input: Vec<u8>) -> Result<String, ClientError> {
    String::from_utf8(input).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(start).copied().unwrap_or_default();
        ClientError::NotUtf8 { position: start + 1, byte }
    })
}

/// Appends what standard input has, waiting for it, and says whether there may be more.
fn read_more(input: &mut Vec<u8>) -> io::Result<bool> {
    if input.len() == input.capacity() {
        input.reserve(input.len());
    }
    loop {
        match read(stdin(), spare_capacity(input)) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            // Whoever shares the caller's terminal or pipe may have made it non-blocking.
            Err(Errno::AGAIN) => wait_for(PollFlags::IN, stdin())?,
            Err(error) => return Err(error.into()),
        }
    }
}
