//! How a program's state gets loaded, and what the attribute makes of its `state` option: a loader of one form out of a
//! function of any, and a check that handlers ask for what is loaded.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use crate::blocking::spawn_blocking;
use crate::invocation::LoadedState;
use crate::params::State;

/// Loads a program's state, once.
pub(crate) type Loader =
    Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = anyhow::Result<LoadedState>> + Send>> + Send>;

pub(crate) fn loader<T, F>(load: impl FnOnce() -> F + Send + 'static) -> Loader
where
    T: Send + Sync + 'static,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    Box::new(|| {
        let state = load();
        Box::pin(async { Ok(Arc::new(state.await?) as LoadedState) })
    })
}

/// The state of a program that has none.
pub(crate) fn nothing() -> Loader {
    loader(|| ready(Ok(())))
}

/// Which type a program's state has.
#[derive(Debug)]
pub struct StateOf<T>(PhantomData<T>);

/// In the place of that type where there is no state.
#[derive(Debug)]
pub struct Nothing;

impl StateOf<Nothing> {
    /// There is none.
    #[must_use]
    pub fn nothing() -> Self {
        Self(PhantomData)
    }
}

impl<T> StateOf<T> {
    /// What this loads.
    pub fn loaded_by<F: Future<Output = anyhow::Result<T>>>(_: &impl FnOnce() -> F) -> Self {
        Self(PhantomData)
    }

    /// Makes sure that it is what a parameter wants.
    pub fn satisfies<W>(&self, _: PhantomData<W>)
    where
        Self: Holds<W>,
    {
    }
}

/// That a program's state is what a parameter wants.
#[diagnostic::on_unimplemented(
    message = "a `{W}` is not what this program loads",
    label = "not this program's state",
    note = "write `#[daemon_rpc::main(state = load)]`, where `load` is a function that returns the `T` of the handler's `State<T>`, as it is or in a `Result`"
)]
pub trait Holds<W> {}

impl<T> Holds<State<T>> for StateOf<T> {}

impl<T> Holds<Nothing> for StateOf<T> {}

/// A parameter that a handler asks for.
#[derive(Debug)]
pub struct Asked<P>(PhantomData<P>);

impl<P> Asked<P> {
    /// One of this type.
    #[must_use]
    pub fn parameter() -> Self {
        Self(PhantomData)
    }
}

impl<T> Asked<State<T>> {
    /// The state that it wants: itself.
    #[must_use]
    pub fn wants(&self) -> PhantomData<State<T>> {
        PhantomData
    }
}

/// What holds for the other parameters, whose types don't have the method above.
pub trait WantsNothing {
    /// The state that they want.
    fn wants(&self) -> PhantomData<Nothing> {
        PhantomData
    }
}

impl<P> WantsNothing for Asked<P> {}

/// Calls a function that may block, as loading does, and may do so in a runtime of its own.
///
/// # Errors
///
/// When the daemon ends before the function has begun.
pub async fn call<T: Send + 'static>(load: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    match spawn_blocking(load).await {
        Ok(returned) => Ok(returned),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(cancelled.into()),
        },
    }
}

// The compiler tries methods of `X` before those of `&X`. That is how the following tell a future from another value, and a
// `Result` from another one.

/// What returns a future…
pub trait Asynchronous {
    /// …is waited for.
    fn __daemon_rpc_when(&self) -> Later {
        Later
    }
}

impl<F: Future> Asynchronous for F {}

/// What returns anything else…
pub trait Synchronous {
    /// …has come already.
    fn __daemon_rpc_when(&self) -> Now {
        Now
    }
}

impl<T> Synchronous for &T {}

/// What returns a `Result`…
pub trait Fallible {
    /// …may have failed.
    fn __daemon_rpc_how(&self) -> OrError {
        OrError
    }
}

impl<T, E> Fallible for Result<T, E> {}

/// What returns anything else…
pub trait Infallible {
    /// …has succeeded.
    fn __daemon_rpc_how(&self) -> Always {
        Always
    }
}

impl<T> Infallible for &T {}

/// A value that a future will give.
#[derive(Debug)]
pub struct Later;

impl Later {
    /// That future.
    pub fn value<F: Future>(self, future: F) -> F {
        future
    }
}

/// A value that is there.
#[derive(Debug)]
pub struct Now;

impl Now {
    /// A future that gives it.
    pub fn value<T>(self, value: T) -> Ready<T> {
        ready(value)
    }
}

/// A `Result`.
#[derive(Debug)]
pub struct OrError;

impl OrError {
    /// With an error of the one type.
    ///
    /// # Errors
    ///
    /// The result's own.
    pub fn result<T, E: Into<anyhow::Error>>(self, result: Result<T, E>) -> anyhow::Result<T> {
        result.map_err(Into::into)
    }
}

/// A value without an error.
#[derive(Debug)]
pub struct Always;

impl Always {
    /// As a result.
    ///
    /// # Errors
    ///
    /// None.
    pub fn result<T>(self, value: T) -> anyhow::Result<T> {
        Ok(value)
    }
}
