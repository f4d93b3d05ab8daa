//! For the author's own tests: whole commands in the test's own process, without a daemon.
//!
//! A handler stays an ordinary function, and its parameters can be made by hand:
//!
//! ```
//! use daemon_rpc::prelude::*;
//!
//! async fn shout(text: String, mut out: Stdout) -> std::io::Result<()> {
//!     out.write_all(text.to_uppercase().as_bytes()).await
//! }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let (out, written) = Stdout::captured();
//! shout("hello".into(), out).await.unwrap();
//! assert_eq!(written.text(), "HELLO");
//! # })
//! ```
//!
//! What the framework does around it (parsing and refusing arguments, reporting errors and panics, exit codes) is tested with
//! a [`Call`].

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::client::{ClientError, into_text};
use crate::invocation::LoadedState;
use crate::needs::{EnvironmentNeed, StdinNeed};
use crate::outcome::Ended;
use crate::params::{Terminal, given};
use crate::protocol::{Command, Stream};
use crate::{CommandHandler, ExitCode, Invocation};

pub use crate::capture::Captured;

/// A command as a caller would give it.
///
/// It starts without arguments, input, environment, terminal and state, in the directory `/`. What the handler doesn't ask for
/// it doesn't get, and arguments that it doesn't take are refused.
///
/// ```
/// use daemon_rpc::handler_fn;
/// use daemon_rpc::prelude::*;
/// use daemon_rpc::testing::Call;
///
/// async fn head(args: Args, stdin: Stdin, mut out: Stdout) -> anyhow::Result<()> {
///     let count: usize = args.first().map_or(Ok(10), |count| count.to_string_lossy().parse())?;
///     let mut lines = stdin.lines();
///     for _ in 0..count {
///         let Some(line) = lines.next_line().await? else { break };
///         out.write_all(format!("{line}\n").as_bytes()).await?;
///     }
///     Ok(())
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let one = Call::new().arg("1").input("one\ntwo\n").run(handler_fn(head)).await;
/// assert_eq!((one.stdout(), u8::from(one.code)), ("one\n".into(), 0));
///
/// let wrong = Call::new().arg("x").run(handler_fn(head)).await;
/// assert_eq!(wrong.error.as_deref(), Some("invalid digit found in string"));
/// # })
/// ```
#[derive(Debug)]
pub struct Call {
    args: Vec<OsString>,
    input: Vec<u8>,
    env: Vec<(OsString, OsString)>,
    directory: PathBuf,
    terminal: Terminal,
    state: LoadedState,
    cancellation: CancellationToken,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What it wrote to standard output. The error isn't part of it.
    pub output: Vec<u8>,
    /// What it wrote to standard error. The error isn't part of it.
    pub errors: Vec<u8>,
    /// Why it failed, as its caller would read it behind the program's name.
    pub error: Option<String>,
    /// Its exit code.
    pub code: ExitCode,
}

impl Finished {
    /// Standard output as text, with a replacement for what isn't UTF-8.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// Standard error as text, with a replacement for what isn't UTF-8.
    #[must_use]
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.errors).into_owned()
    }
}

impl Default for Call {
    fn default() -> Self {
        Self {
            args: Vec::new(),
            input: Vec::new(),
            env: Vec::new(),
            directory: "/".into(),
            terminal: Terminal::none(),
            state: Arc::new(()),
            cancellation: CancellationToken::new(),
        }
    }
}

impl Call {
    /// A command with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets standard input.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets the directory that the command is called in.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Sets the terminal.
    #[must_use]
    pub fn terminal(mut self, terminal: Terminal) -> Self {
        self.terminal = terminal;
        self
    }

    /// Sets the state that handlers get as [`State`](crate::params::State).
    #[must_use]
    pub fn state(mut self, state: impl Send + Sync + 'static) -> Self {
        self.state = Arc::new(state);
        self
    }

    /// Has the handler's token cancelled with this one.
    #[must_use]
    pub fn cancelled_by(mut self, token: &CancellationToken) -> Self {
        self.cancellation = token.child_token();
        self
    }

    /// Runs the command to its end.
    pub async fn run(self, handler: impl CommandHandler) -> Finished {
        let (output, stdout) = Captured::new(Stream::Stdout);
        let command = match self.command(&handler) {
            Ok(command) => command,
            Err(refused) => return refused,
        };
        let (_resize, size) = watch::channel(command.terminal.and_then(|terminal| terminal.size));
        let invocation = Invocation {
            command,
            input: given(self.input),
            output: Arc::clone(&output) as _,
            size,
            state: self.state,
            cancellation: self.cancellation,
        };
        let Ended { error, code } = Ended::of(&handler, invocation).await;
        let errors = output.written(Stream::Stderr).clone();
        Finished { output: stdout.bytes(), errors, error, code }
    }

    /// What the client would have sent, or said itself.
    fn command(&self, handler: &impl CommandHandler) -> Result<Command, Finished> {
        let needs = handler.needs();
        if let (false, Some(argument)) = (needs.arguments, self.args.first()) {
            return Err(refused(&ClientError::argument(argument, needs)));
        }
        if let Some(check) = needs.argument_check {
            let program = [OsString::from("command")];
            let arguments: Vec<_> = program.iter().chain(&self.args).cloned().collect();
            check(&arguments).map_err(|answer| {
                let (output, errors) = match answer.stream {
                    Stream::Stdout => (answer.text.into_bytes(), Vec::new()),
                    Stream::Stderr => (Vec::new(), answer.text.into_bytes()),
                };
                Finished { output, errors, error: None, code: answer.code }
            })?;
        }
        let bytes = |text: &OsString| text.clone().into_vec().into();
        let variable = |(name, value): &(OsString, OsString)| (bytes(name), bytes(value));
        let env = self.env.iter().map(variable).collect();
        let text = match needs.stdin {
            StdinNeed::Text => Some(into_text(self.input.clone()).map_err(|error| refused(&error))?),
            StdinNeed::Nothing | StdinNeed::Bytes | StdinNeed::Streamed => None,
        };
        Ok(Command {
            text,
            bytes: (needs.stdin == StdinNeed::Bytes).then(|| self.input.clone().into()),
            args: needs.arguments.then(|| self.args.iter().map(bytes).collect()),
            env: (!matches!(needs.environment, EnvironmentNeed::Nothing)).then_some(env),
            cwd: needs.directory.then(|| bytes(&self.directory.clone().into_os_string())),
            terminal: needs.terminal.then(|| self.terminal.description()),
            log: None,
        })
    }
}

fn refused(error: &ClientError) -> Finished {
    let (output, errors) = Default::default();
    Finished { output, errors, error: Some(error.to_string()), code: error.exit_code() }
}
