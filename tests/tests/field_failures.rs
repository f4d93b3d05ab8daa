//! The failures of `docs/field-failures.md`, recreated. Each test is named after its row, and says what was taken out of
//! the code to see it fail.

use std::collections::BTreeSet;
use std::fs;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use daemon_rpc_tests::scene::{
    DEADLINE, Scene, both_ways, finish, finish_status, start, success, told, until, until_ended,
};
use daemon_rpc_tests::supervisor::Supervisor;
use daemon_rpc_tests::terminal::{CTRL_C, CTRL_D, in_terminal, read_until};
use pty_process::Size;
use pty_process::blocking::Pty;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

const EIO: i32 = rustix::io::Errno::IO.raw_os_error();

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const REBUILT: &str = env!("CARGO_BIN_EXE_scripted-rebuilt");
const HELLO: &str = env!("CARGO_BIN_EXE_hello");
const RESTLESS: &str = env!("CARGO_BIN_EXE_restless");
const STATEFUL: &str = env!("CARGO_BIN_EXE_stateful");
const SLOW_TO_LOAD: &str = env!("CARGO_BIN_EXE_slow-to-load");
const SURROUNDINGS: &str = env!("CARGO_BIN_EXE_surroundings");
const TWO_THREADS: &str = env!("CARGO_BIN_EXE_two-threads");
const APPEARANCE: &str = env!("CARGO_BIN_EXE_appearance");

/// What a command prints that tells which daemon runs it.
fn served_by(daemon: Pid) -> (String, String, Option<i32>) {
    success(&format!("{}\n", daemon.as_raw_pid()))
}

/// A command that has begun, has printed `before`, and prints `after` when the test lets it.
struct Running {
    client: Child,
    daemon: Pid,
    go_on: PathBuf,
}

fn running(scene: &Scene, program: &str, id: &str) -> Running {
    let go_on = scene.path("go-on");
    let script = format!("await {}\nprint after", go_on.display());
    let client = scene.begin(program, &format!("print before\n{script}"));
    Running { client, daemon: scene.daemon_pid(id).unwrap(), go_on }
}

impl Running {
    fn go_on(self) -> (String, String, Option<i32>) {
        fs::write(self.go_on, "").unwrap();
        told(&finish(self.client))
    }
}

/// The arguments by which a daemon was started.
fn arguments_of(daemon: Pid) -> Vec<String> {
    let arguments = fs::read_to_string(format!("/proc/{}/cmdline", daemon.as_raw_pid())).unwrap();
    arguments.trim_end_matches('\0').split('\0').skip(1).map(str::to_owned).collect()
}

/// Who waits for a pipe's end waits for ever when a daemon keeps one of its caller's descriptors: standard ones or others.
///
/// Fails without `keep_descriptors_from_children`, and where the daemon's standard error isn't its log (`client/start.rs`).
#[test]
fn f01_who_reads_what_a_command_was_given_to_write_sees_its_end() {
    let scene = Scene::new();
    let [stdout, stderr, third, seventh] = std::array::from_fn(|_| pipe().unwrap());
    let mut command = scene.command("sh");
    let script = format!("exec 3> {}; exec 7> {}; \"$HELLO\"", path(&third.1), path(&seventh.1));
    command.args(["-c", &script]).env("HELLO", HELLO);
    let mut client = command.stdin(Stdio::null()).stdout(stdout.1).stderr(stderr.1).spawn().unwrap();
    assert!(finish_status(&mut client).success());
    drop((command, third.1, seventh.1));
    for (pipe, written) in [(stdout.0, "hello\n"), (stderr.0, ""), (third.0, ""), (seventh.0, "")] {
        assert_eq!(all_of(pipe), written);
    }
}

/// The same in a shell's own words.
///
/// Fails where the daemon's standard error isn't its log (`client/start.rs`).
#[test]
fn f01_command_substitution_and_pipes_end() {
    let scene = Scene::new();
    let mut command = scene.command("sh");
    let script = "got=$(\"$HELLO\" 2>&1); echo \"<$got>\"; \"$HELLO\" 2>&1 | cat";
    command.args(["-c", script]).env("HELLO", HELLO).stdin(Stdio::null());
    assert_eq!(told(&finish(start(&mut command, ""))), success("<hello>\nhello\n"));
}

/// By which a child opens a pipe of this process.
fn path(pipe: &PipeWriter) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), pipe.as_raw_fd())
}

/// What was written to a pipe that nobody has open any more, now that the command has ended.
#[track_caller]
fn all_of(mut pipe: PipeReader) -> String {
    rustix::io::ioctl_fionbio(&pipe, true).unwrap();
    let mut written = String::new();
    pipe.read_to_string(&mut written).expect("nobody keeps it open");
    written
}

/// A terminal window or an ssh session stays open after its shell has ended when a daemon keeps a descriptor of it, or
/// stays in its session.
///
/// Fails without `setsid` (`sys::leave_callers_session`), without `keep_descriptors_from_children` and where the daemon's
/// standard error isn't its log (`client/start.rs`).
#[test]
fn f02_a_terminal_is_free_when_its_shell_has_gone() {
    let scene = Scene::new();
    let script = "exec 7<> /dev/tty; echo pid | \"$SCRIPTED\"; exit";
    let (mut pty, mut shell) = in_terminal(&scene, "sh", &["-c", script], &[("SCRIPTED", SCRIPTED)]);
    let shown = read_until(&mut pty, "\r\n");
    finish_status(&mut shell);
    assert_free(&mut pty);

    let daemon = scene.daemon_pid("scripted").unwrap();
    assert_eq!(shown, format!("{}\r\n", daemon.as_raw_pid()));
    let process = format!("/proc/{}", daemon.as_raw_pid());
    for descriptor in fs::read_dir(format!("{process}/fd")).unwrap() {
        let target = fs::read_link(descriptor.unwrap().path()).unwrap();
        assert!(!target.starts_with("/dev/pts") && !target.starts_with("/dev/tty"), "{target:?}");
    }
    let stat = fs::read_to_string(format!("{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let (session, terminal) = (fields[3], fields[4]);
    assert_eq!((session, terminal), (&*daemon.as_raw_pid().to_string(), "0"));
    // It has outlived the hang-up.
    assert_eq!(told(&scene.run(SCRIPTED, "pid")), served_by(daemon));
}

/// Nobody has the terminal open.
#[track_caller]
fn assert_free(pty: &mut Pty) {
    let mut watched = [PollFd::new(&*pty, PollFlags::IN)];
    poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
    assert!(watched[0].revents().contains(PollFlags::HUP), "somebody keeps the terminal open");
    let end = pty.read_to_end(&mut Vec::new()).map_err(|error| error.raw_os_error());
    // On Linux the end of a terminal is an error.
    assert!(matches!(end, Ok(_) | Err(Some(EIO))), "{end:?}");
}

/// Commands that are called together while no daemon serves, as by `make -j` or an editor, start a daemon each.
///
/// Fails where who has waited for the start lock doesn't look again (`client/connect.rs`).
#[test]
fn f03_two_hundred_first_calls_at_once_start_one_daemon() {
    const CALLERS: usize = 200;
    let scene = Scene::new();
    // As if one more were starting the daemon, so that all have looked for one in vain before the first of them goes on.
    let start_lock = fs::File::create(scene.file("scripted", "lock")).unwrap();
    flock(&start_lock, FlockOperation::LockExclusive).unwrap();
    let script = |number| format!("print {number}\npid");
    let callers: Vec<_> =
        (0..CALLERS).map(|number| start(&mut scene.command(SCRIPTED), script(number))).collect();
    until("all wait for the start lock", || waiting_for(&start_lock) == CALLERS);
    assert!(!scene.file("scripted", "sock").exists());
    drop(start_lock);
    let answers: Vec<_> = callers.into_iter().map(|caller| told(&finish(caller))).collect();
    let daemon = scene.daemon_pid("scripted").unwrap();
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, success(&format!("{number}\n{}\n", daemon.as_raw_pid())));
    }
    assert_eq!(scene.processes(), [daemon]);
    let log = fs::read_to_string(scene.file("scripted", "log")).unwrap();
    assert_eq!(log.matches(" serving ").count(), 1, "{log}");
}

/// How many processes wait for a lock on the file.
fn waiting_for(file: &fs::File) -> usize {
    let inode = format!(":{} ", file.metadata().unwrap().ino());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().filter(|lock| lock.contains(" -> ") && lock.contains(&inode)).count()
}

/// A second start took the socket away from the daemon that served.
///
/// Fails without the refusals of `if_nobody_serves` (daemon/foreground.rs) and of a listener that isn't the daemon's
/// (daemon/handover.rs).
#[test]
fn f04_a_start_by_hand_or_by_a_supervisor_is_refused_while_one_serves() {
    let scene = Scene::new();
    let served = told(&scene.run(SCRIPTED, "pid"));
    let daemon = scene.daemon_pid("scripted").unwrap();

    let internal = finish(start(scene.command(SCRIPTED).args(arguments_of(daemon)), ""));
    assert_eq!(internal.status.code(), Some(64), "{:?}", told(&internal));
    for program in [SCRIPTED, REBUILT] {
        let (stdout, stderr, code) = told(&scene.run_with(program, &["--daemon-run"], ""));
        assert_eq!((&*stdout, code), ("", Some(69)));
        let reason = format!(": a daemon serves already (pid {}); stop it first", daemon.as_raw_pid());
        assert!(stderr.contains(&reason), "{stderr}");
    }
    assert_eq!(told(&scene.run(SCRIPTED, "pid")), served);

    assert!(scene.run_with(SCRIPTED, &["--daemon-stop"], "").status.success());
    let mut by_hand = scene.command(SCRIPTED).arg("--daemon-run").spawn().unwrap();
    until("it serves", || scene.daemon_pid("scripted").is_some_and(|pid| pid != daemon));
    let served = told(&scene.run(SCRIPTED, "pid"));
    let second = scene.run_with(SCRIPTED, &["--daemon-run"], "");
    assert_eq!(second.status.code(), Some(69), "{:?}", told(&second));
    assert_eq!(told(&scene.run(SCRIPTED, "pid")), served);
    by_hand.kill().unwrap();
    by_hand.wait().unwrap();
}

/// A daemon that was killed leaves its socket's file behind, and no other can be started in its place.
///
/// Fails where `Instance::bind` doesn't unlink what is there (`instance/socket.rs`).
#[test]
fn f05_a_socket_that_sigkill_left_is_no_obstacle() {
    let scene = Scene::new();
    scene.run(SCRIPTED, "");
    let killed = scene.daemon_pid("scripted").unwrap();
    kill_process(killed, Signal::KILL).unwrap();
    until_ended(killed);
    assert!(scene.file("scripted", "sock").exists() && scene.file("scripted", "pid").exists());
    assert_eq!(told(&scene.run(SCRIPTED, "print up again")), success("up again\n"));
    let daemon = scene.daemon_pid("scripted").unwrap();
    assert_ne!(daemon, killed);
    assert_eq!(told(&scene.run(SCRIPTED, "pid")), served_by(daemon));
}

/// A pid file survives its daemon, and the number in it is somebody else's by now, who is taken for the daemon or killed.
///
/// Fails where `Instance::lock_life` takes a living process whose number is in the file for the daemon
/// (`instance/lock.rs`).
#[test]
fn f06_a_stale_pid_file_brings_nobody_to_harm_and_misleads_nobody() {
    let scene = Scene::new();
    let mut bystander = bystander(&scene);
    name_in_pid_file(&scene, &bystander);
    let output = scene.run(SCRIPTED, "print hello");
    assert_unharmed(&mut bystander);
    assert_eq!(told(&output), success("hello\n"));
}

/// The same while a daemon lives that another build is to replace: it is asked to retire, and nobody else is.
///
/// Fails where `Holder::pid` reads the number in the file (`instance/holder.rs`).
#[test]
fn f06_who_is_named_in_the_file_of_a_living_daemon_is_not_asked_to_retire_in_its_place() {
    let scene = Scene::new();
    scene.run(SCRIPTED, "");
    let daemon = scene.daemon_pid("scripted").unwrap();
    let mut bystander = bystander(&scene);
    name_in_pid_file(&scene, &bystander);
    let output = scene.run(REBUILT, "print replaced");
    assert_unharmed(&mut bystander);
    assert_eq!(told(&output), success("replaced\n"));
    until_ended(daemon);
}

/// The same while the daemon is hung, and has to be killed.
///
/// Fails where `Holder::pid` reads the number in the file (`instance/holder.rs`).
#[test]
fn f06_who_is_named_in_the_file_of_a_hung_daemon_is_not_killed_in_its_place() {
    let scene = Scene::new();
    scene.run(SCRIPTED, "");
    let daemon = scene.daemon_pid("scripted").unwrap();
    kill_process(daemon, Signal::STOP).unwrap();
    let mut bystander = bystander(&scene);
    name_in_pid_file(&scene, &bystander);
    let output = scene.run(SCRIPTED, "print replaced");
    assert_unharmed(&mut bystander);
    assert_eq!(told(&output), success("replaced\n"));
    until_ended(daemon);
}

/// A process that has nothing to do with the daemon.
fn bystander(scene: &Scene) -> Child {
    scene.command("sleep").arg("1000").spawn().unwrap()
}

fn name_in_pid_file(scene: &Scene, process: &Child) {
    let path = scene.file("scripted", "pid");
    // The file stays the same one, which a daemon may have locked.
    fs::write(&path, format!("{}\n", process.id())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[track_caller]
fn assert_unharmed(bystander: &mut Child) {
    assert_eq!(bystander.try_wait().unwrap(), None);
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

/// After an upgrade, the daemon of the version before goes on answering the new version's calls; after a downgrade the
/// other way round.
///
/// Fails where client and daemon agree whatever the other's build is (`client/connection.rs`, `daemon/session.rs`).
#[test]
fn f07_after_an_upgrade_or_a_downgrade_calls_are_served_by_what_is_installed() {
    for versions in [[SCRIPTED, REBUILT], [REBUILT, SCRIPTED]] {
        let scene = Scene::new();
        for version in versions {
            let program = install(&scene, version);
            for _ in 0..2 {
                let output = scene.run(&program, "pid");
                let daemon = scene.daemon_pid("scripted").unwrap();
                assert_eq!(told(&output), served_by(daemon));
                assert_eq!(executable(daemon), inode(&program));
            }
        }
    }
}

/// Replaces the program as package managers do, without touching the file that a daemon runs from.
fn install(scene: &Scene, version: &str) -> PathBuf {
    let (new, program) = (scene.path("new"), scene.path("program"));
    fs::copy(version, &new).unwrap();
    fs::rename(new, &program).unwrap();
    program
}

fn inode(file: &Path) -> u64 {
    fs::metadata(file).unwrap().ino()
}

/// The file that a process runs from, which may have no name any more.
fn executable(process: Pid) -> u64 {
    inode(Path::new(&format!("/proc/{}/exe", process.as_raw_pid())))
}

/// Newer clients replace an older daemon, but older clients put up with a newer one.
///
/// Fails where client and daemon agree if the client is the older one (`client/connection.rs`, `daemon/session.rs`).
#[test]
fn f08_neither_the_newer_nor_the_older_of_two_versions_is_served_by_the_other() {
    let scene = Scene::new();
    for _ in 0..3 {
        for version in [SCRIPTED, REBUILT] {
            let output = scene.run(version, "pid");
            let daemon = scene.daemon_pid("scripted").unwrap();
            assert_eq!(told(&output), served_by(daemon));
            assert_eq!(executable(daemon), inode(Path::new(version)));
        }
    }
}

/// Two versions that are both in use kill each other's daemon, and with it the commands that it runs.
///
/// Fails where a daemon that stands in the way is killed and not asked to retire (`instance/holder.rs`).
#[test]
fn f09_two_versions_called_in_turns_at_the_same_time_finish_every_command() {
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    let callers: Vec<_> = (0..200)
        .map(|number| {
            let (program, begun) = if number % 2 == 0 { (SCRIPTED, "even") } else { (REBUILT, "odd") };
            let begun = scene.path(begun);
            let script = format!(
                "print {number}\ntouch {}\nawait {}\nprint {number} done",
                begun.display(),
                go_on.display()
            );
            (number, start(&mut scene.command(program), script))
        })
        .collect();
    // By then the one's daemon has been replaced with commands in it.
    until("commands of both run", || scene.path("even").exists() && scene.path("odd").exists());
    fs::write(go_on, "").unwrap();
    for (number, caller) in callers {
        assert_eq!(told(&finish(caller)), success(&format!("{number}\n{number} done\n")));
    }
}

/// Whatever was running when the daemon is restarted is lost.
///
/// Fails where a daemon that retires doesn't `drain` (`daemon/control.rs`).
#[test]
fn f10_commands_in_flight_finish_though_their_daemon_is_replaced() {
    type Restart = fn(&Scene, Pid);
    let restarts: [(&str, Restart); 3] = [
        ("asked to end", |scene, daemon| {
            kill_process(daemon, Signal::TERM).unwrap();
            until("the socket is free", || !scene.file("scripted", "sock").exists());
        }),
        ("another build", |scene, _| assert_eq!(told(&scene.run(REBUILT, "print next")), success("next\n"))),
        ("socket deleted", |scene, _| {
            fs::remove_file(scene.file("scripted", "sock")).unwrap();
            assert_eq!(told(&scene.run(SCRIPTED, "print next")), success("next\n"));
        }),
    ];
    for (name, restart) in restarts {
        let scene = Scene::new();
        let in_flight = running(&scene, SCRIPTED, "scripted");
        let old = in_flight.daemon;
        restart(&scene, old);
        let served = told(&scene.run(REBUILT, "pid"));
        let new = scene.daemon_pid("scripted").unwrap();
        assert_ne!(old, new, "{name}");
        assert_eq!(served, served_by(new), "{name}");
        assert_eq!(in_flight.go_on(), success("before\nafter\n"), "{name}");
        until_ended(old);
        assert_eq!(scene.daemon_pid("scripted"), Some(new), "{name}");
        assert_eq!(told(&scene.run(REBUILT, "pid")), served, "{name}");
    }
}

/// Commands see the environment and the directory of whoever happened to start the daemon.
///
/// Fails where `Env` is the daemon's environment (`params/env.rs`), and where `Cwd` is its directory (`params/cwd.rs`).
#[test]
fn f11_two_projects_at_the_same_time_see_each_its_own_directory_and_environment() {
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    let callers = ["blue", "red"].map(|project| {
        let directory = scene.path(project);
        fs::create_dir(&directory).unwrap();
        let mut command = scene.command(SURROUNDINGS);
        command.current_dir(&directory).env("PROBE", project).env("GO_ON", &go_on);
        let mut caller = start(&mut command, "");
        let mut waiting = [0; "waiting\n".len()];
        caller.stdout.as_mut().unwrap().read_exact(&mut waiting).unwrap();
        (caller, format!("cwd={}\nenv=PROBE {project}\n", directory.display()))
    });
    fs::write(go_on, "").unwrap();
    for (caller, expected) in callers {
        assert_eq!(told(&finish(caller)), success(&expected));
    }
}

/// The same with so many that commands of several callers run on each thread.
///
/// Fails as the one before.
#[test]
fn f11_thirty_callers_see_each_its_own_directory_and_environment() {
    let scene = Scene::new();
    let callers: Vec<_> = (0..30)
        .map(|number: u32| {
            let name = number.to_string();
            let directory = scene.path(&name);
            fs::create_dir(&directory).unwrap();
            let mut command = scene.command(SURROUNDINGS);
            command.arg(&name).env("PROBE", &name).current_dir(&directory);
            (start(&mut command, ""), format!("cwd={}\narg={name}\nenv=PROBE {name}\n", directory.display()))
        })
        .collect();
    for (caller, expected) in callers {
        assert_eq!(told(&finish(caller)), success(&expected));
    }
}

/// A socket's path that is too long for the system ends in "invalid argument".
///
/// Fails without `check_path_length` (`instance/mod.rs`).
#[test]
fn f12_a_path_that_is_too_long_is_told_with_its_length_the_limit_and_what_to_set() {
    let scene = Scene::new();
    let deep = scene.path(&"d".repeat(100));
    fs::create_dir(&deep).unwrap();
    let socket = deep.join("daemon-rpc-scripted.sock");
    let message = format!(
        "scripted: the socket path {} is {} bytes long, and the limit is 107; set DAEMON_RPC_DIR to a directory with a \
         shorter name\n",
        socket.display(),
        socket.as_os_str().len()
    );
    let output = finish(start(scene.command(SCRIPTED).env("DAEMON_RPC_DIR", deep), "print hello"));
    assert_eq!(told(&output), (String::new(), message, Some(78)));
}

/// The daemon dies while it runs a command, which then seems to have succeeded, or never ends.
///
/// Fails where an end without `Exit` is taken for the command's (`client/relay.rs`).
#[test]
fn f13_a_command_whose_daemon_dies_ends_with_70_behind_what_it_had_written() {
    let scene = Scene::new();
    let Running { client, daemon, .. } = running(&scene, SCRIPTED, "scripted");
    kill_process(daemon, Signal::KILL).unwrap();
    let message = format!(
        "scripted: the daemon ended before this command did, which may be half done; its log is {}\n",
        scene.file("scripted", "log").display()
    );
    assert_eq!(told(&finish(client)), ("before\n".into(), message, Some(70)));
    assert_eq!(told(&scene.run(SCRIPTED, "print up again")), success("up again\n"));
}

/// The application can't start, and its users see a time-out instead of the reason.
///
/// Fails where those who wait are told `NotRun` instead of the error (`Session::refuse` in `daemon/session.rs`).
#[test]
fn f14_everybody_who_waits_is_told_why_the_application_cannot_start() {
    const CALLERS: usize = 100;
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    fs::write(scene.path("load"), format!("count\nawait {}\nfail", go_on.display())).unwrap();
    let callers: Vec<_> = (0..CALLERS).map(|_| start(&mut scene.command(STATEFUL), "")).collect();
    until("all are connected", || connections(&scene, "stateful") == CALLERS);
    fs::write(go_on, "").unwrap();
    for caller in callers {
        let message = "stateful: can't get ready: no dictionary: No such file or directory (os error 2)\n";
        assert_eq!(told(&finish(caller)), (String::new(), message.into(), Some(69)));
    }
    until("all daemons are gone", || scene.processes().is_empty());
    assert!(!scene.file("stateful", "sock").exists() && !scene.file("stateful", "pid").exists());
    assert_eq!(fs::read_to_string(scene.path("loads")).unwrap(), ".", "nobody tried again");
}

/// How many callers the daemon has accepted.
fn connections(scene: &Scene, id: &str) -> usize {
    /// The state that `/proc/net/unix` gives of a connected socket that has an owner.
    const CONNECTED: Option<&str> = Some("03");
    let table = fs::read_to_string("/proc/net/unix").unwrap();
    let socket = scene.file(id, "sock");
    let of_daemon = table.lines().filter(|line| line.ends_with(socket.to_str().unwrap()));
    of_daemon.filter(|line| line.split_whitespace().nth(5) == CONNECTED).count()
}

/// A busy machine takes longer to start the daemon than somebody has guessed that it would.
///
/// Fails where the state is loaded before the control loop runs (`daemon/mod.rs`).
#[test]
fn f15_a_load_that_outlasts_the_handshakes_limit_many_times_over_is_waited_for() {
    const CALLERS: usize = 20;
    /// The fixture's own.
    const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(1);
    let scene = Scene::new();
    let mut callers: Vec<_> = (0..CALLERS).map(|_| start(&mut scene.command(SLOW_TO_LOAD), "")).collect();
    // The time-out must have passed, several times over, for the test to mean anything.
    let began = Instant::now();
    until("all have been connected for a while", || {
        for caller in &mut callers {
            assert_eq!(caller.try_wait().unwrap(), None, "a caller has given up");
        }
        began.elapsed() > 3 * HANDSHAKE_TIMEOUT && connections(&scene, "slow-to-load") == CALLERS
    });
    let daemon = scene.daemon_pid("slow-to-load").unwrap();
    fs::write(scene.path("go-on"), "").unwrap();
    for caller in callers {
        assert_eq!(told(&finish(caller)), served_by(daemon));
    }
}

/// One stuck command keeps everybody else from being served, and goes on when its caller has given up.
///
/// Fails where a command that blocks its thread isn't told of by `Session::abort` (`daemon/session.rs`), and where
/// handlers have only the control loop's thread (`daemon/mod.rs`).
#[test]
fn f16_a_stuck_command_is_alone_with_it_and_goes_with_its_daemon_once_interrupted() {
    let scene = Scene::new();
    let stuck = scene.begin(TWO_THREADS, &format!("block-thread {}", scene.path("never").display()));
    let daemon = scene.daemon_pid("two-threads").unwrap();
    for _ in 0..10 {
        assert_eq!(told(&scene.run(TWO_THREADS, "pid")), served_by(daemon));
    }
    let in_flight = running(&scene, TWO_THREADS, "two-threads");

    kill_process(Pid::from_child(&stuck), Signal::INT).unwrap();
    assert_eq!(finish(stuck).status.signal(), Some(Signal::INT.as_raw()));
    until("the daemon retires", || scene.daemon_pid("two-threads") != Some(daemon));
    assert_eq!(told(&scene.run(TWO_THREADS, "print next")), success("next\n"));
    assert_ne!(scene.daemon_pid("two-threads"), Some(daemon));

    assert_eq!(in_flight.go_on(), success("before\nafter\n"));
    until_ended(daemon);
}

/// An error in the handler hangs its caller, or gets lost on its way.
///
/// Fails where a session sends `Exit` without the `CommandError` before it (`daemon/command.rs`).
#[test]
fn f17_an_error_ends_its_command_with_its_message_and_1() {
    both_ways(|scene| {
        let output = scene.run(SCRIPTED, "print before\nfail can't spell: no dictionary: file not found");
        let expected = "before\nscripted: can't spell: no dictionary: file not found\n";
        assert_eq!(told(&output), (expected.into(), String::new(), Some(1)));
    });
}

/// A panic takes the daemon along, or hangs its caller, or others'.
///
/// Fails where panics aren't caught (`Ended::of` in `outcome.rs`).
#[test]
fn f17_a_panic_ends_its_command_with_its_message_and_101_and_no_other() {
    let expected = "before\nscripted: the command panicked: at the disco\n";
    let expected = (expected.into(), String::new(), Some(101));
    let scene = Scene::new();
    let in_flight = running(&scene, SCRIPTED, "scripted");
    for _ in 0..10 {
        assert_eq!(told(&scene.run(SCRIPTED, "print before\npanic at the disco")), expected);
    }
    assert_eq!(told(&scene.run(SCRIPTED, "pid")), served_by(in_flight.daemon));
    assert_eq!(in_flight.go_on(), success("before\nafter\n"));

    assert_eq!(told(&Scene::inline().run(SCRIPTED, "print before\npanic at the disco")), expected);
}

/// Ctrl+C in the terminal in which the daemon happens to have been started ends it for everybody.
///
/// Fails without `setsid` (`sys::leave_callers_session`).
#[test]
fn f18_ctrl_c_interrupts_the_command_and_not_the_daemon_that_it_started() {
    let scene = Scene::new();
    let (mut pty, mut client) = in_terminal(&scene, SCRIPTED, &[], &[]);
    let cancelled = scene.path("cancelled");
    pty.write_all(format!("print running\nuntil-cancelled {}\n", cancelled.display()).as_bytes()).unwrap();
    pty.write_all(CTRL_D).unwrap();
    read_until(&mut pty, "\r\nrunning\r\n");
    let daemon = scene.daemon_pid("scripted").unwrap();
    pty.write_all(CTRL_C).unwrap();
    assert_eq!(finish_status(&mut client).signal(), Some(Signal::INT.as_raw()));
    until("the command is cancelled", || cancelled.exists());
    assert_eq!(told(&scene.run(SCRIPTED, "pid")), served_by(daemon));
}

/// Something cleans `/tmp`, and the daemon that nobody can reach any more runs on beside the next one.
///
/// Fails where the next caller doesn't have the holder of the life lock retire (`client/connect.rs`), and where the daemon
/// doesn't look after its files (`daemon/control.rs`).
#[test]
fn f19_a_deleted_socket_is_no_obstacle_and_no_orphan_stays() {
    let scene = Scene::new();
    scene.run(SCRIPTED, "");
    let first = scene.daemon_pid("scripted").unwrap();
    fs::remove_file(scene.file("scripted", "sock")).unwrap();
    assert_eq!(told(&scene.run(SCRIPTED, "print served")), success("served\n"));
    until_ended(first);

    // Without the pid file nobody can ask the orphan to leave.
    let orphan = scene.daemon_pid("scripted").unwrap();
    for extension in ["sock", "pid"] {
        fs::remove_file(scene.file("scripted", extension)).unwrap();
    }
    assert_eq!(told(&scene.run(SCRIPTED, "print served")), success("served\n"));
    let daemon = scene.daemon_pid("scripted").unwrap();
    assert_ne!(daemon, orphan);
    until_ended(orphan);
    assert_eq!(scene.processes(), [daemon]);
    assert_eq!(told(&scene.run(SCRIPTED, "pid")), served_by(daemon));
}

/// The same where nobody calls any more.
///
/// Fails where the daemon doesn't look after its files (`daemon/control.rs`).
#[test]
fn f19_an_orphan_leaves_by_itself_when_only_its_socket_was_deleted() {
    let scene = Scene::new();
    scene.run(SCRIPTED, "");
    let orphan = scene.daemon_pid("scripted").unwrap();
    fs::remove_file(scene.file("scripted", "sock")).unwrap();
    until_ended(orphan);
    assert!(!scene.file("scripted", "pid").exists());
}

/// A supervisor's daemon and one that a client had started took the socket from each other.
///
/// Fails without `Place::Supervised` (client/connect.rs), and without `SocketFile::leave` in `at_supervisors_socket`
/// (instance/served.rs).
#[test]
fn f20_under_a_supervisor_clients_use_its_socket_and_start_nothing() {
    let scene = Scene::new();
    let supervisor = Supervisor::new(&scene, "scripted", SCRIPTED);
    for round in 1..=3 {
        let callers: Vec<_> = (0..20).map(|_| start(&mut scene.command(SCRIPTED), "pid")).collect();
        let answers: BTreeSet<_> = callers.into_iter().map(|caller| told(&finish(caller))).collect();
        let daemon = scene.daemon_pid("scripted").unwrap();
        assert_eq!(answers.into_iter().collect::<Vec<_>>(), [success(&format!("{}\n", daemon.as_raw_pid()))]);
        assert_eq!(supervisor.starts(), round);
        kill_process(daemon, Signal::TERM).unwrap();
        // Until it has noticed, it serves.
        until("it retires", || scene.daemon_pid("scripted") != Some(daemon));
    }
    assert!(scene.file("scripted", "sock").exists());

    // Nor does a client whose build the supervisor doesn't start.
    let (stdout, stderr, code) = told(&scene.run(REBUILT, "pid"));
    assert_eq!((&*stdout, code), ("", Some(69)), "{stderr}");
    let daemon = told(&scene.run(SCRIPTED, "pid")).0;
    assert!(supervisor.starts() > 3);
    assert_eq!(
        scene.processes().iter().map(|pid| format!("{}\n", pid.as_raw_pid())).collect::<Vec<_>>(),
        [daemon]
    );
}

/// Whether somebody listens there, as the kernel tells it without a connection.
fn is_listening(path: &Path) -> bool {
    const ACCEPTS: &str = "00010000";
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    sockets.lines().any(|line| line.ends_with(path.to_str().unwrap()) && line.contains(ACCEPTS))
}

/// The same with what systemd has for trying it out.
#[test]
fn f20_systemd_passes_its_socket() {
    let scene = Scene::new();
    let mut command = scene.command("systemd-socket-activate");
    let directory = format!("DAEMON_RPC_DIR={}", scene.directory().display());
    command.arg("-l").arg(scene.file("scripted", "sock")).args(["-E", &directory, SCRIPTED, "--daemon-run"]);
    let Ok(mut daemon) = command.spawn() else {
        return eprintln!("skipped: there is no systemd-socket-activate");
    };
    until("it listens", || is_listening(&scene.file("scripted", "sock")));
    let callers: Vec<_> = (0..20).map(|_| start(&mut scene.command(SCRIPTED), "pid")).collect();
    for caller in callers {
        assert_eq!(told(&finish(caller)), success(&format!("{}\n", daemon.id())));
    }
    assert!(scene.run_with(SCRIPTED, &["--daemon-stop"], "").status.success());
    assert!(finish_status(&mut daemon).success());
}

/// A caller comes at the very moment at which the daemon leaves because nobody came, and gets an error.
///
/// Fails where a client takes a daemon that closes before it answers for a failure (`client/connect.rs`).
#[test]
fn f21_ten_thousand_calls_of_daemons_that_are_always_about_to_leave_all_succeed() {
    // Each in a scene of its own: on a machine under load, all together would take as long as a test that hangs.
    const ROUNDS: usize = 20;
    const CALLS: usize = 10_000 / ROUNDS / CALLERS;
    const CALLERS: usize = 2;
    let mut daemons = 0;
    for _ in 0..ROUNDS {
        let scene = Scene::new();
        thread::scope(|threads| {
            for caller in 0..CALLERS {
                let scene = &scene;
                threads.spawn(move || {
                    for number in 0..CALLS {
                        let text = format!("{caller} {number}\n");
                        let mut client = scene.command(RESTLESS).spawn().unwrap();
                        client.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
                        // Looking again and again whether it has ended would leave pauses in which no caller comes too early.
                        assert_eq!(told(&client.wait_with_output().unwrap()), success(&text));
                    }
                });
            }
        });
        daemons += fs::read(scene.path("daemons")).unwrap().len();
    }
    assert!(daemons > 5 * ROUNDS, "the daemons stayed: there were only {daemons}");
}

/// `stop` returned while the daemon still ran, and the start behind it failed.
///
/// Fails if `stop` (client/control.rs) and `Holder::retire` (instance/holder.rs) don't wait until the lock is free.
#[test]
fn f22_stop_returns_when_the_next_start_can_succeed() {
    let scene = Scene::new();
    for number in 0..60 {
        assert_eq!(told(&scene.run(SCRIPTED, format!("print {number}"))), success(&format!("{number}\n")));
        let stopped = scene.run_with(SCRIPTED, &["--daemon-stop"], "");
        assert_eq!(told(&stopped), success("scripted: stopped\n"));
        assert!(!scene.file("scripted", "sock").exists());
        let mut daemon = scene.command(SCRIPTED).arg("--daemon-run").stderr(Stdio::null()).spawn().unwrap();
        until("it serves", || {
            scene.file("scripted", "sock").exists() || daemon.try_wait().unwrap().is_some()
        });
        assert!(scene.run_with(SCRIPTED, &["--daemon-stop"], "").status.success());
        assert!(finish_status(&mut daemon).success());
    }
}

/// A command inside a `while read` loop swallows the lines that the loop was to read.
///
/// Fails where the client reads its standard input for a handler that doesn't ask for it (`client/collect.rs`).
#[test]
fn f23_a_loop_that_reads_lines_gets_all_of_them() {
    both_ways(|scene| {
        let mut command = scene.command("sh");
        let script = "while read line; do \"$HELLO\" || exit; echo \"$line\"; done";
        command.args(["-c", script]).env("HELLO", HELLO);
        let output = finish(start(&mut command, "1\n2\n3\n"));
        assert_eq!(told(&output), success("hello\n1\nhello\n2\nhello\n3\n"));
    });
}

/// Output has the colours and the width of whoever called first.
///
/// Fails where `Terminal` describes the first caller's (`params/terminal.rs`), and where `Env` is the daemon's environment
/// (`params/env.rs`).
#[test]
fn f24_colours_and_width_are_those_of_each_caller() {
    let scene = Scene::new();
    let seen = |columns: u16, variables: &[(&str, &str)]| {
        let (mut pty, mut client) =
            in_terminal(&scene, "sh", &["-c", "read go; exec \"$0\"", APPEARANCE], variables);
        pty.resize(Size::new(24, columns)).unwrap();
        pty.write_all(b"go\n").unwrap();
        read_until(&mut pty, "go\r\n");
        let line = read_until(&mut pty, "\r\n");
        assert!(finish_status(&mut client).success());
        line.trim_end().to_owned()
    };
    let first = seen(40, &[("NO_COLOR", "1"), ("TERM", "dumb"), ("COLUMNS", "40")]);
    assert_eq!(first, "Some(40) None NO_COLOR=1 TERM=dumb COLUMNS=40");
    let daemon = scene.daemon_pid("appearance").unwrap();
    let second = seen(132, &[("TERM", "xterm-256color"), ("COLUMNS", "132")]);
    assert_eq!(second, "Some(132) Ansi256 NO_COLOR=none TERM=xterm-256color COLUMNS=132");
    let mut elsewhere = scene.command(APPEARANCE);
    elsewhere.env("TERM", "xterm").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("COLUMNS");
    let third = told(&finish(start(&mut elsewhere, "")));
    assert_eq!(third, success("None None NO_COLOR=none TERM=xterm COLUMNS=none\n"));
    assert_eq!(scene.daemon_pid("appearance"), Some(daemon));
}

/// A client that is killed can't say so, and its command runs for ever.
///
/// Fails where a session doesn't heed its client's end while a command runs, or heeds it 5 seconds later
/// (`daemon/session.rs`). There are so many rounds that a daemon which looks every few seconds doesn't get through them.
#[test]
fn f25_the_command_of_a_client_that_was_killed_is_cancelled() {
    const ROUNDS: u32 = 30;
    let scene = Scene::new();
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    for round in 0..ROUNDS {
        let cancelled = scene.path(&format!("cancelled-{round}"));
        let client = scene.begin(SCRIPTED, &format!("until-cancelled {}", cancelled.display()));
        let killed = Instant::now();
        kill_process(Pid::from_child(&client), Signal::KILL).unwrap();
        // Nobody else turns to the daemon meanwhile.
        until("the command is cancelled", || cancelled.exists());
        longest = longest.max(killed.elapsed());
        finish(client);
        assert!(began.elapsed() < DEADLINE, "cancelling takes up to {longest:?}");
    }
    println!("from SIGKILL to the cancelled token: {longest:?} at most");
}

/// The rows that `docs/field-failures.md` has, with the names of their tests.
#[test]
fn every_row_is_there_with_its_tests() {
    let page = include_str!("../../docs/field-failures.md");
    let functions = include_str!("field_failures.rs").lines().filter_map(|line| line.strip_prefix("fn f"));
    let tests: BTreeSet<_> =
        functions.filter_map(|line| line.split_once("() {")).map(|(name, _)| format!("f{name}")).collect();
    for number in 1..=25 {
        let row = page.lines().find(|line| line.starts_with(&format!("| F{number} |")));
        let row = row.unwrap_or_else(|| panic!("F{number} is missing"));
        let named = row.split('`').filter_map(|code| code.strip_prefix("field_failures::"));
        let named: BTreeSet<_> = named.map(str::to_owned).collect();
        let prefix = format!("f{number:02}_");
        let there: BTreeSet<_> = tests.iter().filter(|name| name.starts_with(&prefix)).cloned().collect();
        assert_eq!(named, there, "F{number}");
    }
}
