//! All that a typical program uses.
//!
//! ```
//! use daemon_rpc::prelude::*;
//! ```

pub use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufWriter};
pub use tokio_util::io::SyncIoBridge;

pub use crate::ExitCode;
pub use crate::blocking::spawn_blocking;
#[cfg(feature = "clap")]
pub use crate::params::Cli;
pub use crate::params::{Args, Bytes, CancellationToken, Cwd, Env, State, Stderr, Stdin, Stdout, Terminal};
