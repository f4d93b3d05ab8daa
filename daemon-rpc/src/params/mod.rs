//! What a handler can ask for, one file each.

mod args;
mod bytes;
mod cancellation;
#[cfg(feature = "clap")]
mod cli;
mod cwd;
mod env;
mod output;
#[cfg(feature = "indicatif")]
mod progress;
mod state;
mod stderr;
mod stdin;
mod stdout;
mod terminal;
mod text;

pub use ::bytes::Bytes;
pub use args::Args;
#[cfg(feature = "clap")]
pub use cli::Cli;
pub use cwd::Cwd;
pub use env::Env;
pub use state::State;
pub use stderr::Stderr;
pub use stdin::Stdin;
pub(crate) use stdin::given;
pub use stdout::Stdout;
pub use terminal::Terminal;
pub use tokio_util::sync::CancellationToken;
