//! One command on a handler's thread: run, and its end told to the client.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::outbox::Outbox;
use crate::limits::MAX_ERROR_TEXT;
use crate::outcome::Ended;
use crate::protocol::Message;
use crate::{CommandHandler, Invocation};

/// Ends an error's text that was too long.
const TRUNCATED: &str = "… (truncated)";

/// Runs the handler and sends how it ended. Its turn lasts until then, also if that is longer than anybody waits for it.
pub(super) async fn run(
    handler: Arc<dyn CommandHandler>,
    invocation: Invocation,
    outbox: Arc<Outbox>,
    turn: OwnedSemaphorePermit,
) {
    let Ended { error, code } = Ended::of(&*handler, invocation).await;
    let error = error.map(|text| Message::CommandError(truncated(text)));
    let frames: Vec<u8> =
        error.iter().chain([&Message::Exit(code.into())]).flat_map(Message::encode).collect();
    drop(turn);
    outbox.finish(&frames);
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
