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
/// assert_eq!((one.stdout_text(), u8::from(one.code)), ("one\n".into(), 0));
///
/// let wrong = Call::new().arg("x").run(handler_fn(head)).await;
/// assert_eq!(wrong.failure.as_deref(), Some("invalid digit found in string"));
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

/// How the program is called.
const PROGRAM: &str = "command";

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What was written to standard output, without the failure.
    pub stdout: Vec<u8>,
    /// What was written to standard error, without the failure.
    pub stderr: Vec<u8>,
    /// Why the command failed, as its caller reads it behind the program's name on the stream that `errors` names.
    pub failure: Option<String>,
    /// The exit code.
    pub code: ExitCode,
}

impl Finished {
    /// Standard output as text, with a replacement for what isn't UTF-8.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text, with a replacement for what isn't UTF-8.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
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
        let command = match self.command(&handler) {
            Ok(command) => command,
            Err(refused) => return refused,
        };
        let (output, _) = Captured::new(Stream::Stdout);
        let invocation = Invocation {
            command,
            input: given(self.input),
            output: Arc::clone(&output) as _,
            size: self.terminal.follow(),
            state: self.state,
            cancellation: self.cancellation,
        };
        let Ended { error, code } = Ended::of(&handler, invocation).await;
        let written = |stream| output.written(stream).clone();
        Finished { stdout: written(Stream::Stdout), stderr: written(Stream::Stderr), failure: error, code }
    }

    /// What the client would have sent, or said itself.
    fn command(&self, handler: &impl CommandHandler) -> Result<Command, Finished> {
        let needs = handler.needs();
        if let (false, Some(argument)) = (needs.arguments, self.args.first()) {
            return Err(refused(&ClientError::argument(argument, needs)));
        }
        if let Some(check) = needs.argument_check {
            let program = [OsString::from(PROGRAM)];
            let arguments: Vec<_> = program.iter().chain(&self.args).cloned().collect();
            let env = self.env.iter().cloned().collect();
            check(&arguments, &env).map_err(|answer| {
                let (stdout, stderr) = match answer.stream {
                    Stream::Stdout => (answer.text.into_bytes(), Vec::new()),
                    Stream::Stderr => (Vec::new(), answer.text.into_bytes()),
                };
                Finished { stdout, stderr, failure: None, code: answer.code }
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
            program: needs.argument_check.map(|_| PROGRAM.into()),
            args: needs.arguments.then(|| self.args.iter().map(bytes).collect()),
            env: (!matches!(needs.environment, EnvironmentNeed::Nothing)).then_some(env),
            cwd: needs.directory.then(|| bytes(&self.directory.clone().into_os_string())),
            terminal: needs.terminal.then(|| self.terminal.description()),
            log: None,
        })
    }
}

fn refused(error: &ClientError) -> Finished {
    let (stdout, stderr) = Default::default();
    Finished { stdout, stderr, failure: Some(error.to_string()), code: error.exit_code() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler_fn;
    use crate::prelude::*;

    #[tokio::test]
    async fn what_a_handler_does_not_take_is_refused() {
        async fn nothing() {}
        let finished = Call::new().arg("x").run(handler_fn(nothing)).await;
        assert_eq!(finished.failure.unwrap(), "unexpected argument \"x\": this command takes no arguments");
        assert_eq!(finished.code, ExitCode::USAGE);

        async fn text(_: String) {}
        let finished = Call::new().input(b"\xff").run(handler_fn(text)).await;
        assert!(finished.failure.unwrap().starts_with("standard input is not UTF-8"));
        assert_eq!(finished.code, ExitCode::BAD_INPUT);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        async fn panics() {
            panic!("at the disco");
        }
        let finished = Call::new().run(handler_fn(panics)).await;
        assert_eq!(finished.failure.unwrap(), "the command panicked: at the disco");
        assert_eq!(finished.code, ExitCode::PANICKED);
    }

    #[tokio::test]
    async fn the_caller_is_as_it_was_made() {
        async fn all(
            cwd: Cwd,
            env: Env,
            terminal: Terminal,
            state: State<u8>,
            mut err: Stderr,
        ) -> anyhow::Result<u8> {
            let name = env.get("NAME").map(|name| name.to_string_lossy().into_owned());
            let told = format!("{} {name:?} {:?}", cwd.display(), terminal.size());
            err.write_all(told.as_bytes()).await?;
            Ok(*state)
        }
        let call = Call::new()
            .directory("/somewhere")
            .env("NAME", "value")
            .terminal(Terminal::of_size(7, 2))
            .state(3_u8);
        let finished = call.run(handler_fn(all)).await;
        assert_eq!(
            finished.stderr_text(),
            "/somewhere Some(\"value\") Some(TerminalSize { columns: 7, rows: 2 })"
        );
        assert_eq!((finished.failure, u8::from(finished.code)), (None, 3));
    }

    #[tokio::test]
    async fn a_call_can_be_cancelled_and_its_terminal_resized() {
        async fn follow(
            mut terminal: Terminal,
            cancel: CancellationToken,
            mut out: Stdout,
        ) -> std::io::Result<()> {
            let size = terminal.resized().await.unwrap();
            out.write_all(format!("{}", size.columns).as_bytes()).await?;
            cancel.cancelled().await;
            out.write_all(b" cancelled").await
        }
        let (terminal, resize) = Terminal::resizable(80, 24);
        let token = CancellationToken::new();
        let call = Call::new().terminal(terminal).cancelled_by(&token);
        let finished = tokio::spawn(call.run(handler_fn(follow)));
        resize(100, 24);
        token.cancel();
        assert_eq!(finished.await.unwrap().stdout_text(), "100 cancelled");
    }
}
