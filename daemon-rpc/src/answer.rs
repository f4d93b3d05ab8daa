//! What a client answers by itself.

use crate::ExitCode;
use crate::protocol::Stream;

/// What the client says without any daemon: help, or what is wrong with the arguments.
///
/// ```
/// use std::ffi::OsString;
///
/// use daemon_rpc::params::Env;
/// use daemon_rpc::{Answer, Needs};
///
/// fn check(arguments: &[OsString], _: &Env) -> Result<(), Answer> {
///     match arguments.get(1).map(|argument| argument.as_encoded_bytes()) {
///         Some(b"--help") => Err(Answer::help("usage: count [WORD]...\n")),
///         Some(b"--version") => Err(Answer::help(concat!(env!("CARGO_PKG_VERSION"), "\n"))),
///         Some([b'-', ..]) => Err(Answer::usage_error("count: there are no options; try --help\n")),
///         _ => Ok(()),
///     }
/// }
///
/// const NEEDS: Needs = Needs::checked_arguments(check);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(crate) text: String,
    pub(crate) colored: Option<String>,
    pub(crate) stream: Stream,
    pub(crate) code: ExitCode,
}

impl Answer {
    /// What the caller asked for: to standard output, with exit code 0.
    pub fn help(text: impl Into<String>) -> Self {
        Self { text: text.into(), colored: None, stream: Stream::Stdout, code: ExitCode::SUCCESS }
    }

    /// What is wrong: to standard error, with exit code 64 unless [`code`](Self::code) says otherwise.
    pub fn usage_error(text: impl Into<String>) -> Self {
        Self { text: text.into(), colored: None, stream: Stream::Stderr, code: ExitCode::USAGE }
    }

    /// The same text with escape sequences, for where the stream takes colours.
    #[must_use]
    pub fn colored(mut self, text: impl Into<String>) -> Self {
        self.colored = Some(text.into());
        self
    }

    /// The exit code.
    #[must_use]
    pub fn code(mut self, code: ExitCode) -> Self {
        self.code = code;
        self
    }
}
