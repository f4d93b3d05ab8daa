//! `Cli`: arguments parsed with clap.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use anyhow::Context as _;
use clap::{Arg, ColorChoice, Command, Parser};

use crate::protocol::Command as Sent;
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
/// assert_eq!(greeted.stdout(), "hello Ada\nhello Ada\n");
///
/// let wrong = Call::new().arg("--loud").run(handler_fn(greet)).await;
/// assert!(wrong.stderr().starts_with("error: unexpected argument '--loud' found"));
/// assert_eq!(u8::from(wrong.code), 2);
/// # })
/// ```
///
/// Parsed values stay where they were parsed, so the daemon parses once more. There, what a variable gives is an argument's
/// default, which wins over `default_value` but not over `default_value_if`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cli<T>(pub T);

impl<T: Parser> FromInvocation for Cli<T> {
    const NEEDS: Needs = Needs::checked_arguments(check::<T>).and(Needs::variables(variables::<T>));

    fn from_invocation(invocation: &mut Invocation) -> anyhow::Result<Self> {
        parse(&invocation.command).map(Self)
    }
}

/// What clap has to say to these arguments.
fn check<T: Parser>(arguments: &[OsString]) -> Result<(), Answer> {
    let Err(error) = T::try_parse_from(arguments) else {
        return Ok(());
    };
    let text = error.render();
    let answer = if error.use_stderr() { Answer::usage_error } else { Answer::help };
    let code = u8::try_from(error.exit_code()).map_or(ExitCode::USAGE, ExitCode::from);
    Err(match T::command().get_color() {
        ColorChoice::Auto => answer(text.to_string()).colored(text.ansi().to_string()),
        ColorChoice::Always => answer(text.ansi().to_string()),
        ColorChoice::Never => answer(text.to_string()),
    }
    .code(code))
}

/// The variables that arguments can come from.
fn variables<T: Parser>() -> Vec<OsString> {
    let mut names = Vec::new();
    let command = T::command();
    let mut commands = vec![&command];
    while let Some(command) = commands.pop() {
        names.extend(command.get_arguments().filter_map(Arg::get_env).map(OsStr::to_owned));
        commands.extend(command.get_subcommands());
    }
    names
}

fn parse<T: Parser>(sent: &Sent) -> anyhow::Result<T> {
    let arguments = sent.args.as_ref().context("the command came without its arguments")?;
    let arguments = arguments.iter().map(|argument| OsStr::from_bytes(argument));
    // The client has found these arguments right in its caller's environment, so what may look wrong without it isn't.
    let command = with_callers_variables(T::command(), sent).ignore_errors(true);
    let name = OsString::from(command.get_name());
    let mut matches = command.try_get_matches_from([name.as_os_str()].into_iter().chain(arguments))?;
    Ok(T::from_arg_matches_mut(&mut matches)?)
}

/// Has arguments get what their variables are for the caller, not for the daemon.
fn with_callers_variables(command: Command, sent: &Sent) -> Command {
    command
        .mut_args(|argument| {
            let Some(name) = argument.get_env() else {
                return argument;
            };
            let value = sent.env.iter().flatten().find(|(known, _)| **known == *name.as_bytes());
            let value = value.map(|(_, value)| OsStr::from_bytes(value).to_owned());
            let argument = argument.env(None::<&'static str>);
            match value {
                Some(value) => argument.default_value(clap::builder::OsStr::from(value)),
                None => argument,
            }
        })
        .mut_subcommands(|subcommand| with_callers_variables(subcommand, sent))
}
