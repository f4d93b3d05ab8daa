//! Commands that begin on the thread that accepts their client, and whatever may hold them there.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use daemon_rpc_tests::scene::{Scene, finish, start, success, told, until, until_ended};
use daemon_rpc_tests::script;
use rustix::process::{Pid, Signal, kill_process};

const TWO_THREADS: &str = env!("CARGO_BIN_EXE_two-threads");
const SHORT_LIVED: &str = env!("CARGO_BIN_EXE_short-lived");
const OPTIONS: &str = env!("CARGO_BIN_EXE_options");
const EAGER: &str = env!("CARGO_BIN_EXE_eager");
const QUEUED: &str = env!("CARGO_BIN_EXE_queued");

/// A daemon one of whose acceptors waits for the next client.
fn with_acceptor() -> (Scene, Pid) {
    with_faults("")
}

/// The same with faults in the daemon. One command has begun at an acceptor.
fn with_faults(faults: &str) -> (Scene, Pid) {
    let scene = Scene::new();
    until("an acceptor takes commands", || {
        // The daemon has them of its first client.
        let mut command = scene.command(TWO_THREADS);
        command.env("DAEMON_RPC_FAULTS", faults);
        told(&finish(start(&mut command, "thread"))) == success("acceptor\n")
    });
    let daemon = pid(&scene);
    (scene, daemon)
}

/// The first finds no daemon, and the next no acceptor.
fn warm_up(scene: &Scene, program: &str) {
    until("an acceptor takes commands", || told(&scene.run(program, "thread")) == success("acceptor\n"));
}

/// Starts a command and waits until it runs at an acceptor. On a busy machine one may be free and not yet waiting when a client comes.
fn at_acceptor(scene: &Scene, program: &str, script: &str) -> Child {
    static COMMANDS: AtomicUsize = AtomicUsize::new(0);
    let mut begun = None;
    until("a command begins at an acceptor", || {
        let running = scene.path(&format!("at-acceptor-{}", COMMANDS.fetch_add(1, Ordering::Relaxed)));
        let script = format!("only-at-acceptor {}\n{script}", running.display());
        let mut child = start(&mut scene.command(program), script);
        let mut status = None;
        until("it runs or has ended", || {
            status = child.try_wait().unwrap();
            running.exists() || status.is_some()
        });
        let is_elsewhere =
            status.is_some_and(|status| status.code() == Some(i32::from(script::NOT_AT_ACCEPTOR)));
        begun = (!is_elsewhere).then_some(child);
        begun.is_some()
    });
    begun.unwrap()
}

fn pid(scene: &Scene) -> Pid {
    scene.daemon_pid("two-threads").expect("it serves")
}

fn status(scene: &Scene, program: &str) -> String {
    let output = scene.run_with(program, &["--daemon-status"], "");
    String::from_utf8(output.stdout).unwrap()
}

/// Commands that block all threads where handlers run, until the file `go-on` is there.
fn block_all(scene: &Scene) -> [Child; 4] {
    let script = format!("block-thread {}\nprint done", scene.path("go-on").display());
    let [first, second] = [(); 2].map(|()| at_acceptor(scene, TWO_THREADS, &script));
    // With no acceptor left.
    let [third, fourth] = [(); 2].map(|()| scene.begin(TWO_THREADS, &script));
    [first, second, third, fourth]
}

#[test]
fn a_command_that_waits_goes_on_elsewhere() {
    let (scene, _) = with_acceptor();
    let go_on = scene.path("go-on");
    let waiting = at_acceptor(&scene, TWO_THREADS, &format!("await {}\nthread\nexit 7", go_on.display()));
    warm_up(&scene, TWO_THREADS);
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(waiting)), ("handler\n".into(), String::new(), Some(7)));
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
    let blocking = at_acceptor(&scene, TWO_THREADS, &format!("block-thread {}\nexit 7", go_on.display()));
    for _ in 0..8 {
        assert_eq!(told(&scene.run(TWO_THREADS, "print other")), success("other\n"));
    }
    assert!(
        status(&scene, TWO_THREADS).contains(" 1 running, 0 waiting,"),
        "{}",
        status(&scene, TWO_THREADS)
    );
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(blocking)), (String::new(), String::new(), Some(7)));
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
    warm_up(&scene, TWO_THREADS);
}

#[test]
fn one_whose_caller_goes_is_cancelled_while_it_blocks_its_thread() {
    ends_with_its_caller("block-until-cancelled");
}

#[test]
fn one_that_waits_is_aborted_if_its_caller_has_gone() {
    ends_with_its_caller("until-aborted");
}

/// The step touches a file when it has ended.
fn ends_with_its_caller(step: &str) {
    let (scene, daemon) = with_acceptor();
    let ended = scene.path("ended");
    let client = at_acceptor(&scene, TWO_THREADS, &format!("{step} {}", ended.display()));
    kill_process(Pid::from_child(&client), Signal::KILL).unwrap();
    finish(client);
    until("it has ended", || ended.exists());
    warm_up(&scene, TWO_THREADS);
    assert_eq!(pid(&scene), daemon);
}

#[test]
fn one_that_is_aborted_meanwhile_ends_as_soon_as_it_waits() {
    let (scene, daemon) = with_acceptor();
    let [go_on, ended] = ["go-on", "ended"].map(|name| scene.path(name));
    let script =
        format!("touch-at-end {}\nblock-thread {}\nuntil-aborted {0}", ended.display(), go_on.display());
    let client = at_acceptor(&scene, TWO_THREADS, &script);
    kill_process(Pid::from_child(&client), Signal::TERM).unwrap();
    finish(client);
    until("it is aborted", || {
        fs::read_to_string(scene.file("two-threads", "log")).unwrap().contains("and is aborted")
    });
    fs::write(go_on, "").unwrap();
    until("it has ended", || ended.exists());
    assert_eq!(told(&scene.run(TWO_THREADS, "print next")), success("next\n"));
    assert_eq!(scene.daemon_pid("two-threads"), Some(daemon));
}

#[test]
fn one_that_was_aborted_long_before_it_waits_ends_then() {
    let (scene, daemon) = with_acceptor();
    let [go_on, ended, last] = ["go-on", "ended", "last"].map(|name| scene.path(name));
    // It keeps the daemon, which retires.
    let other = at_acceptor(&scene, TWO_THREADS, &format!("await {}\nprint other", last.display()));
    let script =
        format!("touch-at-end {}\nblock-thread {}\nuntil-aborted {0}", ended.display(), go_on.display());
    let client = at_acceptor(&scene, TWO_THREADS, &script);
    kill_process(Pid::from_child(&client), Signal::KILL).unwrap();
    finish(client);
    until("it retires", || scene.daemon_pid("two-threads") != Some(daemon));
    fs::write(go_on, "").unwrap();
    until("it has ended", || ended.exists());
    fs::write(last, "").unwrap();
    assert_eq!(told(&finish(other)), success("other\n"));
}

#[test]
fn a_daemon_retires_whose_acceptor_is_blocked_for_nobody() {
    let (scene, daemon) = with_acceptor();
    let client = at_acceptor(&scene, TWO_THREADS, &format!("block-thread {}", scene.path("never").display()));
    kill_process(Pid::from_child(&client), Signal::TERM).unwrap();
    finish(client);
    until("it retires", || scene.daemon_pid("two-threads") != Some(daemon));
    until_ended(daemon);
    assert_eq!(told(&scene.run(TWO_THREADS, "print next")), success("next\n"));
}

#[test]
fn one_that_blocks_its_thread_while_the_daemon_retires_is_seen_out() {
    let (scene, daemon) = with_acceptor();
    let go_on = scene.path("go-on");
    let script = format!("block-thread {}\nawait {}\nexit 7", go_on.display(), go_on.display());
    let blocking = at_acceptor(&scene, TWO_THREADS, &script);
    kill_process(daemon, Signal::TERM).unwrap();
    until("it retires", || scene.daemon_pid("two-threads") != Some(daemon));
    assert_eq!(told(&scene.run(TWO_THREADS, "print next")), success("next\n"));
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(blocking)), (String::new(), String::new(), Some(7)));
    until_ended(daemon);
}

#[test]
fn one_that_blocks_its_thread_is_cancelled_by_a_daemon_without_patience() {
    let (scene, daemon) = with_acceptor();
    let noticed = scene.path("noticed");
    let script = format!("block-until-cancelled {}\nexit 7", noticed.display());
    let blocking = at_acceptor(&scene, TWO_THREADS, &script);
    kill_process(daemon, Signal::QUIT).unwrap();
    assert_eq!(told(&finish(blocking)), (String::new(), String::new(), Some(7)));
    assert!(noticed.exists());
    until_ended(daemon);
}

#[test]
fn one_that_is_handed_on_while_the_daemon_retires_is_seen_out() {
    let (scene, daemon) = with_faults("daemon:hand_on#2=500ms");
    let go_on = scene.path("go-on");
    let waiting = scene.begin(TWO_THREADS, &format!("await {}\nexit 7", go_on.display()));
    kill_process(daemon, Signal::TERM).unwrap();
    until("it retires", || scene.daemon_pid("two-threads") != Some(daemon));
    // Longer than that lasts: nobody but the daemon that retires has it then.
    let patience = Instant::now() + Duration::from_secs(1);
    until("some time has passed", || Instant::now() > patience);
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(waiting)), (String::new(), String::new(), Some(7)));
    until_ended(daemon);
}

#[test]
fn one_that_begins_while_the_daemon_retires_is_seen_out() {
    let (scene, daemon) = with_faults("daemon:retire#1=1000ms");
    let go_on = scene.path("go-on");
    kill_process(daemon, Signal::TERM).unwrap();
    let waiting = scene.begin(TWO_THREADS, &format!("await {}\nexit 7", go_on.display()));
    until("it retires", || scene.daemon_pid("two-threads") != Some(daemon));
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(waiting)), (String::new(), String::new(), Some(7)));
    until_ended(daemon);
}

#[test]
fn one_that_has_not_begun_when_the_daemon_retires_is_left_to_the_next() {
    let (scene, daemon) = with_faults("daemon:first_step#2=1000ms");
    let mut client = None;
    until("one is held up at an acceptor", || {
        let mut started = start(&mut scene.command(TWO_THREADS), "pid");
        let mut has_ended = false;
        until("it is held up or has ended", || {
            has_ended = started.try_wait().unwrap().is_some();
            has_ended || status(&scene, TWO_THREADS).contains(" 0 running, 1 waiting,")
        });
        client = (!has_ended).then_some(started);
        client.is_some()
    });
    let client = client.unwrap();
    kill_process(daemon, Signal::TERM).unwrap();
    let (stdout, stderr, code) = told(&finish(client));
    assert_eq!((&*stderr, code), ("", Some(0)));
    assert_ne!(stdout, format!("{}\n", daemon.as_raw_pid()));
    until_ended(daemon);
}

#[test]
fn a_daemon_is_not_idle_while_one_blocks_its_thread() {
    let scene = Scene::new();
    warm_up(&scene, SHORT_LIVED);
    let daemon = scene.daemon_pid("short-lived").unwrap();
    let go_on = scene.path("go-on");
    let blocking = at_acceptor(&scene, SHORT_LIVED, &format!("block-thread {}", go_on.display()));
    // Twice its idle timeout.
    let patience = Instant::now() + Duration::from_secs(4);
    until("some time has passed", || Instant::now() > patience);
    assert_eq!(scene.daemon_pid("short-lived"), Some(daemon));
    fs::write(go_on, "").unwrap();
    assert_eq!(told(&finish(blocking)), success(""));
    until_ended(daemon);
    assert!(!scene.file("short-lived", "sock").exists());
}

#[test]
fn one_that_panics_at_once_takes_nothing_with_it() {
    let (scene, daemon) = with_acceptor();
    for _ in 0..3 {
        let (stdout, _, code) = told(&finish(at_acceptor(&scene, TWO_THREADS, "panic oh")));
        assert!(stdout.contains("oh"), "{stdout}");
        assert_eq!(code, Some(101));
    }
    warm_up(&scene, TWO_THREADS);
    assert_eq!(pid(&scene), daemon);
}

#[test]
fn more_output_than_there_is_room_for_arrives_whole() {
    let (scene, _) = with_acceptor();
    let output = finish(at_acceptor(&scene, TWO_THREADS, "bulk 3000000\nexit 7"));
    assert_eq!((output.stdout.len(), output.status.code()), (3_000_000, Some(7)));
}

#[test]
fn what_was_written_arrives_while_its_handler_blocks_its_thread() {
    let (scene, _) = with_acceptor();
    // Of some, the socket has taken the last chunk in part.
    for size in (64..640).step_by(16).map(|kib| kib * 1024) {
        let go_on = scene.path(&format!("go-on-{size}"));
        let script = format!("bulk {size}\nblock-thread {}\nexit 7", go_on.display());
        let mut client = start(&mut scene.command(TWO_THREADS), script);
        let mut stdout = client.stdout.take().unwrap();
        let all = thread::spawn(move || stdout.read_exact(&mut vec![0; size]).map(|()| stdout));
        until("all arrives", || all.is_finished());
        let _open = all.join().unwrap().unwrap();
        fs::write(go_on, "").unwrap();
        assert_eq!(finish(client).status.code(), Some(7));
    }
}

#[test]
fn what_a_command_has_left_arrives_while_others_block_all_threads() {
    let (scene, _) = with_acceptor();
    // Of some, the socket takes the last chunk in part.
    let commands: Vec<_> = (64..640)
        .step_by(16)
        .map(|kib| {
            let written = scene.path(&format!("written-{kib}"));
            let script = format!("bulk {}\ntouch {}\nexit 7", kib * 1024, written.display());
            (kib * 1024, written, start(&mut scene.command(TWO_THREADS), script))
        })
        .collect();
    until("the smallest has ended", || commands[0].1.exists());
    let blocking = block_all(&scene);
    let (ended, waiting): (Vec<_>, Vec<_>) =
        commands.into_iter().partition(|(_, written, _)| written.exists());
    assert!(!ended.is_empty() && !waiting.is_empty(), "{} ended", ended.len());
    let check = |(size, _, client)| {
        let output = finish(client);
        assert_eq!((output.stdout.len(), output.status.code()), (size, Some(7)));
    };
    ended.into_iter().for_each(check);

    fs::write(scene.path("go-on"), "").unwrap();
    waiting.into_iter().for_each(check);
    blocking.into_iter().for_each(|blocking| assert_eq!(told(&finish(blocking)), success("done\n")));
}

#[test]
fn one_that_never_lets_go_of_its_thread_is_served_meanwhile() {
    let scene = Scene::new();
    let input: Arc<Vec<u8>> = Arc::new((0..=u8::MAX).cycle().take(3_000_000).collect());
    until("it begins at an acceptor", || {
        let mut client = scene.command(EAGER).spawn().unwrap();
        let mut stdin = client.stdin.take().unwrap();
        let mut stdout = BufReader::new(client.stdout.take().unwrap());
        let mut thread = String::new();
        stdout.read_line(&mut thread).unwrap();
        let fed = Arc::clone(&input);
        let feeder = thread::spawn(move || stdin.write_all(&fed));
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).unwrap();
        feeder.join().unwrap().unwrap();
        assert!(output == *input);
        assert_eq!(finish(client).status.code(), Some(0));
        thread == "acceptor\n"
    });
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
fn acceptors_that_never_find_a_descriptor_keep_nobody_waiting() {
    let faults: Vec<_> = (1..=50).map(|number| format!("daemon:accept_promptly#{number}=EMFILE")).collect();
    let scene = Scene::new();
    for _ in 0..10 {
        let mut command = scene.command(TWO_THREADS);
        command.env("DAEMON_RPC_FAULTS", faults.join(" "));
        assert_eq!(told(&finish(start(&mut command, "thread"))), success("handler\n"));
    }
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
