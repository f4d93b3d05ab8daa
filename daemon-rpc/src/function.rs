//! Functions as handlers, without the attribute.

use std::fmt;
use std::marker::PhantomData;

use async_trait::async_trait;

use crate::{CommandHandler, FromInvocation, IntoOutcome, Invocation, Needs, Outcome};

/// Makes a handler of an async function whose parameters are [`FromInvocation`], at most twelve of them.
///
/// For programs that are put together by hand, and for tests:
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use daemon_rpc::prelude::*;
/// use daemon_rpc::{App, build, handler_fn};
///
/// async fn shout(text: String, mut out: Stdout) -> std::io::Result<()> {
///     out.write_all(text.to_uppercase().as_bytes()).await
/// }
///
/// fn main() -> ExitCode {
///     App::new(build!()).run(handler_fn(shout))
/// }
/// ```
pub fn handler_fn<P: 'static, F: HandlerFn<P>>(function: F) -> impl CommandHandler {
    Function { function, parameters: PhantomData::<fn(P)> }
}

/// An async function that can be a handler; see [`handler_fn`]. `P` are its parameters.
pub trait HandlerFn<P>: Send + Sync + 'static {
    /// What all its parameters need.
    const NEEDS: Needs;

    /// Runs one command.
    fn call(&self, invocation: Invocation) -> impl Future<Output = Outcome> + Send;
}

struct Function<P, F> {
    function: F,
    parameters: PhantomData<fn(P)>,
}

#[async_trait]
impl<P: 'static, F: HandlerFn<P>> CommandHandler for Function<P, F> {
    fn needs(&self) -> Needs {
        F::NEEDS
    }

    async fn handle(&self, invocation: Invocation) -> Outcome {
        self.function.call(invocation).await
    }
}

impl<P, F> fmt::Debug for Function<P, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Function").finish_non_exhaustive()
    }
}

macro_rules! handler_function {
    ($($parameter:ident)*) => {
        impl<$($parameter,)* F, R> HandlerFn<($($parameter,)*)> for F
        where
            $($parameter: FromInvocation + Send,)*
            F: Fn($($parameter),*) -> R + Send + Sync + 'static,
            R: Future + Send,
            R::Output: IntoOutcome,
        {
            const NEEDS: Needs = Needs::NOTHING$(.and($parameter::NEEDS))*;

            #[allow(unused_mut, unused_variables, non_snake_case)]
            async fn call(&self, mut invocation: Invocation) -> Outcome {
                $(let $parameter = $parameter::from_invocation(&mut invocation)?;)*
                self($($parameter),*).await.into_outcome()
            }
        }
    };
}

/// One for each number of parameters.
macro_rules! handler_functions {
    ($first:ident $($rest:ident)*) => {
        handler_function!($first $($rest)*);
        handler_functions!($($rest)*);
    };
    () => {
        handler_function!();
    };
}

handler_functions!(A B C D E G H I J K L M);
