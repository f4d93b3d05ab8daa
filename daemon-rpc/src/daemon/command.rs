//! One command's run, on whatever thread: its handler, and its end told to the client.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinHandle;
use tracing::{Instrument as _, Span, debug, info_span, warn};

#[cfg(feature = "forward-logs")]
use super::forward::Forwarded;
use super::outbox::Outbox;
use super::tally::Entry;
use crate::limits::MAX_ERROR_TEXT;
use crate::outcome::Ended;
use crate::protocol::Message;
use crate::{CommandHandler, ExitCode, Invocation, fault, panic};

/// Ends an error's text that was too long.
const TRUNCATED: &str = "… (truncated)";

/// Settles where a command is run: here, by a handler that begins it, or elsewhere, once its session has taken it back. Whoever is first
/// has it.
#[derive(Debug, Default)]
pub(super) struct Claim(AtomicBool);

impl Claim {
    /// Takes the command, unless it has been taken.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// A handler at work, on whatever thread.
pub(super) enum Handler {
    /// On the thread of an acceptor, which says where it goes on if it doesn't end at once.
    Beginning { goes_on: oneshot::Receiver<JoinHandle<()>>, is_aborted: bool },
    /// On the pool's.
    Spawned(JoinHandle<()>),
    /// On none any more.
    Ended,
}

impl Handler {
    /// One that an acceptor runs, with the way to tell that it goes on elsewhere.
    pub(super) fn beginning() -> (Self, oneshot::Sender<JoinHandle<()>>) {
        let (sender, goes_on) = oneshot::channel();
        (Self::Beginning { goes_on, is_aborted: false }, sender)
    }

    /// Waits for its end, of whatever kind.
    pub(super) async fn ended(&mut self) {
        if let Self::Beginning { goes_on, is_aborted } = self {
            // The sender goes when the handler has ended.
            let handle = goes_on.await.ok();
            if let Some(handle) = handle.as_ref().filter(|_| *is_aborted) {
                handle.abort();
            }
            *self = handle.map_or(Self::Ended, Self::Spawned);
        }
        if let Self::Spawned(handle) = self {
            let _ = handle.await;
            *self = Self::Ended;
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Beginning { .. } => false,
            Self::Spawned(handle) => handle.is_finished(),
            Self::Ended => true,
        }
    }

    /// Has it end as soon as it waits for something.
    pub(super) fn abort(&mut self) {
        match self {
            Self::Beginning { is_aborted, .. } => *is_aborted = true,
            Self::Spawned(handle) => handle.abort(),
            Self::Ended => {}
        }
    }
}

/// A command's run, which ends with the frames that tell its client how it ended; with none if it was not to run here.
pub(super) type Work = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;

/// Works to the end, and has the client told.
pub(super) async fn carry_out(work: Work, outbox: Arc<Outbox>) {
    outbox.finish(panic::catch(|| work).await.unwrap_or_else(|_| Some(panicked())));
}

/// What tells of a panic that nothing else has caught.
pub(super) fn panicked() -> Vec<u8> {
    Message::Exit(ExitCode::PANICKED.into()).encode()
}

/// Runs the handler. Its turn lasts until it ends, also if that is longer than anybody waits for it.
pub(super) async fn run(
    claim: Arc<Claim>,
    mut entry: Entry,
    handler: Arc<dyn CommandHandler>,
    invocation: Invocation,
    outbox: Arc<Outbox>,
    turn: OwnedSemaphorePermit,
) -> Option<Vec<u8>> {
    fault::passing("begin");
    if !claim.take() {
        return None;
    }
    entry.run();
    let number = entry.number;
    let log = invocation.command.log.clone();
    let begun = Instant::now();
    let Ended { error, code } = {
        let (span, _forwarded) = span(number, log.as_deref(), &outbox);
        Ended::of(&*handler, invocation).instrument(span).await
    };
    fault::passing("end");
    entry.end(code == ExitCode::SUCCESS);
    let panicked = code == ExitCode::PANICKED;
    let (code, took) = (u8::from(code), begun.elapsed());
    if panicked {
        warn!(command = number, code, ?took, "ended");
    } else {
        debug!(command = number, code, ?took, "ended");
    }
    drop(turn);
    let error = error.map(|text| Message::CommandError(truncated(text)));
    Some(error.iter().chain([&Message::Exit(code)]).flat_map(Message::encode).collect())
}

/// The span of a command's events, and what sees to it that its caller gets those that he asked for.
#[cfg(feature = "forward-logs")]
fn span(number: u64, log: Option<&str>, outbox: &Arc<Outbox>) -> (Span, Option<Forwarded>) {
    let span = || info_span!("command", number);
    match log {
        Some(filter) => {
            let (span, forwarded) = Forwarded::with_span(filter, outbox, span);
            (span, Some(forwarded))
        }
        None => (span(), None),
    }
}

/// The span of a command's events.
#[cfg(not(feature = "forward-logs"))]
fn span(number: u64, _: Option<&str>, _: &Arc<Outbox>) -> (Span, ()) {
    (info_span!("command", number), ())
}

/// Keeps an error's text within what one message may hold.
pub(super) fn truncated(mut text: String) -> String {
    if text.len() > MAX_ERROR_TEXT {
        let end = (0..=MAX_ERROR_TEXT - TRUNCATED.len()).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or_default());
        text.push_str(TRUNCATED);
    }
    text
}
