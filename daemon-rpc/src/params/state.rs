//! `State`: what the application has loaded.

use std::any::type_name;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use anyhow::Context as _;

use crate::{FromInvocation, Invocation, Needs};

/// What the program's `state` loaded: once in the daemon, for all commands.
///
/// It is the `T` itself, shared. What handlers change has to say how: a lock, an atomic, a concurrent map. The daemon answers
/// while it is loaded, and commands wait. Where loading fails, each of them ends with the error and exit code 69. It is dropped
/// when the daemon retires, after the last command.
///
/// ```no_run
/// use std::collections::HashSet;
/// use std::path::Path;
///
/// use daemon_rpc::prelude::*;
///
/// struct Dictionary(HashSet<String>);
///
/// /// May be async, and may return a `Result`.
/// fn load() -> std::io::Result<Dictionary> {
///     let words = std::fs::read_to_string("/usr/share/dict/words")?;
///     Ok(Dictionary(words.lines().map(str::to_owned).collect()))
/// }
///
/// #[daemon_rpc::main(state = load)]
/// async fn spell(text: String, dictionary: State<Dictionary>, mut out: Stdout) -> std::io::Result<()> {
///     for word in text.split_whitespace().filter(|word| !dictionary.0.contains(*word)) {
///         out.write_all(format!("{word}\n").as_bytes()).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// In the author's own tests it is made from a value:
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use daemon_rpc::prelude::*;
///
/// async fn count(calls: State<AtomicU32>, mut out: Stdout) -> std::io::Result<()> {
///     let before = calls.fetch_add(1, Ordering::Relaxed);
///     out.write_all(format!("{}\n", before + 1).as_bytes()).await
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let calls = State::from(AtomicU32::new(0));
/// let (out, written) = Stdout::captured();
/// count(calls.clone(), out).await.unwrap();
/// assert_eq!(written.text(), "1\n");
/// assert_eq!(calls.load(Ordering::Relaxed), 1);
/// # })
/// ```
pub struct State<T>(Arc<T>);

impl<T: Send + Sync + 'static> FromInvocation for State<T> {
    const NEEDS: Needs = Needs::NOTHING;

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        let state = Arc::clone(&invocation.state).downcast();
        state
            .ok()
            .map(Self)
            .with_context(|| format!("this program has no state of type {}", type_name::<T>()))
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for State<T> {
    fn from(state: T) -> Self {
        Self(Arc::new(state))
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("State").field(&self.0).finish()
    }
}
