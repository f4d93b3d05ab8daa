//! `State`: loaded once, waited for, shared, and dropped at the end.

use std::fs;
use std::io::Read as _;

use daemon_rpc_tests::scene::{Scene, both_ways, finish, start, success, told, until, until_ended};
use rustix::process::{Pid, Signal, kill_process};

const STATEFUL: &str = env!("CARGO_BIN_EXE_stateful");

fn with_load(scene: &Scene, script: &str) {
    fs::write(scene.path("load"), script).unwrap();
}

fn stop(scene: &Scene) {
    let daemon = scene.daemon_pid("stateful").unwrap();
    kill_process(daemon, Signal::TERM).unwrap();
    until_ended(daemon);
}

#[test]
fn is_loaded_once_and_shared_by_all_commands() {
    let scene = Scene::new();
    with_load(&scene, "count");
    let answers: Vec<_> = (0..3).map(|_| told(&scene.run(STATEFUL, ""))).collect();
    assert_eq!(answers, [success("1\n"), success("2\n"), success("3\n")]);
    assert_eq!(fs::read_to_string(scene.path("loads")).unwrap(), ".");
}

#[test]
fn is_loaded_and_dropped_in_the_commands_own_process_too() {
    let scene = Scene::inline();
    with_load(&scene, "count");
    assert_eq!(told(&scene.run(STATEFUL, "")), success("1\n"));
    assert_eq!(fs::read_to_string(scene.path("dropped")).unwrap(), "after 1");
}

#[test]
fn callers_wait_for_it_however_many_they_are() {
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    with_load(&scene, &format!("count\nawait {}", go_on.display()));
    let waiting: Vec<_> = (0..30).map(|_| start(&mut scene.command(STATEFUL), "")).collect();
    until("it is being loaded", || scene.path("loads").exists());
    fs::write(go_on, "").unwrap();
    let mut numbers: Vec<u32> = waiting
        .into_iter()
        .map(|client| {
            let (stdout, stderr, code) = told(&finish(client));
            // It took its time, but nobody is told who doesn't look at a terminal.
            assert_eq!((stderr.as_str(), code), ("", Some(0)));
            stdout.trim().parse().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=30));
    assert_eq!(fs::read_to_string(scene.path("loads")).unwrap(), ".");
}

#[test]
fn a_caller_that_waits_can_be_interrupted() {
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    with_load(&scene, &format!("await {}", go_on.display()));
    let mut interrupted = start(&mut scene.command(STATEFUL), "");
    until("a daemon loads", || scene.daemon_pid("stateful").is_some());
    kill_process(Pid::from_child(&interrupted), Signal::INT).unwrap();
    interrupted.wait().unwrap();
    let waiting = start(&mut scene.command(STATEFUL), "");
    fs::write(go_on, "").unwrap();
    // The first one's command may have begun in the moment in which its caller went.
    let served = told(&finish(waiting));
    assert!(served == success("1\n") || served == success("2\n"), "{served:?}");
}

#[test]
fn that_cannot_be_loaded_is_an_error_with_its_whole_chain() {
    both_ways(|scene| {
        with_load(scene, "fail");
        let message = "stateful: can't get ready: no dictionary: No such file or directory (os error 2)\n";
        assert_eq!(told(&scene.run(STATEFUL, "")), (String::new(), message.into(), Some(69)));
        with_load(scene, "panic at the disco");
        let message = "stateful: can't get ready: loading panicked: at the disco\n";
        assert_eq!(told(&scene.run(STATEFUL, "")), (String::new(), message.into(), Some(69)));
        with_load(scene, "");
        assert_eq!(told(&scene.run(STATEFUL, "")), success("1\n"));
    });
}

#[test]
fn is_dropped_when_the_daemon_retires_and_not_before_the_last_command_has_ended() {
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    assert_eq!(told(&scene.run(STATEFUL, "")), success("1\n"));
    let daemon = scene.daemon_pid("stateful").unwrap();
    let mut last = start(scene.command(STATEFUL).arg(&go_on), "");
    let mut began = [0; 2];
    last.stdout.as_mut().unwrap().read_exact(&mut began).unwrap();
    kill_process(daemon, Signal::TERM).unwrap();
    until("the daemon retires", || !scene.file("stateful", "sock").exists());
    assert!(!scene.path("dropped").exists());
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(last)).2, Some(0));
    until_ended(daemon);
    assert_eq!(fs::read_to_string(scene.path("dropped")).unwrap(), "after 2");
}

#[test]
fn is_dropped_however_the_daemon_is_asked_to_end() {
    for signal in [Signal::INT, Signal::HUP, Signal::TERM] {
        let scene = Scene::new();
        assert_eq!(told(&scene.run(STATEFUL, "")), success("1\n"));
        let daemon = scene.daemon_pid("stateful").unwrap();
        kill_process(daemon, signal).unwrap();
        until_ended(daemon);
        assert_eq!(fs::read_to_string(scene.path("dropped")).unwrap(), "after 1");
    }
}

#[test]
fn a_daemon_asked_to_end_while_it_loads_leaves_the_callers_to_the_next() {
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    with_load(&scene, &format!("await {}", go_on.display()));
    let waiting = start(&mut scene.command(STATEFUL), "");
    until("a daemon loads", || scene.daemon_pid("stateful").is_some());
    let first = scene.daemon_pid("stateful").unwrap();
    kill_process(first, Signal::TERM).unwrap();
    until("the next one loads", || scene.daemon_pid("stateful").is_some_and(|next| next != first));
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(waiting)), success("1\n"));
    stop(&scene);
}
