//! As much of systemd as its socket activation takes: it has the socket, and starts the daemon when somebody calls and there is none.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::scene::Scene;

const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// Puts the socket where daemons look for it, and says for whom it is.
const AS_DAEMON: &str = "exec 3<&0; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$PROGRAM\" --daemon-run";

/// A command that passes its standard input to the daemon of `program`, as the socket that a supervisor has made.
#[must_use]
pub fn with_socket(scene: &Scene, program: &str) -> Command {
    let mut shell = scene.command("sh");
    shell.args(["-c", AS_DAEMON]).env("PROGRAM", program);
    shell
}

/// A supervisor of one daemon.
#[derive(Debug)]
pub struct Supervisor {
    starts: Arc<AtomicUsize>,
    /// Its end is the supervisor's.
    running: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Listens at the socket of the daemon with this id, for which it starts `program`.
    ///
    /// # Panics
    ///
    /// If it can't.
    #[must_use]
    pub fn new(scene: &Scene, id: &str, program: &str) -> Self {
        let listener = UnixListener::bind(scene.file(id, "sock")).expect("the socket is free");
        let mut shell = with_socket(scene, program);
        shell.stdout(Stdio::null()).stderr(Stdio::null());
        let starts = Arc::new(AtomicUsize::new(0));
        let (running, ended) = channel();
        let count = Arc::clone(&starts);
        let start = move |listener: &UnixListener| {
            count.fetch_add(1, Ordering::Relaxed);
            let socket = listener.try_clone().expect("a descriptor");
            shell.stdin(OwnedFd::from(socket)).spawn().expect("a shell")
        };
        let thread = thread::spawn(move || supervise(&listener, start, &ended));
        Self { starts, running: Some(running), thread: Some(thread) }
    }

    /// How many daemons it has started.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.starts.load(Ordering::Relaxed)
    }
}

fn supervise(listener: &UnixListener, mut start: impl FnMut(&UnixListener) -> Child, ended: &Receiver<()>) {
    let mut daemon: Option<Child> = None;
    while ended.try_recv() == Err(TryRecvError::Empty) {
        let mut waiting = [PollFd::new(listener, PollFlags::IN)];
        let called = poll(&mut waiting, Some(&LOOK_AGAIN)).is_ok_and(|ready| ready > 0);
        let runs =
            daemon.as_mut().is_some_and(|daemon| daemon.try_wait().is_ok_and(|status| status.is_none()));
        if runs {
            // A daemon that is late leaves callers in the queue.
            thread::sleep(LOOK_AGAIN.try_into().expect("a duration"));
        } else if called {
            daemon = Some(start(listener));
        }
    }
    if let Some(mut daemon) = daemon {
        let _ = daemon.kill();
        let _ = daemon.wait();
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
