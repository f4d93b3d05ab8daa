//! Panics of the application's code, caught where the framework calls it.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// What a panic said.
pub(crate) struct Panic(String);

impl Panic {
    fn of(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        let panic = Self(text.unwrap_or("without a message").to_owned());
        // What a program panics with may panic in its turn.
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            forget(another);
        }
        panic
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Calls the application's code.
pub(crate) fn catch_in<T>(call: impl FnOnce() -> T) -> Result<T, Panic> {
    // What a panic may have left half done is the application's own; the framework shares nothing with it that could break.
    catch_unwind(AssertUnwindSafe(call)).map_err(Panic::of)
}

/// Runs a future of the application's.
pub(crate) async fn catch<'a, T>(
    start: impl FnOnce() -> Pin<Box<dyn Future<Output = T> + Send + 'a>>,
) -> Result<T, Panic> {
    let mut future = catch_in(start)?;
    let value = poll_fn(|context| match catch_in(|| future.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await;
    // A destructor may panic as well.
    let dropped = catch_in(|| drop(future));
    let value = value?;
    dropped.map(|()| value)
}

/// The application's error with its whole chain of causes, in its own words.
pub(crate) fn describe(error: anyhow::Error) -> String {
    catch_in(move || format!("{error:#}"))
        .unwrap_or_else(|panic| format!("an error that can't be told: {panic}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Untellable;

    impl fmt::Display for Untellable {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }

    impl fmt::Debug for Untellable {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }

    #[derive(Debug)]
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn an_error_that_does_not_tell_itself_is_told_to_be_one() {
        let told = describe(anyhow::Error::msg(Untellable));
        assert!(told.starts_with("an error that can't be told: "), "{told}");
    }

    #[test]
    fn an_error_that_panics_when_it_is_dropped_harms_nobody() {
        #[derive(Debug)]
        struct Explosive(#[expect(dead_code)] Option<Bomb>);

        impl fmt::Display for Explosive {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("boom")
            }
        }

        let told = describe(anyhow::Error::msg(Explosive(Some(Bomb))));
        assert_eq!(told, "an error that can't be told: dropped");
    }

    #[test]
    fn what_a_panic_says_may_panic() {
        let panic = catch_in(|| std::panic::panic_any(Bomb)).unwrap_err();
        assert_eq!(panic.to_string(), "without a message");
    }
}
