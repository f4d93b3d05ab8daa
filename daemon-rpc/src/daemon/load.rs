//! Loading the application's state, while the daemon answers already.

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::debug;

use super::command::truncated;
use crate::invocation::LoadedState;
use crate::panic;
use crate::state::Loader;

/// How far the loading of the application's state is.
#[derive(Debug)]
pub(super) enum Load {
    Running,
    Done(LoadedState),
    /// Why not, the whole chain of causes.
    Failed(String),
}

/// Starts to load where handlers run.
pub(super) fn start(load: Loader, handlers: &Handle) -> watch::Receiver<Load> {
    let (sender, receiver) = watch::channel(Load::Running);
    handlers.spawn(async move {
        let loaded = match panic::catch(load).await {
            Ok(Ok(state)) => {
                debug!("the state is loaded");
                Load::Done(state)
            }
            Ok(Err(error)) => Load::Failed(truncated(panic::describe(error))),
            Err(panic) => Load::Failed(truncated(format!("loading panicked: {panic}"))),
        };
        sender.send_replace(loaded);
    });
    receiver
}
