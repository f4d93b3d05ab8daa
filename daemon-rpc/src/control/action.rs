//! What every program does with its daemon when its user asks for it by a flag.

use std::fmt;
use std::io::{self, Write as _};

use super::status::not_running;
use super::{Control, ControlError, Stop, Stopped};
use crate::ExitCode;
use crate::client::{self, ClientError, Wait};
use crate::limits::DRAIN_LIMIT;

/// The flags that every program has, for its help: clap shows it with `#[command(after_help = daemon_rpc::control::HELP)]`.
pub const HELP: &str = "\
Daemon (as the first argument):
  --daemon-status [--json]  Say how the daemon is; exit code 3 if there is none
  --daemon-stop [--now]     Stop it; with --now, don't wait for its commands
  --daemon-restart          Stop it and start another
  --daemon-log [--follow]   Show its log; with --follow, as it grows
  --daemon-run              Be the daemon, in the foreground";

/// What an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Status { json: bool },
    Stop { now: bool },
    Restart,
    Log { follow: bool },
}

impl Control {
    /// Does what is asked for, and tells the operator: on standard output what has been done, on standard error what it waits for.
    pub(crate) fn perform(&self, action: Action) -> Result<ExitCode, ControlError> {
        let id = self.instance.id();
        let tell = |wait| {
            let what = match wait {
                Wait::StartLock => "another process that starts or stops the daemon",
                Wait::Release => "the daemon to give up its socket",
                Wait::State => "the daemon to load what it needs",
            };
            // With standard error gone, nobody wonders either.
            let _ = writeln!(io::stderr(), "{}: waiting for {what}…", self.program.name);
        };
        match action {
            Action::Status { json } => {
                let status = self.status()?;
                let (text, code) = match (&status, json) {
                    (Some(status), false) => (format!("{id}: running\n{status}"), ExitCode::SUCCESS),
                    (Some(status), true) => (status.to_json(id), ExitCode::SUCCESS),
                    (None, false) => (format!("{id}: not running"), ExitCode::NOT_RUNNING),
                    (None, true) => (not_running(&self.instance), ExitCode::NOT_RUNNING),
                };
                print(&text)?;
                return Ok(code);
            }
            Action::Stop { now } => {
                match self.stop_telling(if now { Stop::Now } else { Stop::Drain }, &tell)? {
                    Some(stopped) => print(&format!("{id}: stopped{}", LastCommands { stopped, now }))?,
                    None => print(&format!("{id}: not running"))?,
                }
            }
            Action::Restart => {
                let status = self.restart_telling(&tell)?;
                print(&format!("{id}: running\n{status}"))?;
            }
            Action::Log { follow } => client::print_log(&self.instance, follow)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a daemon that was stopped still has to do.
struct LastCommands {
    stopped: Stopped,
    now: bool,
}

impl fmt::Display for LastCommands {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.stopped.running, self.now) {
            (0, _) => Ok(()),
            (running, false) => {
                let limit = DRAIN_LIMIT.as_secs();
                write!(formatter, "; it still runs {}, for {limit} seconds at most", commands(running))?;
                self.stopped.pid.map_or(Ok(()), |pid| write!(formatter, " (pid {pid})"))
            }
            (running, true) => write!(formatter, "; it cancels {}", commands(running)),
        }
    }
}

fn commands(count: u64) -> String {
    format!("{count} command{}", if count == 1 { "" } else { "s" })
}

fn print(text: &str) -> Result<(), ClientError> {
    client::print(format!("{text}\n").as_bytes())
}
