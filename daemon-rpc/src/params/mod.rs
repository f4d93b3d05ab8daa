//! What a handler can ask for, one file each.

mod cancellation;
mod stdout;
mod text;

pub use stdout::Stdout;
pub use tokio_util::sync::CancellationToken;
