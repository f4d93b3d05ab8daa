//! How a daemon is, as a value, for people and for scripts.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app::Program;
use crate::instance::Instance;
use crate::protocol::StatusReply;

/// How a daemon is. Its `Display` has a line for each of these.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Its process.
    pub pid: u32,
    /// Which build of the program it is.
    pub build: String,
    /// Whether that is the build that asks.
    pub is_this_build: bool,
    /// How long it has been running.
    pub uptime: Duration,
    /// Whether it has loaded its state. Until then commands wait.
    pub loaded: bool,
    /// How many commands run.
    pub running: u64,
    /// How many commands wait for the state, or for their turn.
    pub waiting: u64,
    /// How many commands have ended with exit code 0.
    pub done: u64,
    /// How many commands have ended otherwise: with another code, by a panic, or aborted.
    pub failed: u64,
    /// How much memory it has in use, in bytes (resident); `None` where the system doesn't tell.
    pub memory: Option<u64>,
    /// How long until it retires, if nobody calls; `None` while it has commands.
    pub idle_left: Option<Duration>,
    /// Where it is called.
    pub socket: PathBuf,
    /// Where it logs; `None` where that is its supervisor's.
    pub log: Option<PathBuf>,
}

impl Status {
    pub(super) fn new(reply: StatusReply, program: &Program, instance: &Instance) -> Self {
        Self {
            pid: reply.pid,
            is_this_build: reply.build == program.build,
            build: reply.build,
            uptime: Duration::from_millis(reply.uptime_ms),
            loaded: reply.loaded,
            running: reply.running,
            waiting: reply.waiting,
            done: reply.done,
            failed: reply.failed,
            memory: reply.memory,
            idle_left: reply.idle_left_ms.map(Duration::from_millis),
            socket: instance.socket().to_owned(),
            log: reply.log.map(PathBuf::from),
        }
    }

    /// The same for scripts, as one line.
    pub(super) fn to_json(&self, id: &str) -> String {
        Object::default()
            .text("id", id)
            .value("running", true)
            .value("pid", self.pid)
            .text("build", &self.build)
            .value("is_this_build", self.is_this_build)
            .value("uptime_ms", self.uptime.as_millis())
            .text("state", self.state())
            .value("commands_running", self.running)
            .value("commands_waiting", self.waiting)
            .value("commands_done", self.done)
            .value("commands_failed", self.failed)
            .optional("memory_bytes", self.memory)
            .optional("idle_left_ms", self.idle_left.map(|left| left.as_millis()))
            .text("socket", &self.socket.to_string_lossy())
            .optional("log", self.log.as_deref().map(quoted_path))
            .end()
    }

    fn state(&self) -> &'static str {
        if self.loaded { "loaded" } else { "loading" }
    }
}

/// The status of no daemon, for scripts.
pub(super) fn not_running(instance: &Instance) -> String {
    Object::default()
        .text("id", instance.id())
        .value("running", false)
        .text("socket", &instance.socket().to_string_lossy())
        .text("log", &instance.log().to_string_lossy())
        .end()
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.is_this_build { "this program's" } else { "not this program's" };
        let Self { running, waiting, done, failed, .. } = self;
        writeln!(formatter, "  pid       {}", self.pid)?;
        writeln!(formatter, "  build     {} ({whose})", self.build)?;
        writeln!(formatter, "  uptime    {}", Rough(self.uptime))?;
        writeln!(formatter, "  state     {}", self.state())?;
        writeln!(
            formatter,
            "  commands  {running} running, {waiting} waiting, {done} done, {failed} failed"
        )?;
        if let Some(memory) = self.memory {
            writeln!(formatter, "  memory    {} KiB", memory / 1024)?;
        }
        match self.idle_left {
            Some(left) => writeln!(formatter, "  idle      retires in {} if nobody calls", Rough(left))?,
            None => writeln!(formatter, "  idle      no")?,
        }
        writeln!(formatter, "  socket    {}", self.socket.display())?;
        match &self.log {
            Some(log) => write!(formatter, "  log       {}", log.display()),
            None => write!(formatter, "  log       its supervisor's"),
        }
    }
}

/// A duration in its two largest units.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(formatter, "{seconds} s"),
            (0, 0, _) => write!(formatter, "{minutes} min {} s", seconds % 60),
            (0, ..) => write!(formatter, "{hours} h {} min", minutes % 60),
            _ => write!(formatter, "{days} d {} h", hours % 24),
        }
    }
}

/// A JSON object that is being written.
#[derive(Default)]
struct Object(String);

impl Object {
    fn value(mut self, name: &str, value: impl fmt::Display) -> Self {
        let before = if self.0.is_empty() { '{' } else { ',' };
        // Writing to a string can't fail.
        let _ = write!(self.0, "{before}\"{name}\":{value}");
        self
    }

    fn text(self, name: &str, text: &str) -> Self {
        self.value(name, quoted(text))
    }

    fn optional(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.value(name, value),
            None => self.value(name, "null"),
        }
    }

    fn end(self) -> String {
        self.0 + "}"
    }
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control @ '\0'..='\x1f' => {
                // Writing to a string can't fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_any_text() {
        let object =
            Object::default().text("a", "\"\\\n\u{1}é").value("b", 1).optional("c", None::<u8>).end();
        assert_eq!(object, r#"{"a":"\"\\\u000a\u0001é","b":1,"c":null}"#);
    }

    #[test]
    fn durations_are_as_long_as_anybody_reads() {
        let rough = |seconds| Rough(Duration::from_secs(seconds)).to_string();
        assert_eq!(
            [0, 59, 61, 3600, 86399, 200_000].map(rough),
            ["0 s", "59 s", "1 min 1 s", "1 h 0 min", "23 h 59 min", "2 d 7 h"]
        );
    }
}
