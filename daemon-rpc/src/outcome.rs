//! How a command ends.

use crate::panic;
use crate::{CommandHandler, ExitCode, Invocation};

/// How a command ended: with an exit code, or with an error that its caller gets to read.
pub type Outcome = anyhow::Result<ExitCode>;

/// A type that a handler can return.
///
/// | return type | ends the command with |
/// | --- | --- |
/// | `()` | 0 |
/// | [`ExitCode`], `u8` | that code |
/// | `Result` of one of these with an error that converts into [`anyhow::Error`] | the same, or the error's message and 1 |
///
/// ```
/// use daemon_rpc::{ExitCode, IntoOutcome};
///
/// assert_eq!(().into_outcome().unwrap(), ExitCode::SUCCESS);
/// assert_eq!(3_u8.into_outcome().unwrap(), ExitCode::from(3));
/// assert!("seven".parse::<u8>().into_outcome().is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that a handler can return",
    label = "not a handler's return type",
    note = "a handler returns `()`, `daemon_rpc::ExitCode`, `u8`, or a `Result` of one of these with an error that converts into `anyhow::Error`"
)]
pub trait IntoOutcome {
    /// The outcome of a command whose handler returned this.
    ///
    /// # Errors
    ///
    /// The handler's own.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Ok(ExitCode::SUCCESS)
    }
}

impl IntoOutcome for ExitCode {
    fn into_outcome(self) -> Outcome {
        Ok(self)
    }
}

impl IntoOutcome for u8 {
    fn into_outcome(self) -> Outcome {
        Ok(self.into())
    }
}

impl<T: IntoOutcome, E: Into<anyhow::Error>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Outcome {
        self.map_err(Into::into)?.into_outcome()
    }
}

/// How a command ended, as its caller gets to know.
pub(crate) struct Ended {
    /// What went wrong, the whole chain of causes.
    pub(crate) error: Option<String>,
    pub(crate) code: ExitCode,
}

impl Ended {
    /// Runs the handler to its end, which may be a panic.
    pub(crate) async fn of(handler: &dyn CommandHandler, invocation: Invocation) -> Self {
        match panic::catch(|| handler.handle(invocation)).await {
            Ok(Ok(code)) => Self { error: None, code },
            Ok(Err(error)) => Self { error: Some(panic::describe(error)), code: ExitCode::FAILURE },
            Err(panic) => {
                Self { error: Some(format!("the command panicked: {panic}")), code: ExitCode::PANICKED }
            }
        }
    }
}
