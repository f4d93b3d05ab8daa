//! What this process is to be, by its arguments.

use std::env;
use std::ffi::{OsStr, OsString};

const ID: &str = "--daemon-id";
const BUILD: &str = "--build-timestamp";

/// What a process of the program does.
#[derive(Debug)]
pub(crate) enum Role {
    /// Runs a command for its user.
    Client,
    /// Serves clients of one id and one build.
    Daemon { id: String, build: String },
    /// Nothing: its user means a daemon, but these are not a daemon's arguments.
    Confused,
}

/// The arguments that make a process of this program a daemon.
pub(crate) fn daemon_arguments<'a>(id: &'a str, build: &'a str) -> [&'a str; 4] {
    [ID, id, BUILD, build]
}

impl Role {
    /// What to tell a user whose arguments confuse.
    pub(crate) const CONFUSED: &str = "--daemon-id ID --build-timestamp TIMESTAMP is how this program starts its own daemon; call it without them";

    /// The role of this process.
    pub(crate) fn of_this_process() -> Self {
        let mut arguments = env::args_os().skip(1);
        match arguments.next() {
            Some(first) if first == *ID => Self::daemon(arguments),
            _ => Self::Client,
        }
    }

    fn daemon(mut arguments: impl Iterator<Item = OsString>) -> Self {
        let id = arguments.next().map(OsString::into_string);
        let flag = arguments.next();
        let build = arguments.next().map(OsString::into_string);
        match (id, flag.as_deref() == Some(OsStr::new(BUILD)), build, arguments.next()) {
            (Some(Ok(id)), true, Some(Ok(build)), None) => Self::Daemon { id, build },
            _ => Self::Confused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_the_id_flag(arguments: &[&str]) -> Role {
        Role::daemon(arguments.iter().map(OsString::from))
    }

    #[test]
    fn a_daemon_has_an_id_and_a_build_and_nothing_else() {
        let [_, rest @ ..] = daemon_arguments("spell", "17");
        assert!(
            matches!(after_the_id_flag(&rest), Role::Daemon { id, build } if id == "spell" && build == "17")
        );
        for wrong in [
            &[][..],
            &["spell"],
            &["spell", BUILD],
            &["spell", "--other", "17"],
            &["spell", BUILD, "17", "x"],
        ] {
            assert!(matches!(after_the_id_flag(wrong), Role::Confused), "{wrong:?}");
        }
    }
}
