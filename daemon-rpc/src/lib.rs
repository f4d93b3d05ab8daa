#![doc = include_str!("lib.md")]

mod app;
mod client;
mod daemon;
mod deadline;
mod exit;
mod handler;
mod instance;
mod invocation;
mod limits;
mod needs;
mod outcome;
pub mod params;
pub mod prelude;
mod protocol;
mod role;
mod settings;
mod sys;
mod version;

pub use app::App;
pub use async_trait::async_trait;
pub use daemon_rpc_macros::{build, main};
pub use exit::ExitCode;
pub use handler::{CommandHandler, FromInvocation, on_any_thread};
pub use instance::check_id;
pub use invocation::Invocation;
pub use needs::Needs;
pub use outcome::{IntoOutcome, Outcome};
pub use settings::Errors;
pub use version::Build;

#[cfg(not(unix))]
compile_error!("daemon-rpc needs Unix sockets and signals: it builds on Linux and macOS");
