//! Commands that begin on the thread that accepts their client, and whatever may hold them there.

use std::fs;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::time::{Duration, Instant};

use daemon_rpc_tests::scene::{Scene, finish, start, success, told, until, until_ended};
use rustix::process::{Pid, Signal, kill_process};

const TWO_THREADS: &str = env!("CARGO_BIN_EXE_two-threads");
const SHORT_LIVED: &str = env!("CARGO_BIN_EXE_short-lived");
const OPTIONS: &str = env!("CARGO_BIN_EXE_options");
const QUEUED: &str = env!("CARGO_BIN_EXE_queued");

/// A daemon one of whose acceptors waits for the next client.
fn with_acceptor() -> (Scene, Pid) {
    let scene = Scene::new();
    warm_up(&scene, TWO_THREADS);
    let daemon = pid(&scene);
    (scene, daemon)
}

/// The first finds no daemon, and the next no acceptor.
fn warm_up(scene: &Scene, program: &str) {
    until("an acceptor takes commands", || told(&scene.run(program, "thread")) == success("acceptor\n"));
}

fn pid(scene: &Scene) -> Pid {
    scene.daemon_pid("two-threads").expect("it serves")
}

fn status(scene: &Scene, program: &str) -> String {
    let output = scene.run_with(program, &["--daemon-status"], "");
    String::from_utf8(output.stdout).unwrap()
}

/// Commands that block all threads where handlers run, until the file `go-on` is there.
fn block_all(scene: &Scene) -> Vec<Child> {
    let script = format!("block-thread {}\nprint done", scene.path("go-on").display());
    // Two acceptors and two of the runtime's.
    (0..4).map(|_| scene.begin(TWO_THREADS, &script)).collect()
}

#[test]
fn a_command_that_waits_goes_on_elsewhere() {
    let (scene, _) = with_acceptor();
    let go_on = scene.path("go-on");
    let waiting = scene.begin(TWO_THREADS, &format!("thread\nawait {}\nthread\nexit 7", go_on.display()));
    assert_eq!(told(&scene.run(TWO_THREADS, "thread")), success("acceptor\n"));
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(waiting)), ("acceptor\nhandler\n".into(), String::new(), Some(7)));
}

#[test]
fn an_application_that_asks_for_one_thread_has_one() {
    let scene = Scene::new();
    for _ in 0..5 {
        assert_eq!(told(&scene.run(OPTIONS, "thread")), success("handler\n"));
    }
}

#[test]
fn one_that_blocks_its_thread_keeps_nobody_waiting() {
    let (scene, daemon) = with_acceptor();
    let go_on = scene.path("go-on");
    let blocking = scene.begin(TWO_THREADS, &format!("thread\nblock-thread {}\nexit 7", go_on.display()));
    for _ in 0..8 {
        assert_eq!(told(&scene.run(TWO_THREADS, "print other")), success("other\n"));
    }
    assert!(
        status(&scene, TWO_THREADS).contains(" 1 running, 0 waiting,"),
        "{}",
        status(&scene, TWO_THREADS)
    );
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(blocking)), ("acceptor\n".into(), String::new(), Some(7)));
    assert_eq!(pid(&scene), daemon);
}

#[test]
fn while_all_threads_are_blocked_clients_wait_and_are_answered() {
    let (scene, daemon) = with_acceptor();
    let blocking = block_all(&scene);
    let waiting: Vec<_> = (0..3).map(|_| start(&mut scene.command(TWO_THREADS), "print waited")).collect();
    until("they wait", || status(&scene, TWO_THREADS).contains(" 4 running, 3 waiting,"));
    fs::write(scene.path("go-on"), "").unwrap();
    for blocking in blocking {
        assert_eq!(told(&finish(blocking)), success("done\n"));
    }
    for waiting in waiting {
        assert_eq!(told(&finish(waiting)), success("waited\n"));
    }
    assert_eq!(pid(&scene), daemon);
    assert_eq!(told(&scene.run(TWO_THREADS, "thread")), success("acceptor\n"));
}

#[test]
fn one_whose_caller_goes_is_cancelled_while_it_blocks_its_thread() {
    let (scene, daemon) = with_acceptor();
    let noticed = scene.path("noticed");
    let client = scene.begin(TWO_THREADS, &format!("thread\nblock-until-cancelled {}", noticed.display()));
    kill_process(Pid::from_child(&client), Signal::KILL).unwrap();
    assert!(finish(client).stdout.starts_with(b"acceptor\n"));
    until("it is cancelled", || noticed.exists());
    assert_eq!(told(&scene.run(TWO_THREADS, "thread")), success("acceptor\n"));
    assert_eq!(pid(&scene), daemon);
}

#[test]
fn one_that_is_aborted_meanwhile_ends_as_soon_as_it_waits() {
    let (scene, daemon) = with_acceptor();
    let [go_on, ended] = ["go-on", "ended"].map(|name| scene.path(name));
    let client = scene
        .begin(TWO_THREADS, &format!("block-thread {}\nuntil-aborted {}", go_on.display(), ended.display()));
    kill_process(Pid::from_child(&client), Signal::TERM).unwrap();
    finish(client);
    fs::write(go_on, "").unwrap();
    until("it is aborted", || ended.exists());
    assert_eq!(told(&scene.run(TWO_THREADS, "thread")), success("acceptor\n"));
    assert_eq!(pid(&scene), daemon);
}

#[test]
fn a_daemon_retires_whose_acceptor_is_blocked_for_nobody() {
    let (scene, daemon) = with_acceptor();
    let client = scene.begin(TWO_THREADS, &format!("thread\nblock-thread {}", scene.path("never").display()));
    kill_process(Pid::from_child(&client), Signal::TERM).unwrap();
    assert_eq!(finish(client).stdout, b"acceptor\n");
    until("it retires", || scene.daemon_pid("two-threads") != Some(daemon));
    until_ended(daemon);
    assert_eq!(told(&scene.run(TWO_THREADS, "print next")), success("next\n"));
}

#[test]
fn one_that_blocks_its_thread_while_the_daemon_retires_is_seen_out() {
    let (scene, daemon) = with_acceptor();
    let go_on = scene.path("go-on");
    let script = format!("thread\nblock-thread {}\nawait {}\nexit 7", go_on.display(), go_on.display());
    let blocking = scene.begin(TWO_THREADS, &script);
    kill_process(daemon, Signal::TERM).unwrap();
    until("it retires", || scene.daemon_pid("two-threads") != Some(daemon));
    assert_eq!(told(&scene.run(TWO_THREADS, "print next")), success("next\n"));
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(blocking)), ("acceptor\n".into(), String::new(), Some(7)));
    until_ended(daemon);
}

#[test]
fn one_that_blocks_its_thread_is_cancelled_by_a_daemon_without_patience() {
    let (scene, daemon) = with_acceptor();
    let noticed = scene.path("noticed");
    let script = format!("thread\nblock-until-cancelled {}\nexit 7", noticed.display());
    let blocking = scene.begin(TWO_THREADS, &script);
    kill_process(daemon, Signal::QUIT).unwrap();
    assert_eq!(told(&finish(blocking)), ("acceptor\n".into(), String::new(), Some(7)));
    assert!(noticed.exists());
    until_ended(daemon);
}

#[test]
fn a_daemon_is_not_idle_while_one_blocks_its_thread() {
    let scene = Scene::new();
    warm_up(&scene, SHORT_LIVED);
    let daemon = scene.daemon_pid("short-lived").unwrap();
    let go_on = scene.path("go-on");
    let blocking = scene.begin(SHORT_LIVED, &format!("thread\nblock-thread {}", go_on.display()));
    // Twice its idle timeout.
    let patience = Instant::now() + Duration::from_secs(4);
    until("some time has passed", || Instant::now() > patience);
    assert_eq!(scene.daemon_pid("short-lived"), Some(daemon));
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(blocking)), success("acceptor\n"));
    until_ended(daemon);
    assert!(!scene.file("short-lived", "sock").exists());
}

#[test]
fn one_that_panics_at_once_takes_nothing_with_it() {
    let (scene, daemon) = with_acceptor();
    for _ in 0..3 {
        let (stdout, _, code) = told(&scene.run(TWO_THREADS, "thread\npanic oh"));
        assert!(stdout.starts_with("acceptor\n") && stdout.contains("oh"), "{stdout}");
        assert_eq!(code, Some(101));
    }
    assert_eq!(told(&scene.run(TWO_THREADS, "thread")), success("acceptor\n"));
    assert_eq!(pid(&scene), daemon);
}

#[test]
fn more_output_than_there_is_room_for_arrives_whole() {
    let (scene, _) = with_acceptor();
    let output = scene.run(TWO_THREADS, "thread\nbulk 3000000\nexit 7");
    assert_eq!((output.stdout.len(), output.status.code()), ("acceptor\n".len() + 3_000_000, Some(7)));
}

#[test]
fn a_command_longer_than_acceptors_wait_for_is_run() {
    let (scene, _) = with_acceptor();
    let text = "x".repeat(500_000);
    assert_eq!(told(&scene.run(TWO_THREADS, format!("print {text}"))), success(&format!("{text}\n")));
}

#[test]
fn those_who_say_nothing_keep_nobody_waiting() {
    let (scene, daemon) = with_acceptor();
    let silent: Vec<_> =
        (0..20).map(|_| UnixStream::connect(scene.file("two-threads", "sock")).unwrap()).collect();
    assert_eq!(told(&scene.run(TWO_THREADS, "print said")), success("said\n"));
    assert_eq!(pid(&scene), daemon);
    drop(silent);
}

#[test]
fn commands_wait_for_their_turn_here_too() {
    let scene = Scene::new();
    fs::write(scene.path("go-on"), "").unwrap();
    let callers: Vec<_> = (0..40).map(|_| start(&mut scene.command(QUEUED), "")).collect();
    let mut numbers: Vec<u32> = callers
        .into_iter()
        .map(|caller| {
            let (stdout, stderr, code) = told(&finish(caller));
            assert_eq!((&*stderr, code), ("", Some(0)));
            stdout.trim().parse().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, Vec::from_iter(0..40));
}

#[test]
fn an_acceptor_that_finds_no_descriptor_free_goes_on_later() {
    let scene = Scene::new();
    let reached = scene.path("reached");
    // The daemon has them of its first client.
    let mut first = scene.command(TWO_THREADS);
    first
        .env("DAEMON_RPC_FAULTS", "daemon:accept_promptly#2=EMFILE daemon:accept_promptly#3=EINTR")
        .env("DAEMON_RPC_FAULTS_REACHED", &reached);
    assert_eq!(told(&finish(start(&mut first, "print first"))), success("first\n"));
    for _ in 0..10 {
        let (stdout, stderr, code) = told(&scene.run(TWO_THREADS, "thread"));
        assert!(["handler\n", "acceptor\n"].contains(&&*stdout), "{stdout}");
        assert_eq!((&*stderr, code), ("", Some(0)));
    }
    let count = || fs::read_to_string(&reached).unwrap().matches("daemon:accept_promptly").count();
    until("it accepts again", || {
        assert_eq!(told(&scene.run(TWO_THREADS, "print next")), success("next\n"));
        count() > 4
    });
    warm_up(&scene, TWO_THREADS);
}
