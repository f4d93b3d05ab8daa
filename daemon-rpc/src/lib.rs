#![doc = include_str!("lib.md")]

mod answer;
mod app;
#[cfg(feature = "benchmarks")]
#[doc(hidden)]
pub mod benchmarks;
mod blocking;
mod capture;
mod client;
pub mod control;
mod daemon;
mod deadline;
mod exit;
#[doc(hidden)]
pub mod fault;
mod function;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod handler;
mod inline;
mod instance;
mod invocation;
mod limits;
mod needs;
mod outcome;
mod panic;
pub mod params;
pub mod prelude;
mod protocol;
mod retry;
mod role;
mod settings;
#[doc(hidden)]
pub mod state;
mod sys;
mod terminal;
pub mod testing;
mod version;

pub use answer::Answer;
pub use app::App;
pub use async_trait::async_trait;
pub use daemon_rpc_macros::{build, main};
pub use exit::ExitCode;
pub use function::{HandlerFn, handler_fn};
pub use handler::{CommandHandler, FromInvocation, on_any_thread};
pub use instance::check_id;
pub use invocation::Invocation;
pub use needs::{ArgumentCheck, Needs};
pub use outcome::{IntoOutcome, Outcome};
pub use settings::Errors;
pub use terminal::{ColorSupport, TerminalSize};
pub use version::Build;

/// Says what is logged: `info` (the default), `debug`, `my_crate=trace`, or several with commas between them. The daemon reads it
/// when it starts; with feature `forward-logs`, a client has the daemon send it what its own command logs.
const LOG_VARIABLE: &str = "DAEMON_RPC_LOG";

#[cfg(not(unix))]
compile_error!("daemon-rpc needs Unix sockets and signals: it builds on Linux and macOS");
