//! What a daemon tells of itself to whoever asks, of whatever build he is.

use serde::{Deserialize, Serialize};

/// What is asked. Its layout is frozen, but for keys that may be added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusRequest {
    /// To be answered when the application's state has been loaded, rather than at once.
    #[serde(default)]
    pub(crate) when_loaded: bool,
}

/// The answer. Its layout is frozen, but for keys that may be added: each may be absent, and those that a reader doesn't know are
/// nothing to him.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StatusReply {
    pub(crate) pid: u32,
    pub(crate) build: String,
    pub(crate) uptime_ms: u64,
    /// The application's state has been loaded.
    pub(crate) loaded: bool,
    pub(crate) running: u64,
    pub(crate) waiting: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    /// Resident, in bytes; absent where the system doesn't tell.
    pub(crate) memory: Option<u64>,
    /// How long until it retires, unless somebody calls; absent while it has commands.
    pub(crate) idle_left_ms: Option<u64>,
    /// Its log; absent where it writes to its supervisor's.
    pub(crate) log: Option<String>,
}
