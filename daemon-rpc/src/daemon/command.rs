//! One command on a handler's thread: run, and its end told to the client.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::limits::MAX_ERROR_TEXT;
use crate::protocol::Message;
use crate::{CommandHandler, ExitCode, Invocation, Outcome};

use super::outbox::Outbox;

/// Ends an error's text that was too long.
const TRUNCATED: &str = "… (truncated)";

/// Runs the handler and sends how it ended. Its turn lasts until then, also if that is longer than anybody waits for it.
pub(super) async fn run(
    handler: Arc<dyn CommandHandler>,
    invocation: Invocation,
    outbox: Arc<Outbox>,
    turn: OwnedSemaphorePermit,
) {
    let (error, code) = match catch_panic(&*handler, invocation).await {
        Ok(Ok(code)) => (None, code),
        Ok(Err(error)) => (Some(format!("{error:#}")), ExitCode::FAILURE),
        Err(panic) => (Some(format!("the command panicked: {}", panic_message(&*panic))), ExitCode::PANICKED),
    };
    let error = error.map(|text| Message::CommandError(truncated(text)));
    let frames: Vec<u8> =
        error.iter().chain([&Message::Exit(code.into())]).flat_map(Message::encode).collect();
    drop(turn);
    outbox.finish(&frames);
}

/// The handler's outcome, or what it panicked with.
async fn catch_panic(
    handler: &dyn CommandHandler,
    invocation: Invocation,
) -> Result<Outcome, Box<dyn Any + Send>> {
    // What a panic may have left half done is the handler's own; the framework shares nothing with it that could break.
    let mut command = catch_unwind(AssertUnwindSafe(|| handler.handle(invocation)))?;
    let outcome =
        poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| command.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => std::task::Poll::Ready(Err(panic)),
        })
        .await?;
    // A destructor may panic as well.
    catch_unwind(AssertUnwindSafe(|| drop(command)))?;
    Ok(outcome)
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// Keeps an error's text within what one message may hold.
fn truncated(mut text: String) -> String {
    if text.len() > MAX_ERROR_TEXT {
        let end = (0..=MAX_ERROR_TEXT - TRUNCATED.len()).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or_default());
        text.push_str(TRUNCATED);
    }
    text
}
