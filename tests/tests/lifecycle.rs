//! How daemons come and go: starting, dying, and cleaning up.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use daemon_rpc_tests::scene::{
    Scene, both_ways, finish, has_strace, start, success, told, until, until_ended,
};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const REBUILT: &str = env!("CARGO_BIN_EXE_scripted-rebuilt");
const NAMED: &str = env!("CARGO_BIN_EXE_named");
const ECHO: &str = env!("CARGO_BIN_EXE_echo");
const TWO_THREADS: &str = env!("CARGO_BIN_EXE_two-threads");
const PER_PROJECT: &str = env!("CARGO_BIN_EXE_per-project");

mod starting {
    use super::*;

    #[test]
    fn a_herd_that_finds_no_daemon_while_one_is_being_started_waits_for_it() {
        if Command::new("strace").arg("-V").output().is_err() {
            eprintln!("skipped: without strace no client can be held between its look and its socket");
            return;
        }
        let scene = Scene::new();
        // They all wait for their input, which they get at the same time.
        let mut herd: Vec<_> = (0..8)
            .map(|_| {
                let mut slow_to_bind = scene.command("strace");
                slow_to_bind.args([
                    "-qq",
                    "-o",
                    "/dev/null",
                    "-e",
                    "inject=bind:delay_enter=200ms",
                    SCRIPTED,
                ]);
                slow_to_bind.spawn().unwrap()
            })
            .collect();
        for caller in &mut herd {
            caller.stdin.take().unwrap().write_all(b"pid").unwrap();
        }
        let answers: BTreeSet<_> = herd.into_iter().map(|caller| told(&finish(caller))).collect();
        let daemon = scene.daemon_pid("scripted").unwrap();
        assert_eq!(answers, BTreeSet::from([success(&format!("{}\n", daemon.as_raw_pid()))]));
        assert_eq!(scene.processes(), [daemon]);
        let log = fs::read_to_string(scene.file("scripted", "log")).unwrap();
        assert_eq!(log.matches(" serving ").count(), 1, "{log}");
    }

    #[test]
    fn the_daemons_files_are_its_users_alone() {
        for umask in ["0", "777"] {
            let scene = Scene::new();
            let mut command = scene.command("sh");
            command.args(["-c", &format!("umask {umask}; \"$ECHO\"")]).env("ECHO", ECHO);
            finish(start(&mut command, ""));
            let uid = rustix::process::geteuid().as_raw();
            let id = format!("echo-{uid}");
            for extension in ["sock", "pid", "lock", "log"] {
                let found = fs::symlink_metadata(scene.file(&id, extension)).unwrap();
                let mode = found.permissions().mode() & 0o7777;
                assert_eq!((mode, found.uid()), (0o600, uid), "{extension}, umask {umask}");
            }
        }
    }

    #[test]
    fn the_daemon_has_a_directory_a_umask_and_a_name_of_its_own() {
        let scene = Scene::new();
        let mut command = scene.command("sh");
        let script = "cd \"$DAEMON_RPC_DIR\"; umask 027; \"$SCRIPTED\"";
        command.args(["-c", script]).env("SCRIPTED", SCRIPTED);
        assert_eq!(told(&finish(start(&mut command, "print done"))), success("done\n"));

        let daemon = format!("/proc/{}", scene.daemon_pid("scripted").unwrap().as_raw_pid());
        assert_eq!(fs::read_link(format!("{daemon}/cwd")).unwrap(), std::path::Path::new("/"));
        assert_eq!(fs::read_to_string(format!("{daemon}/comm")).unwrap(), "scripted\n");
        let status = fs::read_to_string(format!("{daemon}/status")).unwrap();
        assert!(status.contains("\nUmask:\t0022\n"), "{status}");
    }

    #[test]
    fn a_signal_that_the_first_caller_blocks_ends_the_daemon_all_the_same() {
        let blocking = |program: &str| {
            let mut command = Command::new("env");
            command.args(["--block-signal=TERM", program]);
            command
        };
        if !blocking("true").output().is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: this system's env can't block signals");
            return;
        }
        let scene = Scene::new();
        let mut first = scene.command("env");
        first.args(blocking(SCRIPTED).get_args());
        assert_eq!(told(&finish(start(&mut first, "print first"))), success("first\n"));
        let daemon = scene.daemon_pid("scripted").unwrap();
        kill_process(daemon, Signal::TERM).unwrap();
        until_ended(daemon);
    }

    #[test]
    fn where_there_can_be_no_threads_for_handlers_everybody_is_told() {
        // Of a user who runs nothing else.
        const USER: u32 = 54322;
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can act as another user");
            return;
        }
        both_ways(|scene| {
            chown(scene.directory(), Some(USER), None).unwrap();
            let program = scene.path("two-threads");
            fs::copy(TWO_THREADS, &program).unwrap();
            let limited = |processes: &str, arguments: &[&str]| {
                let mut command = scene.command("bash");
                let script = format!("ulimit -u {processes}; exec \"$0\" \"$@\"");
                command.args(["-c", &script]).arg(&program).args(arguments).uid(USER).gid(USER);
                finish(start(&mut command, "print done"))
            };
            let (stdout, stderr, code) = told(&limited("3", &[]));
            assert_eq!((&*stdout, code), ("", Some(69)), "{stderr}");
            assert!(stderr.contains("two-threads: can't start the threads for handlers: "), "{stderr}");

            assert_eq!(told(&limited("100", &[])), success("done\n"));
            if !scene.is_inline() {
                // It takes a thread to wait for somebody with a limit.
                let (_, stderr, code) = told(&limited("1", &["--daemon-stop"]));
                assert_eq!(code, Some(69));
                assert!(stderr.starts_with("two-threads: can't wait for the daemon"), "{stderr}");
            }
        });
    }

    #[test]
    fn a_daemon_for_each_project() {
        let scene = Scene::new();
        let call = |project| {
            let output = finish(start(scene.command(PER_PROJECT).env("PROJECT", project), ""));
            String::from_utf8(output.stdout).unwrap()
        };
        let (blue, red) = (call("blue"), call("red"));
        assert!(blue.starts_with("blue ") && red.starts_with("red "), "{blue}{red}");
        assert_eq!(call("blue"), blue);
        assert_eq!(call("red"), red);
    }

    #[test]
    fn a_relative_directory_is_the_callers() {
        let scene = Scene::new();
        let mut command = scene.command(ECHO);
        command.current_dir(scene.directory()).env("DAEMON_RPC_DIR", ".");
        assert_eq!(told(&finish(start(&mut command, "here"))), success("here"));
        let pid_file = scene.file(&format!("echo-{}", rustix::process::geteuid().as_raw()), "pid");
        assert!(pid_file.exists());
        assert_eq!(told(&scene.run(ECHO, "there")), success("there"));
    }

    #[test]
    fn a_link_to_the_program_shares_its_daemon() {
        let scene = Scene::new();
        let link = scene.path("another-name");
        std::os::unix::fs::symlink(SCRIPTED, &link).unwrap();
        assert_eq!(told(&scene.run(&link, "pid")), told(&scene.run(SCRIPTED, "pid")));
        assert_eq!(told(&scene.run(&link, "fail oh")).0, "another-name: oh\n");
    }

    #[test]
    fn a_daemon_is_started_though_its_program_was_just_replaced() {
        let scene = Scene::new();
        let program = scene.path("program");
        fs::copy(SCRIPTED, &program).unwrap();
        // Its input is what the client waits for before it looks for a daemon.
        let mut command = scene.command(&program);
        let mut client = command.spawn().unwrap();
        fs::remove_file(&program).unwrap();
        fs::write(&program, "not a program").unwrap();
        client.stdin.take().unwrap().write_all(b"print still here").unwrap();
        assert_eq!(told(&finish(client)), success("still here\n"));
    }

    #[test]
    fn a_daemon_of_another_build_is_refused_by_hand() {
        let scene = Scene::new();
        let mut command = scene.command(ECHO);
        command.args(["--daemon-id", "echo", "--build-timestamp", "yesterday"]);
        let (stdout, stderr, code) = told(&finish(start(&mut command, "")));
        assert_eq!((&*stdout, code), ("", Some(64)));
        assert!(stderr.contains("a daemon of build yesterday was asked for, and this is build "), "{stderr}");
    }

    #[test]
    fn a_daemon_that_cannot_start_is_an_error_that_says_why() {
        let scene = Scene::new();
        // Too few descriptors for a runtime.
        let mut command = scene.command("sh");
        command.args(["-c", "ulimit -n 13; exec \"$ECHO\""]).env("ECHO", ECHO);
        let (stdout, stderr, code) = told(&finish(start(&mut command, "text")));
        assert_eq!((&*stdout, code), ("", Some(69)), "{stderr}");
        let beginning = "echo: the daemon ended before it was ready (exit status: 69); the end of its log, ";
        assert!(stderr.starts_with(beginning), "{stderr}");
        assert!(
            stderr.ends_with("the system refused what a daemon needs: Too many open files (os error 24)\n"),
            "{stderr}"
        );
        let id = format!("echo-{}", rustix::process::geteuid().as_raw());
        assert!(!scene.file(&id, "sock").exists() && !scene.file(&id, "pid").exists());
        assert_eq!(told(&scene.run(ECHO, "text")), success("text"));
    }
}

mod exhaustion {
    use super::*;

    #[test]
    fn more_callers_than_descriptors_are_all_served_by_the_one_daemon() {
        const LIMIT: usize = 72;
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let mut first = scene.command("sh");
        first.args(["-c", &format!("ulimit -n {LIMIT}; exec \"$SCRIPTED\"")]).env("SCRIPTED", SCRIPTED);
        assert_eq!(told(&finish(start(&mut first, "print first"))), success("first\n"));
        let daemon = scene.daemon_pid("scripted").unwrap();

        let script = format!("await {}\npid", go_on.display());
        let callers: Vec<_> = (0..LIMIT + 24).map(|_| start(&mut scene.command(SCRIPTED), &script)).collect();
        // Long enough for a client to give up a daemon that doesn't answer.
        let patience = Instant::now() + Duration::from_secs(6);
        until("they have waited", || Instant::now() > patience);
        fs::write(go_on, "").unwrap();
        for caller in callers {
            assert_eq!(told(&finish(caller)), success(&format!("{}\n", daemon.as_raw_pid())));
        }
        assert_eq!(scene.daemon_pid("scripted"), Some(daemon));
    }

    /// A daemon without room disconnects who says nothing. That is no sign that it can't go on.
    #[test]
    fn a_caller_that_is_slow_to_speak_has_no_daemon_retire_that_has_no_room() {
        const LIMIT: usize = 72;
        const ROOM: usize = 8;
        if !has_strace() {
            return;
        }
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let mut first = scene.command("sh");
        first.args(["-c", &format!("ulimit -n {LIMIT}; exec \"$SCRIPTED\"")]).env("SCRIPTED", SCRIPTED);
        assert_eq!(told(&finish(start(&mut first, "print first"))), success("first\n"));
        let daemon = scene.daemon_pid("scripted").unwrap();
        let script = format!("await {}\npid", go_on.display());
        let callers: Vec<_> = (0..ROOM).map(|_| scene.begin(SCRIPTED, &script)).collect();

        // Longer than it is listened to then. Twice, since it asks again.
        let trace = scene.path("trace");
        let mut slow = scene.command("strace");
        slow.arg("-o").arg(&trace).args([
            "-e",
            "trace=sendmsg",
            "-e",
            "inject=sendmsg:delay_enter=1s:when=1..2",
        ]);
        let slow = start(slow.arg(SCRIPTED), "pid");
        until("it was in time", || {
            fs::read_to_string(&trace).is_ok_and(|calls| calls.matches("sendmsg(").count() > 2)
        });
        fs::write(go_on, "").unwrap();
        for caller in callers.into_iter().chain([slow]) {
            assert_eq!(told(&finish(caller)), success(&format!("{}\n", daemon.as_raw_pid())));
        }
        assert_eq!(scene.daemon_pid("scripted"), Some(daemon));
    }
}

mod logging {
    use super::*;

    fn log_of_a_daemon(filter: &str) -> String {
        let scene = Scene::new();
        let mut command = scene.command(SCRIPTED);
        // What the caller himself is told is tested elsewhere.
        let (stdout, ..) = told(&finish(start(command.env("DAEMON_RPC_LOG", filter), "print hello")));
        assert_eq!(stdout, "hello\n");
        let daemon = scene.daemon_pid("scripted").unwrap();
        kill_process(daemon, Signal::TERM).unwrap();
        until_ended(daemon);
        fs::read_to_string(scene.file("scripted", "log")).unwrap()
    }

    #[test]
    fn the_log_says_when_and_why_a_daemon_retired_whatever_else_is_asked_for() {
        for filter in ["", "debug", "my_crate=trace"] {
            let log = log_of_a_daemon(filter);
            assert!(log.contains(" serving "), "{filter}: {log}");
            assert!(log.contains(" retiring reason=it was sent SIGTERM "), "{filter}: {log}");
        }
        assert!(!log_of_a_daemon("daemon_rpc=off").contains("serving"));
    }

    #[test]
    fn a_filter_that_is_none_is_said_to_be_none() {
        let log = log_of_a_daemon("my_crate=loud");
        assert!(log.contains("DAEMON_RPC_LOG is no filter, such as `debug` or `my_crate=trace`"), "{log}");
        assert!(log.contains(" serving "), "{log}");
    }
}

mod hanging {
    use super::*;

    fn has_been_sent(process: Pid, signal: Signal) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", process.as_raw_pid())).unwrap_or_default();
        let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).unwrap_or("0");
        let pending = u64::from_str_radix(pending.trim(), 16).unwrap();
        pending & (1 << (signal.as_raw() - 1)) != 0
    }

    /// The command is in the daemon's queue when its client gives up, and mustn't be run there when the next daemon has it.
    #[test]
    fn a_daemon_that_goes_on_when_its_client_has_given_up_runs_nothing_of_it() {
        let scene = Scene::new();
        scene.run(SCRIPTED, "");
        let daemon = scene.daemon_pid("scripted").unwrap();
        kill_process(daemon, Signal::STOP).unwrap();
        let runs = scene.path("runs");
        let client = start(&mut scene.command(SCRIPTED), format!("append {}\npid", runs.display()));
        until("it is asked to retire", || has_been_sent(daemon, Signal::TERM));
        kill_process(daemon, Signal::CONT).unwrap();
        let (stdout, stderr, code) = told(&finish(client));
        assert_eq!((&*stderr, code), ("", Some(0)));
        assert_ne!(stdout, format!("{}\n", daemon.as_raw_pid()));
        until_ended(daemon);
        assert_eq!(fs::read_to_string(runs).unwrap(), "once\n");
    }
}

mod dying {
    use super::*;

    #[test]
    fn killed_at_the_very_moment_of_a_call_again_and_again() {
        let scene = Scene::new();
        for number in 0..200 {
            if let Some(daemon) = scene.daemon_pid("scripted") {
                // It is idle, so it does nothing more; but the system takes a moment to put away what it had.
                kill_process(daemon, Signal::KILL).unwrap();
            }
            let output = scene.run(SCRIPTED, format!("print {number}"));
            assert_eq!(told(&output), success(&format!("{number}\n")));
        }
    }

    /// The system may release a dead daemon's lock before its socket. Here the test plays the system.
    #[test]
    fn a_dead_daemons_socket_may_outlive_its_lock_for_a_moment() {
        let scene = Scene::new();
        let listener = UnixListener::bind(scene.file("scripted", "sock")).unwrap();
        let pid_file = fs::File::create(scene.file("scripted", "pid")).unwrap();
        flock(&pid_file, FlockOperation::LockExclusive).unwrap();
        let mut daemon = scene.command(NAMED).arg(scene.file("scripted", "pid")).spawn().unwrap();
        daemon.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();

        let system = thread::spawn(move || {
            let asked_in_vain = listener.accept().unwrap();
            // By the client, that gives up waiting for an answer.
            daemon.wait().unwrap();
            drop(pid_file);
            let asked_too_late = listener.accept().unwrap();
            drop((asked_in_vain, listener, asked_too_late));
        });
        assert_eq!(told(&scene.run(SCRIPTED, "print served")), success("served\n"));
        system.join().unwrap();
    }
}

mod cleaning_up {
    use super::*;

    fn leaves_nothing_behind(signal: Signal) {
        let scene = Scene::new();
        scene.run(SCRIPTED, "");
        let daemon = scene.daemon_pid("scripted").unwrap();
        kill_process(daemon, signal).unwrap();
        until_ended(daemon);
        assert!(!scene.file("scripted", "sock").exists());
        assert!(!scene.file("scripted", "pid").exists());
        assert_eq!(told(&scene.run(SCRIPTED, "print up again")), success("up again\n"));
    }

    #[test]
    fn after_sigterm() {
        leaves_nothing_behind(Signal::TERM);
    }

    #[test]
    fn after_sigint() {
        leaves_nothing_behind(Signal::INT);
    }

    #[test]
    fn after_sighup() {
        leaves_nothing_behind(Signal::HUP);
    }

    #[test]
    fn a_deleted_pid_file_is_no_obstacle_to_another_build() {
        let scene = Scene::new();
        scene.run(SCRIPTED, "");
        let orphan = scene.daemon_pid("scripted").unwrap();
        fs::remove_file(scene.file("scripted", "pid")).unwrap();
        assert_eq!(told(&scene.run(REBUILT, "print served")), success("served\n"));
        until_ended(orphan);
        assert_eq!(told(&scene.run(REBUILT, "print on")), success("on\n"));
    }

    #[test]
    fn callers_and_endings_in_a_hurry_lose_no_command() {
        let scene = Scene::new();
        let callers = (0..150).map(|number| {
            if let Some(daemon) = scene.daemon_pid("scripted") {
                // Gone already is as good.
                let _ = kill_process(daemon, Signal::TERM);
            }
            (number, start(&mut scene.command(SCRIPTED), format!("print {number}")))
        });
        for (number, caller) in callers.collect::<Vec<_>>() {
            assert_eq!(told(&finish(caller)), success(&format!("{number}\n")));
        }
    }
}
