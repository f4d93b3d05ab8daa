//! What a warm call costs its caller, counted rather than timed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use daemon_rpc_tests::scene::{Scene, finish, has_strace, start, success, told, until};
use rustix::process::{Pid, Signal, kill_process};

const ECHO: &str = env!("CARGO_BIN_EXE_echo");
const HELLO: &str = env!("CARGO_BIN_EXE_hello");
const TWO_THREADS: &str = env!("CARGO_BIN_EXE_two-threads");
const EMPTY: &str = env!("CARGO_BIN_EXE_empty");

/// What strace has written of a warm call. `None` without strace.
fn trace(program: &str, input: &str) -> Option<String> {
    if !has_strace() {
        return None;
    }
    let scene = Scene::new();
    let warm = told(&scene.run(program, input));
    let trace = scene.path("trace");
    let mut command = scene.command("strace");
    command.args(["-f", "-qq", "-o"]).arg(&trace).arg(program);
    assert_eq!(told(&finish(start(&mut command, input))), warm);
    Some(fs::read_to_string(trace).unwrap())
}

/// The thread of each call, and its name.
fn calls(trace: &str) -> impl Iterator<Item = (&str, &str)> {
    let calls = trace.lines().filter_map(|line| {
        let (thread, call) = line.split_once(' ')?;
        Some((thread, call.trim_start().split_once('(')?.0))
    });
    // Of a debug build, the standard library has a look at each descriptor that it closes.
    calls.filter(|(_, name)| !cfg!(debug_assertions) || *name != "fcntl")
}

/// The system calls of a warm call, from `main` on, with how often each was made. `None` without strace.
fn system_calls(program: &str, input: &str) -> Option<BTreeMap<String, usize>> {
    let trace = trace(program, input)?;
    let mut counts = BTreeMap::new();
    // What the loader and the standard library do before `main` is the same for every program that loads the same libraries.
    let own = calls(&trace).map(|(_, name)| name.to_owned()).skip_while(|name| name != "geteuid");
    own.for_each(|name| *counts.entry(name).or_default() += 1);
    Some(counts)
}

#[test]
fn a_warm_call_is_a_handful_of_system_calls() {
    let Some(mut calls) = system_calls(ECHO, "text") else { return };
    // The handshake, the output, and the end, which may come together.
    for name in ["ppoll", "recvfrom"] {
        let count = calls.remove(name);
        assert!(count.is_some_and(|count| (1..=3).contains(&count)), "{count:?} times {name}");
    }
    let expected = [
        // Who we are, and whether the directory and the socket are safe.
        ("geteuid", 1),
        ("newfstatat", 2),
        // The text, and its end.
        ("read", 2),
        // The daemon, and who it is.
        ("socket", 1),
        ("connect", 1),
        ("getsockopt", 1),
        // The handshake and the command.
        ("sendmsg", 1),
        // The output.
        ("write", 1),
        ("close", 1),
        // The standard library's, at the end of every program.
        ("sigaltstack", 1),
        ("munmap", 1),
        ("exit_group", 1),
    ];
    assert_eq!(calls, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

#[test]
fn a_client_loads_no_library_but_those_of_a_daemons_runtime() {
    let Some(trace) = trace(HELLO, "") else { return };
    let libraries = trace.lines().filter(|line| line.contains("openat(") && line.contains(".so."));
    let libraries: Vec<_> = libraries.filter(|line| !line.contains("ld.so.cache")).collect();
    let is_known =
        |line: &&str| ["/libgcc_s.so.", "/libm.so.", "/libc.so."].iter().any(|name| line.contains(name));
    assert!(libraries.iter().all(is_known), "{libraries:#?}");
}

#[test]
fn a_warm_call_costs_the_daemon_a_handful_of_system_calls_in_one_thread() {
    /// More than enough for one to find an acceptor waiting.
    const CALLS: usize = 20;
    let expected = [
        // Who it is.
        "accept4",
        "getsockopt",
        // Handshake and command, and the answer to the handshake.
        "recvfrom",
        "sendto",
        // The output, while the client is watched.
        "epoll_ctl",
        "sendto",
        "epoll_ctl",
        // How it ended.
        "sendto",
        "close",
        // Whether the next one is there already.
        "accept4",
    ];
    if !has_strace() {
        return;
    }
    let scene = Scene::new();
    let call = || assert_eq!(told(&scene.run(TWO_THREADS, "print hello")), success("hello\n"));
    call();
    let (trace, daemon) = (scene.path("trace"), scene.daemon_pid("two-threads").unwrap());
    let mut command = scene.command("strace");
    command.args(["-f", "-p", &daemon.as_raw_pid().to_string(), "-o"]).arg(&trace);
    let mut strace = start(&mut command, "");
    let mut said = String::new();
    BufReader::new(strace.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    if said.contains("not permitted") {
        eprintln!("skipped: {said}");
        finish(strace);
        return;
    }
    assert!(said.contains("attached"), "{said}");
    (0..CALLS).for_each(|_| call());
    kill_process(Pid::from_child(&strace), Signal::INT).unwrap();
    finish(strace);

    let trace = fs::read_to_string(trace).unwrap();
    let calls: Vec<_> = calls(&trace).collect();
    let is_expected = |window: &[(&str, &str)]| {
        window
            .iter()
            .zip(expected)
            .all(|((thread, name), expected)| *name == expected && *thread == window[0].0)
    };
    assert!(calls.windows(expected.len()).any(is_expected), "{trace}");
}

#[test]
fn a_client_that_waits_does_nothing_whatever_its_streams_are() {
    if !has_strace() {
        return;
    }
    let stream = env!("CARGO_BIN_EXE_stream");
    for redirection in ["", "< /dev/null", "<&-", ">&-", "2>&-", "> /dev/null", "<&- >&- 2>&-"] {
        let scene = Scene::new();
        let (trace, running, go_on) = (scene.path("trace"), scene.path("running"), scene.path("go-on"));
        let mut command = scene.command("sh");
        let script = format!(
            "exec strace -o \"$TRACE\" \"$0\" line \"touch $RUNNING\" \"await $GO_ON\" {redirection}"
        );
        command.args(["-c", &script, stream]);
        command.env("TRACE", &trace).env("RUNNING", &running).env("GO_ON", &go_on);
        let client = start(&mut command, "line\n");
        until("the command runs", || running.exists());
        let calls = || fs::read_to_string(&trace).unwrap().lines().count();
        // Long enough for a loop to make thousands of them.
        let patience = Instant::now() + Duration::from_millis(200);
        until("some time has passed", || Instant::now() > patience);
        let before = calls();
        let patience = Instant::now() + Duration::from_millis(200);
        until("some time has passed", || Instant::now() > patience);
        assert_eq!(calls(), before, "{redirection}");
        fs::write(go_on, "").unwrap();
        finish(client);
    }
}

#[test]
fn a_handler_without_a_text_never_reads_standard_input() {
    let Some(calls) = system_calls(HELLO, "text") else { return };
    assert!(!calls.contains_key("read"), "{calls:?}");
}

/// What valgrind says of a run behind these words.
fn counted(scene: &Scene, tool: &str, program: &str, words: &str) -> u64 {
    let mut command = scene.command("valgrind");
    command.arg(format!("--tool={tool}"));
    if tool == "callgrind" {
        command.arg("--callgrind-out-file=/dev/null");
    }
    let (_, said, code) = told(&finish(start(command.arg(program), "")));
    assert_eq!(code, Some(0), "{said}");
    let number = said.split_once(words).unwrap().1.trim_start();
    let digits =
        number.split(|character: char| !character.is_ascii_digit() && character != ',').next().unwrap();
    digits.replace(',', "").parse().unwrap()
}

/// A warm call's own allocations and instructions, of a debug build, beyond those of a program that does nothing. They are the same each
/// time, so the limits are a tenth above what was counted: whoever needs more has a reason.
#[test]
fn a_warm_call_allocates_little_and_computes_little() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: there is no valgrind");
        return;
    }
    let scene = Scene::new();
    assert!(scene.run(HELLO, "").status.success());
    for (tool, words, most) in [
        ("memcheck", "total heap usage:", 42),
        ("memcheck", "frees,", 78_000),
        ("callgrind", "Collected :", 430_000),
    ] {
        let own = counted(&scene, tool, HELLO, words) - counted(&scene, tool, EMPTY, words);
        println!("{tool}: {own}");
        assert!(own <= most, "{own} where {most} were enough ({tool})");
    }
}
