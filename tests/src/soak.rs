//! Many commands of every kind for one daemon, some of whose callers are killed, and what that makes of it.

use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::scene::{Scene, finish, resident_kib, start, until};

/// How many callers there are at a time.
const CALLERS: usize = 4;

/// How many times the daemon is looked at.
const LOOKS: u64 = 10;

/// What a daemon has in use when nobody calls.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// How many commands there have been.
    pub commands: u64,
    /// Resident memory, in KiB.
    pub memory_kib: u64,
    /// Open descriptors, without those of acceptors.
    pub descriptors: usize,
    /// Threads, without acceptors.
    pub threads: usize,
    /// Acceptors: threads that come as they are needed, each with a descriptor of its own.
    pub acceptors: usize,
    /// The size of its log, in KiB.
    pub log_kib: u64,
    /// How long it took from the last look.
    pub took: Duration,
}

impl fmt::Display for Look {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commands, memory_kib, descriptors, threads, acceptors, log_kib, took } = self;
        let seconds = took.as_secs();
        write!(
            formatter,
            "{commands:>9} commands: {memory_kib:>6} KiB, {descriptors:>2} descriptors, {threads:>2} threads, {acceptors:>2} acceptors, {log_kib:>4} KiB of log, {seconds} s"
        )
    }
}

/// Has the daemon of `program` run so many commands, looks at it ten times meanwhile, and tells `report` of each look.
///
/// # Panics
///
/// If a command doesn't end as it should, or another daemon takes over.
pub fn run(commands: u64, program: &Path, mut report: impl FnMut(&Look)) -> Vec<Look> {
    let scene = Scene::without_watchdog();
    // All that is loaded once, whatever comes, is loaded by these. The last one is not killed.
    for number in 0..=206 {
        call(&scene, program, number);
    }
    let daemon = scene.daemon_pid("soaked").expect("it serves");
    let idle = look(&scene, daemon, 0, Duration::ZERO);
    report(&idle);
    let mut looks = vec![idle];
    for share in 1..=LOOKS {
        let begun = Instant::now();
        let next = AtomicU64::new(commands * (share - 1) / LOOKS);
        let end = commands * share / LOOKS;
        thread::scope(|scope| {
            for _ in 0..CALLERS {
                scope.spawn(|| {
                    while let number = next.fetch_add(1, Ordering::Relaxed)
                        && number < end
                    {
                        call(&scene, program, number);
                    }
                });
            }
        });
        let took = begun.elapsed();
        // The last callers were killed a moment ago.
        until("their connections have ended", || {
            let now = look(&scene, daemon, end, took);
            now.descriptors <= idle.descriptors && now.threads <= idle.threads
        });
        let seen = look(&scene, daemon, end, took);
        report(&seen);
        looks.push(seen);
    }
    assert_eq!(scene.daemon_pid("soaked"), Some(daemon), "another daemon serves");
    looks
}

fn call(scene: &Scene, program: &Path, number: u64) {
    let kinds =
        ["say", "copy", "say", "exit", "say", "fail", "say", "bulk", "wait", "endless", "say", "copy"];
    // Panics are reported in the log, so there are fewer of them.
    let kind = if number.is_multiple_of(97) {
        "panic"
    } else {
        kinds[usize::try_from(number % 12).expect("it is small")]
    };
    let mut command = scene.command(program);
    command.arg(kind).env("SAID", number.to_string());
    match kind {
        "wait" | "endless" => kill(&mut command, number),
        _ => check(&mut command, kind, &number.to_string()),
    }
}

/// Kills the caller at a moment that depends on the number: before its command has begun, or while it runs.
fn kill(command: &mut Command, number: u64) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the program starts");
    thread::sleep(Duration::from_micros(number.wrapping_mul(7919) % 3000));
    let _ = child.kill();
    let status = child.wait().expect("it was killed");
    assert_eq!(status.signal(), Some(9), "{status:?}");
}

fn check(command: &mut Command, kind: &str, text: &str) {
    let input = if kind == "copy" { text.repeat(9000) } else { String::new() };
    let output = finish(start(command, &input));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let as_it_should = match (kind, output.status.code()) {
        ("say", Some(0)) => stdout == text && stderr == text,
        ("copy", Some(0)) => stdout == *input,
        ("bulk", Some(0)) => stdout.len() == 256 * 1024,
        ("exit", Some(7)) => stdout.is_empty(),
        ("fail", Some(1)) => stdout == "soaked: it failed\n",
        ("panic", Some(101)) => stdout.contains("it panicked"),
        _ => false,
    };
    assert!(as_it_should, "{kind} ended with {:?}: {stdout}{stderr}", output.status);
}

fn look(scene: &Scene, daemon: Pid, commands: u64, took: Duration) -> Look {
    let of_daemon = |what: &str| {
        let entries = fs::read_dir(format!("/proc/{}/{what}", daemon.as_raw_pid()));
        entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let threads = of_daemon("task");
    let is_acceptor =
        |thread: &&PathBuf| fs::read(thread.join("comm")).is_ok_and(|name| name == b"acceptor\n");
    let acceptors = threads.iter().filter(is_acceptor).count();
    Look {
        commands,
        memory_kib: resident_kib(daemon),
        descriptors: of_daemon("fd").len() - acceptors,
        threads: threads.len() - acceptors,
        acceptors,
        log_kib: fs::metadata(scene.file("soaked", "log")).map_or(0, |log| log.len() / 1024),
        took,
    }
}
