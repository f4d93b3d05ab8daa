//! The attribute of the `daemon-rpc` crate, which re-exports it and documents it in full.

mod expand;
mod handler;
mod options;
mod size;
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
/// - `id = …`: the daemon's id, a string or an expression that gives one. The default is `{binary name}-{uid}`. The
///   expression is evaluated for each call, in the client, so that there can be a daemon for each project directory.
/// - `max_command = …`: how long the input of a command may be, such as `"64KiB"`, `"16MiB"` (the default) or a number of
///   bytes, at most 1 GiB. The client refuses longer input with exit code 65.
/// - `errors = …`: where the handler's error is told, `"stdout"` (the default) or `"stderr"`.
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
