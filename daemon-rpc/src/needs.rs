//! What a handler's parameters ask of the client.

use std::ffi::OsString;

use crate::Answer;
use crate::params::Env;

/// What the client has to collect for a command before it sends it.
///
/// Each parameter says what it needs ([`FromInvocation::NEEDS`](crate::FromInvocation::NEEDS)), and a handler needs
/// what all its parameters need together. What nobody needs is neither read nor sent.
///
/// ```
/// use daemon_rpc::{FromInvocation, Needs, params::Stdout};
///
/// const NEEDS: Needs = Needs::NOTHING.and(<String as FromInvocation>::NEEDS).and(Stdout::NEEDS);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    pub(crate) stdin: StdinNeed,
    pub(crate) arguments: bool,
    pub(crate) argument_check: Option<ArgumentCheck>,
    pub(crate) environment: EnvironmentNeed,
    pub(crate) directory: bool,
    pub(crate) terminal: bool,
}

/// Looks at the arguments in the client, the program's name first, and at what else is needed of the environment. An answer
/// ends the command there.
pub type ArgumentCheck = fn(&[OsString], &Env) -> Result<(), Answer>;

/// How a handler wants standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StdinNeed {
    /// Untouched.
    #[default]
    Nothing,
    /// Read to its end, as UTF-8.
    Text,
    /// Read to its end, as it is.
    Bytes,
    /// Read while the handler does.
    Streamed,
}

/// How much of the environment a handler wants.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum EnvironmentNeed {
    #[default]
    Nothing,
    /// The variables of these names.
    Named(fn() -> Vec<OsString>),
    All,
}

impl Needs {
    /// Nothing: the client doesn't even look at its standard input.
    pub const NOTHING: Self = Self {
        stdin: StdinNeed::Nothing,
        arguments: false,
        argument_check: None,
        environment: EnvironmentNeed::Nothing,
        directory: false,
        terminal: false,
    };

    /// All of standard input, which must be UTF-8.
    pub const TEXT: Self = Self { stdin: StdinNeed::Text, ..Self::NOTHING };

    /// All of standard input, whatever it is.
    pub const BYTES: Self = Self { stdin: StdinNeed::Bytes, ..Self::NOTHING };

    /// Standard input as it comes, and only once the handler reads it.
    pub const STREAMED_INPUT: Self = Self { stdin: StdinNeed::Streamed, ..Self::NOTHING };

    /// The arguments after the program's name. Without this need, arguments are refused.
    pub const ARGUMENTS: Self = Self { arguments: true, ..Self::NOTHING };

    /// The caller's environment.
    pub const ENVIRONMENT: Self = Self { environment: EnvironmentNeed::All, ..Self::NOTHING };

    /// The directory that the caller is in.
    pub const DIRECTORY: Self = Self { directory: true, ..Self::NOTHING };

    /// What the caller's standard streams are connected to, now and when the terminal's size changes.
    pub const TERMINAL: Self = Self { terminal: true, ..Self::NOTHING };

    /// The arguments, once this check has found nothing to answer.
    ///
    /// It runs in the client and before anything else does, so that help and complaints about arguments start no daemon.
    #[must_use]
    pub const fn checked_arguments(check: ArgumentCheck) -> Self {
        Self { arguments: true, argument_check: Some(check), ..Self::NOTHING }
    }

    /// The caller's environment, but of it only the variables that `names` gives, as far as they are set.
    #[must_use]
    pub const fn variables(names: fn() -> Vec<OsString>) -> Self {
        Self { environment: EnvironmentNeed::Named(names), ..Self::NOTHING }
    }

    /// What either of the two needs.
    ///
    /// # Panics
    ///
    /// If both need standard input, which can be had only once, or both name variables or check arguments. In a constant
    /// that is an error at compile time.
    #[must_use]
    #[expect(clippy::panic, reason = "it is how a constant says at compile time what is wrong")]
    pub const fn and(self, other: Self) -> Self {
        let stdin = match (self.stdin, other.stdin) {
            (StdinNeed::Nothing, stdin) | (stdin, StdinNeed::Nothing) => stdin,
            _ => panic!(
                "only one of a handler's parameters can take standard input: keep one of `String`, `Bytes` and `Stdin`"
            ),
        };
        let argument_check = match (self.argument_check, other.argument_check) {
            (None, check) | (check, None) => check,
            _ => panic!("only one of a handler's parameters can check the arguments: keep one `Cli`"),
        };
        let environment = match (self.environment, other.environment) {
            (EnvironmentNeed::Nothing, environment) | (environment, EnvironmentNeed::Nothing) => environment,
            (EnvironmentNeed::All, _) | (_, EnvironmentNeed::All) => EnvironmentNeed::All,
            _ => panic!("only one of a handler's parameters can name variables: let one of them ask for all"),
        };
        Self {
            stdin,
            arguments: self.arguments | other.arguments,
            argument_check,
            environment,
            directory: self.directory | other.directory,
            terminal: self.terminal | other.terminal,
        }
    }

    /// Whether anything is sent that isn't input, and may be long.
    pub(crate) fn surroundings(self) -> bool {
        let environment = !matches!(self.environment, EnvironmentNeed::Nothing);
        self.arguments || self.directory || environment || cfg!(feature = "forward-logs")
    }
}
