//! A place where one test's programs run: a directory of its own, which all its processes are known by and which takes
//! them with it when it goes.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Once, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use tempfile::TempDir;

const DIRECTORY: &str = "DAEMON_RPC_DIR";

/// Far longer than anything takes on a loaded machine: a test that gets there hangs.
pub const DEADLINE: Duration = Duration::from_secs(60);

const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// How much of each log a test that fails shows, in bytes.
const SHOWN_LOG: usize = 8 * 1024;

/// A directory for daemons' files, and the processes that were given it.
#[derive(Debug)]
pub struct Scene {
    /// Goes with the scene.
    _directory: TempDir,
    path: PathBuf,
    inline: bool,
    /// Its end calls the watchdog off.
    watched: Option<mpsc::Sender<()>>,
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

impl Scene {
    /// An empty scene.
    ///
    /// # Panics
    ///
    /// Without a directory there is no test.
    #[must_use]
    pub fn new() -> Self {
        Self::of(false)
    }

    /// An empty scene whose programs run their commands in their own processes.
    ///
    /// # Panics
    ///
    /// As for [`new`](Self::new).
    #[must_use]
    pub fn inline() -> Self {
        Self::of(true)
    }

    /// An empty scene that may last as long as it likes.
    ///
    /// # Panics
    ///
    /// As for [`new`](Self::new).
    #[must_use]
    pub fn without_watchdog() -> Self {
        heed_signals();
        let directory = tempfile::tempdir().expect("a temporary directory");
        // Daemons know it by the path without links, and so they are found.
        let path = directory.path().canonicalize().expect("it was just made");
        Self { _directory: directory, path, inline: false, watched: None }
    }

    fn of(inline: bool) -> Self {
        let mut scene = Self::without_watchdog();
        scene.inline = inline;
        scene.watched = Some(watchdog(scene.path.clone()));
        scene
    }

    /// Whether programs run their commands in their own processes here.
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.inline
    }

    /// Where the daemons' files are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.path
    }

    /// A path in the scene, for files by which a test and a handler wait for each other.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// One of the daemon's files.
    #[must_use]
    pub fn file(&self, id: &str, extension: &str) -> PathBuf {
        self.path(&format!("daemon-rpc-{id}.{extension}"))
    }

    /// A command that runs in this scene, its streams piped.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if self.inline {
            command.env("DAEMON_RPC_INLINE", "1");
        }
        command
            .env_remove("RUST_BACKTRACE")
            .env(DIRECTORY, self.directory())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a program with this input to its end.
    pub fn run(&self, program: impl AsRef<OsStr>, input: impl AsRef<[u8]>) -> Output {
        finish(start(&mut self.command(program), input))
    }

    /// Runs a program with these arguments and this input to its end.
    pub fn run_with(&self, program: impl AsRef<OsStr>, args: &[&str], input: impl AsRef<[u8]>) -> Output {
        finish(start(self.command(program).args(args), input))
    }

    /// Starts a program with a script and waits until it runs.
    ///
    /// # Panics
    ///
    /// If it doesn't in time.
    #[track_caller]
    pub fn begin(&self, program: impl AsRef<OsStr>, script: &str) -> Child {
        static SCRIPTS: AtomicUsize = AtomicUsize::new(0);
        let running = self.path(&format!("running-{}", SCRIPTS.fetch_add(1, Ordering::Relaxed)));
        let child = start(&mut self.command(program), format!("touch {}\n{script}", running.display()));
        until("the command runs", || running.exists());
        child
    }

    /// The pid in a daemon's pid file.
    #[must_use]
    pub fn daemon_pid(&self, id: &str) -> Option<Pid> {
        Pid::from_raw(fs::read_to_string(self.file(id, "pid")).ok()?.trim().parse().ok()?)
    }

    /// Every living process of this scene, daemons that have retired included.
    #[must_use]
    pub fn processes(&self) -> Vec<Pid> {
        processes_in(&self.path)
    }
}

/// Runs a test with a daemon and then without one, where everything has to be the same.
pub fn both_ways(test: impl Fn(&Scene)) {
    test(&Scene::new());
    let scene = Scene::inline();
    test(&scene);
    assert!(
        !fs::read_dir(scene.directory()).is_ok_and(|files| files.flatten().any(|file| is_daemons(&file))),
        "a daemon was started"
    );
}

fn is_daemons(file: &fs::DirEntry) -> bool {
    file.file_name().as_encoded_bytes().starts_with(b"daemon-rpc-")
}

/// Whether `strace` can be had. A test that needs it says so where it can't.
#[must_use]
pub fn has_strace() -> bool {
    let found = Command::new("strace").arg("-V").output().is_ok();
    if !found {
        eprintln!("skipped: there is no strace");
    }
    found
}

fn processes_in(directory: &Path) -> Vec<Pid> {
    let mark = [DIRECTORY.as_bytes(), b"=", directory.as_os_str().as_bytes()].concat();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // The environment of a process that has ended but not been waited for can't be read.
    let here = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark)
    };
    pids.filter(here).filter_map(Pid::from_raw).collect()
}

impl Drop for Scene {
    /// Whoever looks into a test that failed wants to know what the daemons have said.
    fn drop(&mut self) {
        if thread::panicking() {
            for file in fs::read_dir(&self.path).into_iter().flatten().flatten() {
                if is_daemons(&file) && file.path().extension().is_some_and(|extension| extension != "sock") {
                    let text = fs::read(file.path()).unwrap_or_default();
                    let end = text.get(text.len().saturating_sub(SHOWN_LOG)..).unwrap_or_default();
                    eprintln!("--- {}\n{}", file.path().display(), String::from_utf8_lossy(end));
                }
            }
        }
        end_processes_in(&self.path);
    }
}

fn end_processes_in(directory: &Path) {
    let deadline = Instant::now() + DEADLINE;
    // A client may be starting a daemon at this moment.
    while let running @ [_, ..] = &*processes_in(directory) {
        for process in running {
            let _ = kill_process(*process, Signal::KILL);
        }
        assert!(Instant::now() < deadline, "these can't be killed: {running:?}");
    }
}

/// Ends the processes of a test that hangs, so that it reads the end of what it waits for and fails.
fn watchdog(directory: PathBuf) -> mpsc::Sender<()> {
    let (watched, called_off) = mpsc::channel();
    thread::spawn(move || {
        if called_off.recv_timeout(3 * DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("a test hangs, its processes are ended");
            end_processes_in(&directory);
        }
    });
    watched
}

/// Has the programs heed the signals that tests send them.
///
/// A shell that starts the tests in the background, or `nohup`, has them ignore some, and who is started with a signal
/// ignored ignores it too. One that this process handles is back at its default in the programs, and does here what its
/// default would have done.
fn heed_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let always = Arc::new(AtomicBool::new(true));
            register_conditional_default(signal, always).expect("these signals can be handled");
        }
    });
}

/// Starts a command and gives it its input, whether or not it reads it.
///
/// # Panics
///
/// If the command can't be started.
pub fn start(command: &mut Command, input: impl AsRef<[u8]>) -> Child {
    let mut child = command.spawn().expect("the program starts");
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.as_ref().to_owned();
        thread::spawn(move || {
            // Some programs don't read their input.
            let _ = stdin.write_all(&input);
        });
    }
    child
}

/// Waits for a command's end and returns what it wrote.
///
/// # Panics
///
/// If it doesn't end in time, or somebody keeps its pipes open.
pub fn finish(mut child: Child) -> Output {
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let status = finish_status(&mut child);
    let all = |stream: Option<mpsc::Receiver<Vec<u8>>>| {
        stream.map(|stream| stream.recv_timeout(DEADLINE).expect("its pipes are closed with its end"))
    };
    Output { status, stdout: all(stdout).unwrap_or_default(), stderr: all(stderr).unwrap_or_default() }
}

/// Waits for a command's end.
///
/// # Panics
///
/// If it doesn't end in time.
pub fn finish_status(child: &mut Child) -> ExitStatus {
    let mut status = None;
    if !holds_in_time(|| {
        status = child.try_wait().expect("the program can be waited for");
        status.is_some()
    }) {
        let _ = child.kill();
        panic!("the program hangs");
    }
    status.expect("it has ended")
}

/// Waits until `condition` holds.
///
/// # Panics
///
/// If it doesn't in time.
#[track_caller]
pub fn until(what: &str, condition: impl FnMut() -> bool) {
    assert!(holds_in_time(condition), "waited in vain until {what}");
}

fn holds_in_time(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(LOOK_AGAIN);
    }
    true
}

/// Waits until a process is gone, or dead and only not waited for.
#[track_caller]
pub fn until_ended(process: Pid) {
    until("a process has ended", || !is_alive(process));
}

/// Whether a process lives.
#[must_use]
pub fn is_alive(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_pid())).unwrap_or_default();
    // The state follows the name, which is in brackets and may contain anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}

/// A process's resident memory in KiB.
#[must_use]
pub fn resident_kib(process: Pid) -> u64 {
    memory_kib(process, "VmRSS:")
}

/// How much of a process's resident memory is of no file, in KiB.
#[must_use]
pub fn anonymous_kib(process: Pid) -> u64 {
    memory_kib(process, "RssAnon:")
}

/// The most resident memory that a process has had, in KiB.
#[must_use]
pub fn peak_kib(process: Pid) -> u64 {
    memory_kib(process, "VmHWM:")
}

fn memory_kib(process: Pid, field: &str) -> u64 {
    let status =
        fs::read_to_string(format!("/proc/{}/status", process.as_raw_pid())).expect("the process lives");
    let value = status.lines().find_map(|line| line.strip_prefix(field)).expect("it has memory");
    value.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Standard output and standard error as text, and the exit code; for `assert_eq!`.
#[must_use]
pub fn told(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// What [`told`] gives of a command that succeeded with this output.
#[must_use]
pub fn success(stdout: &str) -> (String, String, Option<i32>) {
    (stdout.into(), String::new(), Some(0))
}

fn collect(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        // What could be read is what the test is about, if it still goes on.
        let _ = stream.read_to_end(&mut all);
        let _ = sender.send(all);
    });
    receiver
}
