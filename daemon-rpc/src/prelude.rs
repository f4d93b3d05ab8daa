//! All that a typical program uses.
//!
//! ```
//! use daemon_rpc::prelude::*;
//! ```

pub use tokio::io::AsyncWriteExt;
pub use tokio::task::spawn_blocking;
pub use tokio_util::io::SyncIoBridge;

pub use crate::ExitCode;
pub use crate::params::{Args, Bytes, CancellationToken, Cwd, Env, Stderr, Stdout};
