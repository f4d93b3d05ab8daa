//! The caller, as far as a running command has to do with it: its streams and its terminal.

use rustix::event::{PollFlags, poll};
use rustix::io::retry_on_intr;

use super::ClientError;
use super::connection::Connection;
use super::input::StreamedInput;
use super::output::CallersStream;
use super::terminal::Resizes;
use crate::fault;
use crate::needs::{Needs, StdinNeed};

#[derive(Debug)]
pub(super) struct Caller {
    pub(super) stdout: CallersStream,
    pub(super) stderr: CallersStream,
    pub(super) input: Option<StreamedInput>,
    pub(super) resizes: Option<Resizes>,
}

/// What a wait has brought.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) daemon: bool,
    pub(super) input: bool,
    pub(super) resized: bool,
}

impl Caller {
    pub(super) fn new(needs: Needs) -> Result<Self, ClientError> {
        let resizes = if needs.terminal { Resizes::watch() } else { Ok(None) };
        Ok(Self {
            stdout: CallersStream::stdout(),
            stderr: CallersStream::stderr(),
            input: (needs.stdin == StdinNeed::Streamed).then(StreamedInput::default),
            resizes: resizes.map_err(|source| ClientError::Terminal { source })?,
        })
    }

    /// Waits until the daemon says something or the caller does, or goes away.
    pub(super) fn wait(&self, daemon: &Connection) -> Result<Ready, ClientError> {
        let input = self.input.as_ref().and_then(StreamedInput::poll_fd);
        let resizes = self.resizes.as_ref().map(Resizes::poll_fd);
        let (awaits_input, awaits_resizes) = (input.is_some(), resizes.is_some());
        let watches_reader = self.stdout.may_lose_reader();
        let reader = if watches_reader { self.stdout.poll_for_reader() } else { daemon.poll_fd() };
        // In the places of what isn't awaited stands what is watched anyhow.
        let mut watched = [
            daemon.poll_fd(),
            reader,
            input.unwrap_or_else(|| daemon.poll_fd()),
            resizes.unwrap_or_else(|| daemon.poll_fd()),
        ];
        let asked = if awaits_input || awaits_resizes { &mut watched[..] } else { &mut watched[..2] };
        retry_on_intr(|| fault::at("wait").and_then(|()| poll(asked, None)))
            .map_err(|error| ClientError::Connection { source: error.into() })?;

        let [daemon, reader, input, resizes] = watched.map(|descriptor| descriptor.revents());
        // What the daemon has sent already may be the end of the command, which then had no need of a reader.
        let is_broken = watches_reader && reader.intersects(PollFlags::ERR | PollFlags::HUP);
        if is_broken && daemon.is_empty() && self.stdout.has_lost_reader() {
            return Err(ClientError::ReaderGone);
        }
        Ok(Ready {
            daemon: !daemon.is_empty(),
            input: awaits_input && !input.is_empty(),
            resized: awaits_resizes && !resizes.is_empty(),
        })
    }
}
