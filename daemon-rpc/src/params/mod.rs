//! What a handler can ask for, one file each.

mod args;
mod bytes;
mod cancellation;
mod cwd;
mod env;
mod output;
mod stderr;
mod stdout;
mod text;

pub use ::bytes::Bytes;
pub use args::Args;
pub use cwd::Cwd;
pub use env::Env;
pub use stderr::Stderr;
pub use stdout::Stdout;
pub use tokio_util::sync::CancellationToken;
