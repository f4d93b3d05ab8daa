//! Panics of the application's code, caught where the framework calls it.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// What a panic said.
pub(crate) struct Panic(Box<dyn Any + Send>);

impl fmt::Display for Panic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| self.0.downcast_ref::<&str>().copied());
        formatter.write_str(text.unwrap_or("without a message"))
    }
}

/// Runs a future that `start` makes.
///
/// What a panic may have left half done is the application's own; the framework shares nothing with it that could break.
pub(crate) async fn catch<'a, T>(
    start: impl FnOnce() -> Pin<Box<dyn Future<Output = T> + Send + 'a>>,
) -> Result<T, Panic> {
    let caught = |panic| Panic(panic);
    let mut future = catch_unwind(AssertUnwindSafe(start)).map_err(caught)?;
    let value = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(Panic(panic))),
    })
    .await?;
    // A destructor may panic as well.
    catch_unwind(AssertUnwindSafe(|| drop(future))).map_err(caught)?;
    Ok(value)
}
