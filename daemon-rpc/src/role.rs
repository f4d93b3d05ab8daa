//! What this process is to be, by its arguments.

use std::env;
use std::ffi::{OsStr, OsString};

use crate::control::Action;

/// How all flags begin that are not the program's own.
const RESERVED: &str = "--daemon-";

const ID: &str = "--daemon-id";
const BUILD: &str = "--build-timestamp";

/// What a process of the program does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs a command for its user.
    Client,
    /// Serves clients of one id and one build, which have started it.
    Daemon { id: String, build: String },
    /// Serves clients, for whoever has started it.
    ForegroundDaemon,
    /// Looks after the daemon.
    Operator(Action),
    /// Nothing: its user means a daemon, but these are not the arguments for that. What to tell him.
    Confused(String),
}

/// The arguments that make a process of this program a daemon.
pub(crate) fn daemon_arguments<'a>(id: &'a str, build: &'a str) -> [&'a str; 4] {
    [ID, id, BUILD, build]
}

impl Role {
    /// The role of this process. `subcommand` has the actions of the flags as well.
    pub(crate) fn of_this_process(subcommand: Option<&str>) -> Self {
        Self::of(env::args_os().skip(1), subcommand)
    }

    fn of(mut arguments: impl Iterator<Item = OsString>, subcommand: Option<&str>) -> Self {
        let Some(first) = arguments.next() else {
            return Self::Client;
        };
        if let Some(flag) = first.to_str().and_then(|first| first.strip_prefix(RESERVED)) {
            if first == *ID {
                return Self::daemon(arguments);
            }
            return Self::named(flag, &first, arguments).unwrap_or(Self::Client);
        }
        match subcommand {
            Some(subcommand) if first == *subcommand => {
                let name = arguments.next().unwrap_or_default();
                let named = name.to_str().and_then(|flag| Self::named(flag, &name, arguments));
                named.unwrap_or_else(|| {
                    Self::Confused(format!("{subcommand} is followed by status, stop, restart, log or run"))
                })
            }
            _ => Self::Client,
        }
    }

    /// What has this name, with what follows it.
    fn named(name: &str, given_as: &OsStr, mut rest: impl Iterator<Item = OsString>) -> Option<Self> {
        let (option, role): (_, fn(bool) -> Self) = match name {
            "status" => ("--json", |json| Self::Operator(Action::Status { json })),
            "stop" => ("--now", |now| Self::Operator(Action::Stop { now })),
            "restart" => ("", |_| Self::Operator(Action::Restart)),
            "log" => ("--follow", |follow| Self::Operator(Action::Log { follow })),
            "run" => ("", |_| Self::ForegroundDaemon),
            _ => return None,
        };
        let first = rest.next();
        let given = first.as_deref().is_some_and(|first| !option.is_empty() && first == option);
        let unexpected = if given { rest.next() } else { first };
        let Some(unexpected) = unexpected else {
            return Some(role(given));
        };
        let taken = if option.is_empty() { "nothing" } else { option };
        let given_as = given_as.to_string_lossy();
        Some(Self::Confused(format!("unexpected argument {unexpected:?}: {given_as} takes {taken}")))
    }

    fn daemon(mut arguments: impl Iterator<Item = OsString>) -> Self {
        let id = arguments.next().map(OsString::into_string);
        let flag = arguments.next();
        let build = arguments.next().map(OsString::into_string);
        match (id, flag.as_deref() == Some(OsStr::new(BUILD)), build, arguments.next()) {
            (Some(Ok(id)), true, Some(Ok(build)), None) => Self::Daemon { id, build },
            _ => Self::Confused(format!(
                "{ID} ID {BUILD} TIMESTAMP is how this program starts its own daemon; call it without them"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(arguments: &[&str]) -> Role {
        Role::of(arguments.iter().map(OsString::from), Some("service"))
    }

    #[test]
    fn a_daemon_has_an_id_and_a_build_and_nothing_else() {
        let arguments = daemon_arguments("spell", "17");
        assert_eq!(role(&arguments), Role::Daemon { id: "spell".into(), build: "17".into() });
        for wrong in [
            &[ID][..],
            &[ID, "spell"],
            &[ID, "spell", BUILD],
            &[ID, "spell", "--other", "17"],
            &[ID, "spell", BUILD, "17", "x"],
        ] {
            assert!(matches!(role(wrong), Role::Confused(_)), "{wrong:?}");
        }
    }

    #[test]
    fn actions_are_flags_and_what_follows_the_subcommand() {
        for (arguments, action) in [
            (&["status"][..], Role::Operator(Action::Status { json: false })),
            (&["status", "--json"], Role::Operator(Action::Status { json: true })),
            (&["stop"], Role::Operator(Action::Stop { now: false })),
            (&["stop", "--now"], Role::Operator(Action::Stop { now: true })),
            (&["restart"], Role::Operator(Action::Restart)),
            (&["log"], Role::Operator(Action::Log { follow: false })),
            (&["log", "--follow"], Role::Operator(Action::Log { follow: true })),
            (&["run"], Role::ForegroundDaemon),
        ] {
            let (name, options) = arguments.split_first().unwrap();
            assert_eq!(role(&[&[&*format!("{RESERVED}{name}")], options].concat()), action);
            assert_eq!(role(&[&["service"], arguments].concat()), action);
        }
    }

    #[test]
    fn everything_else_is_a_commands() {
        for arguments in [
            &[][..],
            &["status"],
            &["--daemon"],
            &["--daemon-statuses"],
            &["--", "--daemon-status"],
            &["x", "service", "status"],
        ] {
            assert_eq!(role(arguments), Role::Client, "{arguments:?}");
        }
        assert_eq!(Role::of(["service", "status"].iter().map(OsString::from), None), Role::Client);
    }

    #[test]
    fn what_an_action_does_not_take_is_said() {
        for (arguments, message) in [
            (&["--daemon-status", "json"][..], "unexpected argument \"json\": --daemon-status takes --json"),
            (&["--daemon-stop", "--now", "x"], "unexpected argument \"x\": --daemon-stop takes --now"),
            (&["service", "run", ""], "unexpected argument \"\": run takes nothing"),
            (&["service"], "service is followed by status, stop, restart, log or run"),
            (&["service", "statistics"], "service is followed by status, stop, restart, log or run"),
        ] {
            assert_eq!(role(arguments), Role::Confused(message.into()));
        }
    }
}
