//! What a handler's parameters ask of the client.

/// What the client has to collect for a command before it sends it.
///
/// Each parameter says what it needs ([`FromInvocation::NEEDS`](crate::FromInvocation::NEEDS)), and a handler needs
/// what all its parameters need together. What nobody needs is neither read nor sent.
///
/// ```
/// use daemon_rpc::{FromInvocation, Needs, params::Stdout};
///
/// const NEEDS: Needs = Needs::NOTHING.and(<String as FromInvocation>::NEEDS).and(Stdout::NEEDS);
/// assert_eq!(NEEDS, Needs::TEXT);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub(crate) stdin: StdinNeed,
    pub(crate) arguments: bool,
    pub(crate) environment: bool,
    pub(crate) directory: bool,
}

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
}

impl Needs {
    /// Nothing: the client doesn't even look at its standard input.
    pub const NOTHING: Self =
        Self { stdin: StdinNeed::Nothing, arguments: false, environment: false, directory: false };

    /// All of standard input, which must be UTF-8.
    pub const TEXT: Self = Self { stdin: StdinNeed::Text, ..Self::NOTHING };

    /// All of standard input, whatever it is.
    pub const BYTES: Self = Self { stdin: StdinNeed::Bytes, ..Self::NOTHING };

    /// The arguments after the program's name. Without this need, arguments are refused.
    pub const ARGUMENTS: Self = Self { arguments: true, ..Self::NOTHING };

    /// The caller's environment.
    pub const ENVIRONMENT: Self = Self { environment: true, ..Self::NOTHING };

    /// The directory that the caller is in.
    pub const DIRECTORY: Self = Self { directory: true, ..Self::NOTHING };

    /// What either of the two needs.
    ///
    /// # Panics
    ///
    /// If both need standard input, which can be had only once. In a constant that is an error at compile time.
    #[must_use]
    #[expect(clippy::panic, reason = "it is how a constant says at compile time what is wrong")]
    pub const fn and(self, other: Self) -> Self {
        let stdin = match (self.stdin, other.stdin) {
            (StdinNeed::Nothing, stdin) | (stdin, StdinNeed::Nothing) => stdin,
            _ => panic!(
                "only one of a handler's parameters can take standard input: keep one of `String` and `Bytes`"
            ),
        };
        Self {
            stdin,
            arguments: self.arguments | other.arguments,
            environment: self.environment | other.environment,
            directory: self.directory | other.directory,
        }
    }

    /// Whether anything is needed that isn't input.
    pub(crate) fn surroundings(self) -> bool {
        self.arguments || self.environment || self.directory
    }
}
