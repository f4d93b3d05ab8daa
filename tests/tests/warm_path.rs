//! What a warm call costs its caller, counted rather than timed.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use daemon_rpc_tests::scene::{Scene, finish, has_strace, start, told, until};

const ECHO: &str = env!("CARGO_BIN_EXE_echo");
const HELLO: &str = env!("CARGO_BIN_EXE_hello");
const EMPTY: &str = env!("CARGO_BIN_EXE_empty");

/// The system calls of a warm call, from `main` on, with how often each was made. `None` without strace.
fn system_calls(program: &str, input: &str) -> Option<BTreeMap<String, usize>> {
    if !has_strace() {
        return None;
    }
    let scene = Scene::new();
    let warm = told(&scene.run(program, input));
    let trace = scene.path("trace");
    let mut command = scene.command("strace");
    command.args(["-f", "-qq", "-o"]).arg(&trace).arg(program);
    assert_eq!(told(&finish(start(&mut command, input))), warm);

    let trace = fs::read_to_string(trace).unwrap();
    let calls = trace.lines().filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('('));
    // What the loader and the standard library do before `main` is the same for every program.
    let own = calls.map(|(name, _)| name.to_owned()).skip_while(|name| name != "geteuid");
    let mut counts = BTreeMap::new();
    own.for_each(|name| *counts.entry(name).or_default() += 1);
    Some(counts)
}

#[test]
fn a_warm_call_is_a_handful_of_system_calls() {
    let Some(calls) = system_calls(ECHO, "text") else { return };
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
    ];
    for (name, count) in expected {
        assert_eq!(calls.get(name), Some(&count), "{name} in {calls:?}");
    }
    // The handshake, the output, and the end, which may come together.
    for name in ["ppoll", "recvfrom"] {
        assert!(calls.get(name).is_some_and(|count| (1..=3).contains(count)), "{name} in {calls:?}");
    }
    assert!(!calls.contains_key("sendto"), "{calls:?}");
}

#[test]
fn a_warm_call_has_no_thread_no_event_loop_and_no_sleep() {
    let Some(calls) = system_calls(ECHO, "text") else { return };
    for name in [
        "clone",
        "clone3",
        "fork",
        "vfork",
        "epoll_create1",
        "epoll_wait",
        "nanosleep",
        "clock_nanosleep",
        "futex",
    ] {
        assert!(!calls.contains_key(name), "{name} in {calls:?}");
    }
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
    for (tool, words, most) in [("memcheck", "total heap usage:", 42), ("callgrind", "Collected :", 430_000)]
    {
        let own = counted(&scene, tool, HELLO, words) - counted(&scene, tool, EMPTY, words);
        println!("{tool}: {own}");
        assert!(own <= most, "{own} where {most} were enough ({tool})");
    }
}
