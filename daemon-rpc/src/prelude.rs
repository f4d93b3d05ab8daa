//! All that a typical program uses.
//!
//! ```
//! use daemon_rpc::prelude::*;
//! ```

pub use tokio::io::AsyncWriteExt;

pub use crate::ExitCode;
pub use crate::params::{Args, Bytes, CancellationToken, Cwd, Env, Stdout};
