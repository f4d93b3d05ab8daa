//! Exit codes: the handler's own, and those that the framework gives.

/// The exit code of a command.
///
/// Unlike [`std::process::ExitCode`] it can be read, since it travels from the daemon to the client.
///
/// ```
/// use daemon_rpc::ExitCode;
///
/// assert_eq!(ExitCode::SUCCESS, ExitCode::from(0));
/// assert_eq!(u8::from(ExitCode::FAILURE), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExitCode(u8);

impl ExitCode {
    /// 0: the command did what it was asked.
    pub const SUCCESS: Self = Self(0);
    /// 1: the handler returned an error.
    pub const FAILURE: Self = Self(1);
    /// 3: there is no daemon (`--daemon-status`).
    pub const NOT_RUNNING: Self = Self(3);
    /// 64: an argument that the command doesn't take.
    pub const USAGE: Self = Self(64);
    /// 65: the input is not UTF-8, or too long.
    pub const BAD_INPUT: Self = Self(65);
    /// 69: no daemon could be started or reached, or the application's state not loaded.
    pub const UNAVAILABLE: Self = Self(69);
    /// 70: the daemon died while it ran the command.
    pub const DAEMON_DIED: Self = Self(70);
    /// 74: standard input couldn't be read, or standard output or standard error not written.
    pub const STREAM_FAILED: Self = Self(74);
    /// 76: what listens on the socket doesn't speak this protocol.
    pub const PROTOCOL: Self = Self(76);
    /// 77: the socket, a file or the directory belongs to someone else.
    pub const NOT_OURS: Self = Self(77);
    /// 78: an id, a directory or a path that can't be used, or a working directory that has been deleted.
    pub const CONFIGURATION: Self = Self(78);
    /// 101: the handler panicked.
    pub const PANICKED: Self = Self(101);
}

impl From<u8> for ExitCode {
    fn from(code: u8) -> Self {
        Self(code)
    }
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> Self {
        code.0
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.0)
    }
}
