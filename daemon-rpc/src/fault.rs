//! Faults put in on purpose, at named points of the code, to show that it survives them. Only tests have them: without the feature
//! `faults`, a point is nothing.
//!
//! `DAEMON_RPC_FAULTS` says what happens in a process and in those that it starts: `daemon:accept#2=EMFILE client:bind#1=die` has the
//! daemon's second `accept` fail, and a client die before its first `bind`.

#[cfg(not(feature = "faults"))]
pub(crate) use absent::at;
#[cfg(feature = "faults")]
pub use present::POINTS;
#[cfg(feature = "faults")]
pub(crate) use present::at;

/// Comes to a point of this name, where no system call is made that could fail.
#[inline(always)]
pub(crate) fn passing(point: &str) {
    let _ = at(point);
}

#[cfg(not(feature = "faults"))]
mod absent {
    /// Comes to a point of this name.
    #[inline(always)]
    #[allow(clippy::unnecessary_wraps)]
    pub(crate) fn at(_: &str) -> rustix::io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "faults")]
mod present {
    use std::env;
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::sync::{Mutex, OnceLock, PoisonError};
    use std::thread;
    use std::time::Duration;

    use rustix::io::Errno;
    use rustix::process::{Signal, getpid, kill_process};

    /// Every point, where it is, and how the system call behind it can fail there; a process can die or be late at any.
    pub const POINTS: [(&str, &str, &[&str]); 35] = [
        ("client", "connect", &["EINTR", "EAGAIN", "EMFILE", "EACCES"]),
        ("client", "lock_start", &["EMFILE", "ENOSPC", "EACCES"]),
        ("client", "lock_life", &["EMFILE", "ENOSPC", "EACCES"]),
        ("client", "flock", &["EINTR"]),
        ("client", "retire", &[]),
        ("client", "open_log", &["EMFILE", "ENOSPC", "EACCES"]),
        ("client", "bind", &["EMFILE", "ENOSPC", "EACCES"]),
        ("client", "spawn", &["EAGAIN", "EMFILE"]),
        ("client", "spawned", &[]),
        ("client", "handshake", &[]),
        ("client", "hand_over", &[]),
        ("client", "send", &["EINTR", "EAGAIN"]),
        ("client", "wait", &["EINTR"]),
        ("client", "receive", &["EINTR", "EAGAIN"]),
        ("client", "write", &["EINTR", "EAGAIN", "ENOSPC"]),
        ("daemon", "take", &["EMFILE"]),
        ("daemon", "write_pid", &["ENOSPC"]),
        ("daemon", "serve", &["EMFILE"]),
        ("daemon", "accept", &["EINTR", "EMFILE", "EAGAIN"]),
        ("daemon", "accept_promptly", &["EINTR", "EMFILE", "EAGAIN"]),
        ("daemon", "first_step", &[]),
        ("daemon", "hand_on", &[]),
        ("daemon", "handshake", &[]),
        ("daemon", "receive", &["EINTR", "EAGAIN"]),
        ("daemon", "send", &["EINTR", "EAGAIN"]),
        ("daemon", "begin", &[]),
        ("daemon", "end", &[]),
        ("daemon", "output", &["EINTR", "EAGAIN"]),
        ("daemon", "check_files", &[]),
        ("daemon", "retire", &[]),
        ("daemon", "unlink_socket", &["EACCES"]),
        ("daemon", "unlink_pid", &["EACCES"]),
        ("daemon", "unlock", &[]),
        ("daemon", "flock", &["EINTR"]),
        ("daemon", "drain", &[]),
    ];

    /// The errors that points name.
    const ERRORS: [(&str, Errno); 5] = [
        ("EINTR", Errno::INTR),
        ("EAGAIN", Errno::AGAIN),
        ("EMFILE", Errno::MFILE),
        ("ENOSPC", Errno::NOSPC),
        ("EACCES", Errno::ACCESS),
    ];

    const FAULTS: &str = "DAEMON_RPC_FAULTS";

    /// Names a file that gets a line for each point that any process comes to.
    const REACHED: &str = "DAEMON_RPC_FAULTS_REACHED";

    struct Fault {
        point: String,
        /// How many times the point is still passed before.
        left: Mutex<u32>,
        effect: Effect,
    }

    #[derive(Clone, Copy)]
    enum Effect {
        Die,
        Late(Duration),
        Fail(Errno),
    }

    /// Comes to a point of this name, where the process may die, be late, or be told that the next system call fails.
    pub(crate) fn at(point: &str) -> rustix::io::Result<()> {
        static ROLE: OnceLock<&str> = OnceLock::new();
        static FAULTS_HERE: OnceLock<Vec<Fault>> = OnceLock::new();
        let role = ROLE.get_or_init(|| match env::args_os().nth(1) {
            Some(first) if first == "--daemon-id" || first == "--daemon-run" => "daemon",
            _ => "client",
        });
        let name = format!("{role}:{point}");
        note(&name);
        let faults = FAULTS_HERE
            .get_or_init(|| env::var(FAULTS).unwrap_or_default().split(' ').filter_map(parse).collect());
        // All are counted, also behind one that fails.
        let due: Vec<_> = faults.iter().filter(|fault| fault.point == name && is_due(&fault.left)).collect();
        due.into_iter().try_for_each(|fault| cause(fault.effect))
    }

    fn note(name: &str) {
        if let Some(path) = env::var_os(REACHED) {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let _ = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
        }
    }

    /// `role:point#number=effect`.
    fn parse(fault: &str) -> Option<Fault> {
        let (place, effect) = fault.split_once('=')?;
        let (point, number) = place.split_once('#')?;
        let effect = match (effect, effect.strip_suffix("ms")) {
            ("die", _) => Effect::Die,
            (_, Some(late)) => Effect::Late(Duration::from_millis(late.parse().ok()?)),
            (error, None) => Effect::Fail(ERRORS.iter().find(|(name, _)| *name == error)?.1),
        };
        Some(Fault { point: point.to_owned(), left: Mutex::new(number.parse().ok()?), effect })
    }

    fn is_due(left: &Mutex<u32>) -> bool {
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let due = *left == 1;
        *left = left.saturating_sub(1);
        due
    }

    fn cause(effect: Effect) -> rustix::io::Result<()> {
        match effect {
            // As the kernel kills when memory is short: nothing is put in order.
            Effect::Die => kill_process(getpid(), Signal::KILL),
            Effect::Late(late) => {
                thread::sleep(late);
                Ok(())
            }
            Effect::Fail(error) => Err(error),
        }
    }
}
