//! One command on a handler's thread: run, and its end told to the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;
use tracing::{Instrument as _, Span, debug, info_span, warn};

#[cfg(feature = "forward-logs")]
use super::forward::Forwarded;
use super::outbox::Outbox;
use super::tally::Entry;
use crate::limits::MAX_ERROR_TEXT;
use crate::outcome::Ended;
use crate::protocol::Message;
use crate::{CommandHandler, ExitCode, Invocation, fault};

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

/// Runs the handler and sends how it ended. Its turn lasts until then, also if that is longer than anybody waits for it.
pub(super) async fn run(
    claim: Arc<Claim>,
    mut entry: Entry,
    handler: Arc<dyn CommandHandler>,
    invocation: Invocation,
    outbox: Arc<Outbox>,
    turn: OwnedSemaphorePermit,
) {
    if !claim.take() {
        return;
    }
    entry.run();
    let number = entry.number;
    let _unfinished = Unfinished(&outbox);
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
    let error = error.map(|text| Message::CommandError(truncated(text)));
    let frames: Vec<u8> = error.iter().chain([&Message::Exit(code)]).flat_map(Message::encode).collect();
    drop(turn);
    outbox.finish(&frames);
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

/// Has the client told of a panic that nothing else has caught.
struct Unfinished<'a>(&'a Outbox);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.finish(&Message::Exit(ExitCode::PANICKED.into()).encode());
        }
    }
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
