//! `Cli`: arguments parsed with clap.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{Arg, ColorChoice, Command, Parser};

use super::{Args, Env};
use crate::{Answer, ExitCode, FromInvocation, Invocation, Needs};

/// The caller's arguments, parsed with [`clap`]. Feature `clap`.
///
/// The client parses them first: help, version and usage errors are what they are in any program with clap, with its colours,
/// streams and exit codes, and no daemon is started for them. `env` attributes read the caller's environment.
///
/// ```
/// use clap::Parser;
/// use daemon_rpc::handler_fn;
/// use daemon_rpc::prelude::*;
/// use daemon_rpc::testing::Call;
///
/// /// Says hello.
/// #[derive(Parser)]
/// struct Greeting {
///     /// Whom to greet.
///     name: String,
///     /// How often.
///     #[arg(short, long, env = "TIMES", default_value_t = 1)]
///     times: usize,
/// }
///
/// async fn greet(Cli(greeting): Cli<Greeting>, mut out: Stdout) -> std::io::Result<()> {
///     let line = format!("hello {}\n", greeting.name);
///     out.write_all(line.repeat(greeting.times).as_bytes()).await
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let greeted = Call::new().arg("Ada").env("TIMES", "2").run(handler_fn(greet)).await;
/// assert_eq!(greeted.stdout_text(), "hello Ada\nhello Ada\n");
///
/// let wrong = Call::new().arg("--loud").run(handler_fn(greet)).await;
/// assert!(wrong.stderr_text().starts_with("error: unexpected argument '--loud' found"));
/// assert_eq!(u8::from(wrong.code), 2);
/// # })
/// ```
///
/// Parsed values stay where they were parsed, so the daemon parses once more. There, a value parser that looks at files finds them
/// from the daemon's directory, so it should only take absolute paths or leave looking to the handler, which has a
/// [`Cwd`](super::Cwd). And what a variable gives is an argument's
/// default: it wins over `default_value` but not over `default_value_if`, and an `Option` of flattened arguments that only
/// variables give is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cli<T>(pub T);

impl<T: Parser> FromInvocation for Cli<T> {
    const NEEDS: Needs = Needs::checked_arguments(check::<T>).and(Needs::variables(variables::<T>));

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        let env = Env::from_invocation(invocation)?;
        let args = Args::from_invocation(invocation)?;
        let program =
            invocation.command.program.as_ref().context("the command came without its program's name")?;
        let program = OsStr::from_bytes(program).to_owned();
        let arguments: Vec<_> = [program].into_iter().chain(args).collect();
        let command = || with_variables(T::command(), &env);
        let mut matches = match command().try_get_matches_from(&arguments) {
            // The client has found that nothing is missing or too much, and counts what variables give.
            Err(error) if is_about_presence(error.kind()) => {
                command().ignore_errors(true).try_get_matches_from(&arguments)
            }
            parsed => parsed,
        }?;
        Ok(Self(T::from_arg_matches_mut(&mut matches)?))
    }
}

/// The variables that arguments can come from.
fn variables<T: Parser>() -> Vec<OsString> {
    variables_of(&T::command())
}

fn variables_of(command: &Command) -> Vec<OsString> {
    let mut names = Vec::new();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        names.extend(command.get_arguments().filter_map(Arg::get_env).map(OsStr::to_owned));
        commands.extend(command.get_subcommands());
    }
    names
}

/// What clap has to say to these arguments.
fn check<T: Parser>(arguments: &[OsString], env: &Env) -> Result<(), Answer> {
    let mut command = T::command();
    // In a test, the caller is not this process.
    if !variables_of(&command).iter().all(|name| env.get(name) == std::env::var_os(name).as_deref()) {
        command = with_variables(command, env);
    }
    let color = command.get_color();
    let parsed = command.try_get_matches_from_mut(arguments);
    match parsed.and_then(|matches| T::from_arg_matches(&matches)) {
        Ok(_) => Ok(()),
        Err(error) => Err(answer(&error.format(&mut command), color)),
    }
}

/// What clap ends with when arguments are wrong.
const USAGE: u8 = 2;

fn answer(error: &clap::Error, color: ColorChoice) -> Answer {
    let text = error.render();
    let answer = if error.use_stderr() { Answer::usage_error } else { Answer::help };
    let code = u8::try_from(error.exit_code()).unwrap_or(USAGE);
    match color {
        ColorChoice::Auto => answer(text.to_string()).colored(text.ansi().to_string()),
        ColorChoice::Always => answer(text.ansi().to_string()),
        ColorChoice::Never => answer(text.to_string()),
    }
    .code(ExitCode::from(code))
}

/// Whether an error can come of a variable's value not being counted as given.
fn is_about_presence(kind: ErrorKind) -> bool {
    use ErrorKind::{
        ArgumentConflict, DisplayHelpOnMissingArgumentOrSubcommand, MissingRequiredArgument,
        MissingSubcommand,
    };
    matches!(
        kind,
        ArgumentConflict
            | DisplayHelpOnMissingArgumentOrSubcommand
            | MissingRequiredArgument
            | MissingSubcommand
    )
}

/// Has arguments get what their variables are in this environment, not in that of the process.
fn with_variables(command: Command, env: &Env) -> Command {
    command
        .mut_args(|argument| {
            let value = argument.get_env().map(|name| env.get(name).map(OsStr::to_owned));
            match value {
                None => argument,
                Some(None) => argument.env(None::<&'static str>),
                Some(Some(value)) => argument
                    .env(None::<&'static str>)
                    .required(false)
                    .default_value(clap::builder::OsStr::from(value)),
            }
        })
        .mut_subcommands(|subcommand| with_variables(subcommand, env))
}
