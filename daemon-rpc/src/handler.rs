//! The seam between an application and the framework.

use async_trait::async_trait;

use crate::{Invocation, Needs, Outcome};

/// Something that runs commands. [`main`](macro@crate::main) implements it for the function it stands on.
///
/// ```
/// use daemon_rpc::prelude::*;
/// use daemon_rpc::{CommandHandler, FromInvocation, Invocation, IntoOutcome, Needs, Outcome, async_trait};
///
/// struct Shout;
///
/// #[async_trait]
/// impl CommandHandler for Shout {
///     fn needs(&self) -> Needs {
///         <String as FromInvocation>::NEEDS.and(Stdout::NEEDS)
///     }
///
///     async fn handle(&self, mut invocation: Invocation) -> Outcome {
///         let text = String::from_invocation(&mut invocation)?;
///         let mut out = Stdout::from_invocation(&mut invocation)?;
///         out.write_all(text.to_uppercase().as_bytes()).await?;
///         ().into_outcome()
///     }
/// }
/// ```
/// [`handler_fn`](crate::handler_fn) makes the same of the function itself.
#[async_trait]
pub trait CommandHandler: Send + Sync + 'static {
    /// What the client has to collect for each command.
    fn needs(&self) -> Needs;

    /// Runs one command. Many run at once, each with its own invocation.
    ///
    /// # Errors
    ///
    /// The command's failure: its message goes to the caller with the whole chain of causes, and the command ends with
    /// [`ExitCode::FAILURE`](crate::ExitCode::FAILURE).
    async fn handle(&self, invocation: Invocation) -> Outcome;
}

/// The future itself, once the compiler has made sure that it can move between threads.
///
/// Handlers do, so they keep nothing across an `.await` that is not [`Send`]. [`main`](macro@crate::main) passes each
/// handler through here so that an error about it is said in one place, with the reason.
pub fn on_any_thread<F>(handler: F) -> F
where
    F: Future + Send, // handlers move between threads: keep no `Rc` or lock guard across an `.await`
{
    handler
}

/// A type that a handler can have as a parameter.
///
/// These exist:
///
/// | parameter | gives |
/// | --- | --- |
/// | [`String`] | all of standard input, as text |
/// | [`Bytes`](crate::params::Bytes) | all of standard input, raw |
/// | [`Stdin`](crate::params::Stdin) | standard input as it comes |
/// | [`Args`](crate::params::Args) | the arguments after the program's name |
/// | `Cli<T>` | the arguments, parsed with clap (feature `clap`) |
/// | [`Env`](crate::params::Env) | the caller's environment |
/// | [`Cwd`](crate::params::Cwd) | the caller's directory |
/// | [`Terminal`](crate::params::Terminal) | which of the caller's streams are terminals, its size, its colours |
/// | [`Stdout`](crate::params::Stdout) | the caller's standard output |
/// | [`Stderr`](crate::params::Stderr) | the caller's standard error |
/// | [`CancellationToken`](crate::params::CancellationToken) | cancelled when the caller goes away or the daemon must end |
/// | [`State<T>`](crate::params::State) | what the program has loaded, shared by all commands |
///
/// Each stands for one thing of the command and can be there once; of those that take standard input only one can.
///
/// An application's own parameter takes what it needs from others:
///
/// ```
/// use daemon_rpc::{FromInvocation, Invocation, Needs};
///
/// struct Words(Vec<String>);
///
/// impl FromInvocation for Words {
///     const NEEDS: Needs = <String as FromInvocation>::NEEDS;
///
///     fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
///         let text = String::from_invocation(invocation)?;
///         Ok(Self(text.split_whitespace().map(str::to_owned).collect()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that a handler can ask for",
    label = "not a handler's parameter",
    note = "a handler's parameters are `String`, `Bytes`, `Stdin`, `Args`, `Cli<T>`, `Env`, `Cwd`, `Terminal`, `Stdout`, `Stderr`, `CancellationToken`, `State<T>`, and types that implement `FromInvocation`"
)]
pub trait FromInvocation: Sized {
    /// What the client has to collect for this parameter.
    const NEEDS: Needs;

    /// Takes the parameter from the command.
    ///
    /// # Errors
    ///
    /// When the command doesn't have it. The handler doesn't run then, and the command ends with this error as if the
    /// handler had returned it.
    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self>;
}
