//! The attribute of the `daemon-rpc` crate, which re-exports it and documents it in full.

mod expand;
mod handler;
mod options;
mod quantity;
mod timestamp;

use proc_macro::TokenStream;

/// Makes an async function the handler of a program that is client and daemon in one.
///
/// ```no_run
/// use daemon_rpc::prelude::*;
///
/// #[daemon_rpc::main]
/// async fn shout(text: String, mut out: Stdout) -> anyhow::Result<()> {
///     out.write_all(text.to_uppercase().as_bytes()).await?;
///     Ok(())
/// }
/// ```
///
/// The function may have any name, `main` included. Its parameters say what it needs: each is a type that implements
/// `FromInvocation`. It returns what implements `IntoOutcome`. The attribute adds a `main` function; the function itself
/// stays as it is.
///
/// # Options
///
/// Durations are written as `"500ms"`, `"90s"`, `"5min"`, `"2h"` or `"1d"`, sizes as `"64KiB"`, `"16MiB"`, `"1GiB"` or a number
/// of bytes. Both are checked at compile time.
///
/// | option | what it is | default |
/// | --- | --- | --- |
/// | `id` | the daemon's name: a string, or an expression that gives one, evaluated for each call in the client, so that there can be a daemon for each project directory | `{binary name}-{uid}` |
/// | `state` | the function that loads what all commands share, for the parameter `State`; it may be async, and may return a `Result` | none |
/// | `idle_timeout` | how long the daemon waits without a connection before it retires | `"1h"` |
/// | `grace_period` | how long a handler may go on after its token was cancelled | `"5s"` |
/// | `handshake_timeout` | how long a daemon that doesn't answer is waited for | `"5s"` |
/// | `max_command` | how long the input of a command may be, at most 1 GiB; the client refuses longer input with exit code 65 | `"16MiB"` |
/// | `max_concurrent` | how many commands run at once; further ones wait their turn | `64` |
/// | `chunk_size` | the most output that travels as one message, at most 1 MiB | `"64KiB"` |
/// | `errors` | where the handler's error is told: `"stdout"` or `"stderr"` | `"stdout"` |
/// | `worker_threads` | how many threads run handlers; with 1, they are all on one thread. Otherwise up to as many more begin commands: a handler stays there until it first waits | one for each processor |
/// | `subcommand` | a first argument that looks after the daemon, as in `tool daemon status`, beside the flags that every program has | none |
#[proc_macro_attribute]
pub fn main(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::main(options.into(), function.into()).into()
}

/// The `Build` of the program that is being compiled: its name, and the moment of this expansion.
///
/// The moment is new whenever the crate or one of its dependencies was compiled anew. `DAEMON_RPC_BUILD_TIMESTAMP` (from
/// a build script's `cargo::rustc-env`) or else `SOURCE_DATE_EPOCH` take its place where they are set.
#[proc_macro]
pub fn build(input: TokenStream) -> TokenStream {
    timestamp::build(&input.into()).into()
}
