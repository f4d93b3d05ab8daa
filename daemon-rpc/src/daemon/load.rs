//! Loading the application's state, while the daemon answers already.

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::debug;

use super::command::truncated;
use crate::invocation::LoadedState;
use crate::panic;
use crate::state::Loader;

/// What has become of the application's state.
#[derive(Debug)]
pub(super) enum State {
    Loading,
    Loaded(LoadedState),
    /// Why not, the whole chain of causes.
    Failed(String),
}

/// Starts to load where handlers run.
pub(super) fn start(load: Loader, handlers: &Handle) -> watch::Receiver<State> {
    let (sender, receiver) = watch::channel(State::Loading);
    handlers.spawn(async move {
        let loaded = match panic::catch(load).await {
            Ok(Ok(state)) => {
                debug!("the state is loaded");
                State::Loaded(state)
            }
            Ok(Err(error)) => State::Failed(truncated(panic::describe(error))),
            Err(panic) => State::Failed(truncated(format!("loading panicked: {panic}"))),
        };
        sender.send_replace(loaded);
    });
    receiver
}
