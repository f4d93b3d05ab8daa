//! The options of the attribute, at work.

use std::fs;
use std::time::{Duration, Instant};

use daemon_rpc_tests::scene::{Scene, finish, start, success, told, until};
use rustix::process::{Pid, Signal, kill_process};

const OPTIONS: &str = env!("CARGO_BIN_EXE_options");

/// The pid of the daemon while it serves a command.
fn busy_daemon(scene: &Scene) -> Pid {
    until("a daemon serves", || scene.daemon_pid("options").is_some());
    scene.daemon_pid("options").unwrap()
}

#[test]
fn an_idle_daemon_leaves_and_takes_its_files_along() {
    let scene = Scene::new();
    assert_eq!(told(&scene.run(OPTIONS, "print hello")), success("hello\n"));
    until("the daemon has left", || scene.processes().is_empty());
    assert!(!scene.file("options", "sock").exists() && !scene.file("options", "pid").exists());
    let log = fs::read_to_string(scene.file("options", "log")).unwrap();
    assert!(log.contains("retiring reason=it had no connection for 300ms "), "{log}");
}

#[test]
fn a_daemon_with_a_command_is_not_idle() {
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    let client =
        start(&mut scene.command(OPTIONS), format!("print before\nawait {}\nprint after", go_on.display()));
    let daemon = busy_daemon(&scene);
    let began = Instant::now();
    // The time-out must have passed, several times over, for the test to mean anything.
    until("much time has passed", || began.elapsed() > Duration::from_millis(1500));
    assert_eq!(scene.daemon_pid("options"), Some(daemon));
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(client)), success("before\nafter\n"));
}

#[test]
fn a_handler_has_only_its_grace_period() {
    const DEFAULT: Duration = Duration::from_secs(5);
    let scene = Scene::new();
    let (running, aborted) = (scene.path("running"), scene.path("aborted"));
    let script = format!("touch {}\nuntil-aborted {}", running.display(), aborted.display());
    let client = start(&mut scene.command(OPTIONS), script);
    until("the command runs", || running.exists());
    let interrupted = Instant::now();
    kill_process(Pid::from_child(&client), Signal::INT).unwrap();
    finish(client);
    until("the handler is aborted", || aborted.exists());
    assert!(interrupted.elapsed() < DEFAULT, "{:?}", interrupted.elapsed());
}

#[test]
fn further_commands_wait_their_turn() {
    let scene = Scene::new();
    let at = |name: &str| scene.path(name).display().to_string();
    let blocked = |name: &str| {
        let script = format!(
            "touch {}\nawait {}\nprint {name}",
            at(&format!("{name}-runs")),
            at(&format!("{name}-go"))
        );
        let client = start(&mut scene.command(OPTIONS), script);
        until("the command runs", || scene.path(&format!("{name}-runs")).exists());
        client
    };
    let (first, second) = (blocked("first"), blocked("second"));
    let descriptors = format!("/proc/{}/fd", busy_daemon(&scene).as_raw_pid());
    let connections = || fs::read_dir(&descriptors).unwrap().count();

    let before = connections();
    let third = start(&mut scene.command(OPTIONS), format!("touch {}\nprint third", at("third-runs")));
    until("the third has connected", || connections() > before);
    assert!(!scene.path("third-runs").exists());
    fs::write(scene.path("first-go"), "").unwrap();
    assert_eq!(told(&finish(third)), success("third\n"));
    assert_eq!(told(&finish(first)), success("first\n"));
    fs::write(scene.path("second-go"), "").unwrap();
    assert_eq!(told(&finish(second)), success("second\n"));
}

#[test]
fn who_waits_for_its_turn_when_the_daemon_retires_is_served_by_the_next() {
    let scene = Scene::new();
    let at = |name: &str| scene.path(name).display().to_string();
    let running: Vec<_> = ["a", "b"]
        .map(|name| {
            let script = format!("touch {}\nawait {}\nprint {name}", at(name), at("go"));
            start(&mut scene.command(OPTIONS), script)
        })
        .into();
    until("both run", || scene.path("a").exists() && scene.path("b").exists());
    let daemon = busy_daemon(&scene);
    let waiting = start(&mut scene.command(OPTIONS), "pid");
    kill_process(daemon, Signal::TERM).unwrap();
    let (pid, ..) = told(&finish(waiting));
    assert_ne!(pid, format!("{}\n", daemon.as_raw_pid()));
    fs::write(scene.path("go"), "").unwrap();
    let told: Vec<_> = running.into_iter().map(|client| told(&finish(client))).collect();
    assert_eq!(told, [success("a\n"), success("b\n")]);
}

#[test]
fn handlers_run_on_as_many_threads_as_asked_for() {
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    let client = start(&mut scene.command(OPTIONS), format!("await {}\nbulk 10000", go_on.display()));
    let threads = format!("/proc/{}/task", busy_daemon(&scene).as_raw_pid());
    let handlers = || {
        let names = fs::read_dir(&threads)
            .unwrap()
            .map(|thread| fs::read(thread.unwrap().path().join("comm")).unwrap());
        names.filter(|name| name == b"handler\n").count()
    };
    until("the threads have their names", || handlers() > 0);
    assert_eq!(handlers(), 1);
    fs::write(go_on, "").unwrap();
    assert_eq!(finish(client).stdout.len(), 10_000);
}

#[test]
fn each_option_that_a_limit_belongs_to_is_named() {
    let scene = Scene::new();
    let (_, stderr, code) = told(&scene.run(OPTIONS, " ".repeat(4097)));
    assert!(stderr.contains("limit of 4096 bytes (max_command)"), "{stderr}");
    assert_eq!(code, Some(65));
    assert_eq!(
        told(&scene.run(OPTIONS, "fail it broke")),
        (String::new(), "options: it broke\n".into(), Some(1))
    );
}
