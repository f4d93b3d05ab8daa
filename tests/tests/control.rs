//! Looking after daemons: the `--daemon-…` flags, and the same as functions.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Output, Stdio};

use daemon_rpc_tests::scene::{
    DEADLINE, Scene, both_ways, finish, finish_status, has_strace, is_alive, start, success, told, until,
    until_ended,
};
use daemon_rpc_tests::supervisor::{Supervisor, with_socket};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const REBUILT: &str = env!("CARGO_BIN_EXE_scripted-rebuilt");
const OPTIONS: &str = env!("CARGO_BIN_EXE_options");
const STATEFUL: &str = env!("CARGO_BIN_EXE_stateful");
const OPERATOR: &str = env!("CARGO_BIN_EXE_operator");
const IMPATIENT: &str = env!("CARGO_BIN_EXE_impatient");
const CLI: &str = env!("CARGO_BIN_EXE_cli");

fn flag(scene: &Scene, program: &str, arguments: &[&str]) -> Output {
    scene.run_with(program, arguments, "")
}

/// The status as scripts get it.
fn status(scene: &Scene, program: &str) -> Value {
    let output = flag(scene, program, &["--daemon-status", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", told(&output)))
}

fn pid(scene: &Scene, id: &str) -> Pid {
    scene.daemon_pid(id).unwrap()
}

/// A daemon in the foreground that serves.
fn in_foreground(scene: &Scene, program: &str, id: &str) -> Child {
    let daemon = scene.command(program).arg("--daemon-run").stdin(Stdio::null()).spawn().unwrap();
    let own = i32::try_from(daemon.id()).unwrap();
    until("it serves", || scene.daemon_pid(id).is_some_and(|pid| pid.as_raw_pid() == own));
    daemon
}

mod asking {
    use super::*;

    #[test]
    fn no_daemon_is_exit_code_3_and_none_is_started() {
        let scene = Scene::new();
        let output = flag(&scene, SCRIPTED, &["--daemon-status"]);
        assert_eq!(told(&output), ("scripted: not running\n".into(), String::new(), Some(3)));
        let output = flag(&scene, SCRIPTED, &["--daemon-status", "--json"]);
        assert_eq!(output.status.code(), Some(3));
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(status["running"], false);
        assert_eq!(status["id"], "scripted");
        assert_eq!(status["socket"], scene.file("scripted", "sock").to_str().unwrap());
        assert_eq!(status["log"], scene.file("scripted", "log").to_str().unwrap());
        assert!(scene.processes().is_empty());
        assert_eq!(fs::read_dir(scene.directory()).unwrap().count(), 0);
    }

    #[test]
    fn a_killed_daemon_is_none() {
        let scene = Scene::new();
        scene.run(SCRIPTED, "");
        let daemon = pid(&scene, "scripted");
        kill_process(daemon, Signal::KILL).unwrap();
        until_ended(daemon);
        assert_eq!(flag(&scene, SCRIPTED, &["--daemon-status"]).status.code(), Some(3));
    }

    #[test]
    fn a_daemon_tells_how_it_is() {
        let scene = Scene::new();
        scene.run(SCRIPTED, "print one");
        scene.run(SCRIPTED, "exit 3");
        scene.run(SCRIPTED, "panic oh");
        let running = scene.begin(SCRIPTED, &format!("await {}", scene.path("go-on").display()));
        let told = status(&scene, SCRIPTED);
        assert_eq!(told["running"], true);
        assert_eq!(told["id"], "scripted");
        assert_eq!(told["pid"], pid(&scene, "scripted").as_raw_pid());
        assert_eq!(told["is_this_build"], true);
        assert!(told["build"].as_str().is_some_and(|build| !build.is_empty()), "{told}");
        assert!(told["uptime_ms"].as_u64().is_some_and(|uptime| uptime < 3_600_000), "{told}");
        assert_eq!(told["state"], "loaded");
        let counts = ["running", "waiting", "done", "failed"].map(|what| &told[format!("commands_{what}")]);
        assert_eq!(counts, [1, 0, 1, 2]);
        assert!(told["memory_bytes"].as_u64().unwrap() > 100_000);
        assert_eq!(told["idle_left_ms"], Value::Null);
        assert_eq!(told["socket"], scene.file("scripted", "sock").to_str().unwrap());
        assert_eq!(told["log"], scene.file("scripted", "log").to_str().unwrap());
        fs::write(scene.path("go-on"), "").unwrap();
        assert!(finish(running).status.success());

        until("it is idle", || status(&scene, SCRIPTED)["idle_left_ms"].as_u64().is_some());
        assert!(status(&scene, SCRIPTED)["idle_left_ms"].as_u64().unwrap() <= 3_600_000);
        let output = flag(&scene, SCRIPTED, &["--daemon-status"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("scripted: running\n  pid "), "{text}");
        assert!(text.contains("\n  commands  0 running, 0 waiting, 2 done, 2 failed\n"), "{text}");
    }

    #[test]
    fn while_every_thread_is_blocked_and_commands_wait() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let blocking = scene.begin(OPTIONS, &format!("block-thread {}", go_on.display()));
        let callers: Vec<_> = (0..3).map(|_| start(&mut scene.command(OPTIONS), "")).collect();
        until("they wait", || {
            let told = status(&scene, OPTIONS);
            (told["commands_running"].as_u64(), told["commands_waiting"].as_u64()) == (Some(1), Some(3))
        });
        fs::write(go_on, "").unwrap();
        for caller in callers.into_iter().chain([blocking]) {
            assert_eq!(told(&finish(caller)), success(""));
        }
    }

    #[test]
    fn while_it_loads() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        fs::write(scene.path("load"), format!("await {}", go_on.display())).unwrap();
        let caller = start(&mut scene.command(STATEFUL), "");
        until("a command waits", || {
            scene.daemon_pid("stateful").is_some() && status(&scene, STATEFUL)["commands_waiting"] == 1
        });
        assert_eq!(status(&scene, STATEFUL)["state"], "loading");
        fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(caller)), success("1\n"));
        assert_eq!(status(&scene, STATEFUL)["state"], "loaded");
    }

    #[test]
    fn a_daemon_of_another_build_which_goes_on() {
        let scene = Scene::new();
        scene.run(SCRIPTED, "");
        let daemon = pid(&scene, "scripted");
        let told = status(&scene, REBUILT);
        assert_eq!(told["pid"], daemon.as_raw_pid());
        assert_eq!(told["is_this_build"], false);
        assert!(is_alive(daemon));
        assert_eq!(status(&scene, SCRIPTED)["build"], told["build"]);
    }

    #[test]
    fn keeps_no_daemon_from_retiring() {
        let scene = Scene::new();
        scene.run(OPTIONS, "");
        let daemon = pid(&scene, "options");
        until("it retires", || flag(&scene, OPTIONS, &["--daemon-status"]).status.code() == Some(3));
        until_ended(daemon);
    }

    #[test]
    fn keeps_no_daemon_from_retiring_though_nobody_waits_for_the_answer() {
        let scene = Scene::new();
        scene.run(OPTIONS, "");
        let daemon = pid(&scene, "options");
        until("it retires", || {
            if let Ok(mut observer) = std::os::unix::net::UnixStream::connect(scene.file("options", "sock")) {
                // A status request; its sender has gone before the answer comes.
                let _ = observer.write_all(b"\0\0\0\x02\x0f\x80");
            }
            !is_alive(daemon)
        });
    }

    /// The kernel forgets a process's lock on a file when any part of the process closes that.
    #[test]
    fn a_daemon_whose_handler_has_read_its_pid_file_is_known_again() {
        let scene = Scene::new();
        let pid_file = scene.file("scripted", "pid");
        assert!(scene.run(SCRIPTED, format!("read {}", pid_file.display())).status.success());
        until("it is known", || flag(&scene, SCRIPTED, &["--daemon-status"]).status.success());
        assert_eq!(told(&flag(&scene, SCRIPTED, &["--daemon-stop"])), success("scripted: stopped\n"));
    }

    #[test]
    fn a_daemon_that_does_not_answer_is_an_error_that_says_so() {
        let scene = Scene::new();
        scene.run(OPTIONS, "");
        let daemon = pid(&scene, "options");
        kill_process(daemon, Signal::STOP).unwrap();
        let (stdout, stderr, code) = told(&flag(&scene, OPTIONS, &["--daemon-status"]));
        assert_eq!((&*stdout, code), ("", Some(69)));
        let expected = format!("options: the daemon (pid {}) doesn't answer; stop it", daemon.as_raw_pid());
        assert!(stderr.starts_with(&expected), "{stderr}");
    }
}

mod stopping {
    use super::*;

    #[test]
    fn no_daemon_is_as_good() {
        let scene = Scene::new();
        assert_eq!(told(&flag(&scene, SCRIPTED, &["--daemon-stop"])), success("scripted: not running\n"));
        assert!(!scene.file("scripted", "pid").exists());
    }

    #[test]
    fn returns_when_the_socket_is_free_and_commands_run_on() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let running = scene.begin(SCRIPTED, &format!("await {}\nprint done", go_on.display()));
        let old = pid(&scene, "scripted");
        let expected = format!(
            "scripted: stopped; it still runs 1 command, for 30 seconds at most (pid {})\n",
            old.as_raw_pid()
        );
        assert_eq!(told(&flag(&scene, SCRIPTED, &["--daemon-stop"])), success(&expected));
        assert!(!scene.file("scripted", "sock").exists() && is_alive(old));
        assert_eq!(told(&scene.run(SCRIPTED, "print new")), success("new\n"));
        fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(running)), success("done\n"));
        until_ended(old);
    }

    #[test]
    fn now_cancels_what_runs() {
        let scene = Scene::new();
        let cancelled = scene.path("cancelled");
        let running =
            scene.begin(SCRIPTED, &format!("until-cancelled {}\nprint cancelled", cancelled.display()));
        let daemon = pid(&scene, "scripted");
        let expected = "scripted: stopped; it cancels 1 command\n";
        assert_eq!(told(&flag(&scene, SCRIPTED, &["--daemon-stop", "--now"])), success(expected));
        assert_eq!(told(&finish(running)), success("cancelled\n"));
        assert!(cancelled.exists());
        until_ended(daemon);
        // And at once, not when the daemon would have cancelled it anyhow.
        let log = fs::read_to_string(scene.file("scripted", "log")).unwrap();
        assert!(
            log.contains(" retiring reason=it was sent SIGQUIT, ") && !log.contains("drain limit"),
            "{log}"
        );
    }

    #[test]
    fn a_daemon_of_another_build() {
        let scene = Scene::new();
        scene.run(SCRIPTED, "");
        let daemon = pid(&scene, "scripted");
        assert_eq!(told(&flag(&scene, REBUILT, &["--daemon-stop"])), success("scripted: stopped\n"));
        until_ended(daemon);
    }

    #[test]
    fn while_every_thread_is_blocked() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let blocking = scene.begin(OPTIONS, &format!("block-thread {}", go_on.display()));
        let daemon = pid(&scene, "options");
        assert!(flag(&scene, OPTIONS, &["--daemon-stop", "--now"]).status.success());
        assert!(!scene.file("options", "sock").exists());
        // Nothing but the end of the process ends such a handler.
        assert_eq!(finish(blocking).status.code(), Some(70));
        until_ended(daemon);
    }

    #[test]
    fn says_what_it_waits_for_and_kills_what_does_not_react() {
        let scene = Scene::new();
        scene.run(SCRIPTED, "");
        let daemon = pid(&scene, "scripted");
        kill_process(daemon, Signal::STOP).unwrap();
        let (stdout, stderr, code) = told(&flag(&scene, SCRIPTED, &["--daemon-stop"]));
        assert_eq!((&*stdout, code), ("scripted: stopped\n", Some(0)));
        assert_eq!(stderr, "scripted: waiting for the daemon to give up its socket…\n");
        until_ended(daemon);
    }
}

mod restarting {
    use super::*;

    #[test]
    fn is_another_daemon_and_commands_run_on() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let running = scene.begin(SCRIPTED, &format!("await {}\nprint done", go_on.display()));
        let old = pid(&scene, "scripted");
        let (stdout, stderr, code) = told(&flag(&scene, SCRIPTED, &["--daemon-restart"]));
        let new = pid(&scene, "scripted");
        assert_ne!(old, new);
        let expected = format!("scripted: running\n  pid       {}\n", new.as_raw_pid());
        assert!(stdout.starts_with(&expected) && stderr.is_empty() && code == Some(0), "{stdout}{stderr}");
        fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(running)), success("done\n"));
        assert_eq!(pid(&scene, "scripted"), new);
    }

    #[test]
    fn starts_one_of_this_build_where_there_is_none_or_another() {
        let scene = Scene::new();
        assert!(flag(&scene, SCRIPTED, &["--daemon-restart"]).status.success());
        assert!(flag(&scene, REBUILT, &["--daemon-restart"]).status.success());
        assert_eq!(status(&scene, REBUILT)["is_this_build"], true);
    }

    #[test]
    fn waits_for_the_state_and_tells_if_it_cannot_be_loaded() {
        let scene = Scene::new();
        fs::write(scene.path("load"), "fail").unwrap();
        let (stdout, stderr, code) = told(&flag(&scene, STATEFUL, &["--daemon-restart"]));
        assert_eq!((&*stdout, code), ("", Some(69)));
        assert!(stderr.starts_with("stateful: can't get ready: no dictionary: "), "{stderr}");

        let go_on = scene.path("go-on");
        fs::write(scene.path("load"), format!("count\nawait {}", go_on.display())).unwrap();
        let restart = scene.command(STATEFUL).arg("--daemon-restart").spawn().unwrap();
        until("it loads", || scene.path("loads").exists());
        fs::write(go_on, "").unwrap();
        let output = finish(restart);
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("\n  state     loaded\n"),
            "{:?}",
            told(&output)
        );
    }
}

mod log {
    use super::*;

    #[test]
    fn is_shown() {
        let scene = Scene::new();
        let (_, stderr, code) = told(&flag(&scene, SCRIPTED, &["--daemon-log"]));
        let expected = format!(
            "scripted: there is no log at {}; a daemon begins one when it starts\n",
            scene.file("scripted", "log").display()
        );
        assert_eq!((stderr, code), (expected, Some(69)));
        scene.run(SCRIPTED, "");
        let shown = flag(&scene, SCRIPTED, &["--daemon-log"]);
        assert_eq!(shown.stdout, fs::read(scene.file("scripted", "log")).unwrap());
        assert!(String::from_utf8_lossy(&shown.stdout).contains(" serving "));
    }

    #[test]
    fn is_followed_from_one_daemon_to_the_next() {
        let scene = Scene::new();
        let mut follower = scene.command(SCRIPTED).args(["--daemon-log", "--follow"]).spawn().unwrap();
        let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
        for _ in 0..5 {
            scene.run(SCRIPTED, "");
            let serving = format!("pid={}", pid(&scene, "scripted").as_raw_pid());
            assert!(lines.any(|line| line.unwrap().ends_with(&serving)));
            flag(&scene, SCRIPTED, &["--daemon-stop"]);
            assert!(lines.any(|line| line.unwrap().contains(" retiring ")));
        }
        // Its reader has gone, which it notices though nothing more is logged.
        drop(lines);
        assert!(!finish_status(&mut follower).success());
    }

    /// The next log is another file then, and all that tells of its lines is that it grows.
    #[test]
    fn is_followed_while_the_daemon_before_still_writes_its_own() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let running = scene.begin(SCRIPTED, &format!("await {}", go_on.display()));
        let mut follower = scene.command(SCRIPTED).args(["--daemon-log", "--follow"]).spawn().unwrap();
        let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(" serving ")));
        assert!(flag(&scene, SCRIPTED, &["--daemon-restart"]).status.success());
        assert!(scene.file("scripted", "log.old").exists());
        let serving = format!("pid={}", pid(&scene, "scripted").as_raw_pid());
        assert!(lines.any(|line| line.unwrap().ends_with(&serving)));
        for number in 0..3 {
            scene.run(SCRIPTED, format!("panic {number}"));
            let ended = format!(" ended command={} code=101 ", number + 1);
            assert!(lines.any(|line| line.unwrap().contains(&ended)));
        }
        drop(lines);
        assert!(!finish_status(&mut follower).success());
        fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(running)), success(""));
    }

    #[test]
    fn is_followed_without_polling() {
        if !has_strace() {
            return;
        }
        let scene = Scene::new();
        scene.run(SCRIPTED, "");
        let trace = scene.path("trace");
        let mut command = scene.command("strace");
        command.arg("-o").arg(&trace).args([SCRIPTED, "--daemon-log", "--follow"]);
        let mut follower = command.spawn().unwrap();
        let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
        flag(&scene, SCRIPTED, &["--daemon-stop"]);
        assert!(lines.any(|line| line.unwrap().contains(" retiring ")));
        drop(lines);
        finish_status(&mut follower);
        let trace = fs::read_to_string(&trace).unwrap();
        // Every program looks once whether its standard streams are open.
        let waits = trace.lines().filter(|call| call.contains("poll(") || call.contains("sleep("));
        let waits: Vec<_> = waits.filter(|call| !call.contains("], 3, 0)")).collect();
        assert!(!waits.is_empty() && waits.iter().all(|call| call.contains("}], 2, NULL")), "{waits:?}");
    }

    #[test]
    fn of_a_daemon_that_sees_its_last_command_out_is_set_aside() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let running = scene.begin(SCRIPTED, &format!("await {}\npanic in the old daemon", go_on.display()));
        let old = pid(&scene, "scripted");
        flag(&scene, SCRIPTED, &["--daemon-restart"]);
        fs::write(go_on, "").unwrap();
        assert_eq!(finish(running).status.code(), Some(101));
        until_ended(old);
        let [log, old_log] = ["log", "log.old"]
            .map(|extension| fs::read_to_string(scene.file("scripted", extension)).unwrap());
        assert!(
            old_log.contains("in the old daemon") && !log.contains("in the old daemon"),
            "{log}\n{old_log}"
        );
        assert!(log.contains(&format!("pid={}", pid(&scene, "scripted").as_raw_pid())), "{log}");
    }

    #[test]
    fn is_kept_short_while_a_daemon_writes_it() {
        const LIMIT: u64 = 1024 * 1024;
        let scene = Scene::new();
        let read = || fs::read_to_string(scene.file("scripted", "log")).unwrap();
        assert!(scene.run(SCRIPTED, "log 200000").status.success());
        // While it is cut, it is shorter for a moment.
        let mut log = String::new();
        until("it is short again", || {
            log = read();
            (log.len() as u64) < LIMIT && log.ends_with("   199999\n")
        });
        assert!(log.len() as u64 > LIMIT / 8);
        assert!(log.starts_with("(what was logged before has been removed)\n"));
    }

    /// What the daemon is told by its callers is nobody's who reads its log.
    #[test]
    fn has_no_arguments_input_or_environment_of_callers() {
        let scene = Scene::new();
        let mut command = scene.command(CLI);
        command.env("DAEMON_RPC_LOG", "debug").env("TOKEN", "secret-in-environment");
        command.args(["--here", "secret-in-argument", "say", "secret"]);
        finish(start(&mut command, ""));
        let mut command = scene.command(SCRIPTED);
        command.env("DAEMON_RPC_LOG", "debug");
        finish(start(&mut command, "print secret-in-input"));
        finish(start(&mut command, "nonsense secret-in-error"));
        for id in ["cli", "scripted"] {
            let log = fs::read_to_string(scene.file(id, "log")).unwrap();
            assert!(log.contains("ended command=1 code="), "{log}");
            assert!(!log.contains("secret"), "{log}");
        }
    }

    #[test]
    fn tells_of_panics_at_once_and_of_every_end_where_it_is_asked_for() {
        let scene = Scene::new();
        scene.run(SCRIPTED, "exit 3");
        scene.run(SCRIPTED, "panic oh");
        let log = fs::read_to_string(scene.file("scripted", "log")).unwrap();
        assert!(
            !log.contains("command=1")
                && log.contains(" WARN daemon_rpc::daemon::command: ended command=2 code=101 took="),
            "{log}"
        );
    }
}

mod foreground {
    use super::*;

    #[test]
    fn serves_and_ends_like_any_daemon() {
        let scene = Scene::new();
        let daemon = in_foreground(&scene, SCRIPTED, "scripted");
        assert_eq!(told(&scene.run(SCRIPTED, "pid")), success(&format!("{}\n", daemon.id())));
        assert_eq!(status(&scene, SCRIPTED)["log"], Value::Null);
        kill_process(pid(&scene, "scripted"), Signal::INT).unwrap();
        let (stdout, stderr, code) = told(&finish(daemon));
        assert_eq!((&*stdout, code), ("", Some(0)));
        assert!(stderr.contains(" retiring reason=it was sent SIGINT "), "{stderr}");
        assert!(!scene.file("scripted", "sock").exists() && !scene.file("scripted", "log").exists());
    }

    #[test]
    fn a_second_signal_does_not_wait_for_commands() {
        let scene = Scene::new();
        let mut daemon = in_foreground(&scene, SCRIPTED, "scripted");
        let cancelled = scene.path("cancelled");
        let running = scene.begin(SCRIPTED, &format!("until-cancelled {}", cancelled.display()));
        let pid = pid(&scene, "scripted");
        kill_process(pid, Signal::INT).unwrap();
        until("it retires", || !scene.file("scripted", "sock").exists());
        assert!(!cancelled.exists());
        kill_process(pid, Signal::INT).unwrap();
        assert!(finish_status(&mut daemon).success());
        assert!(cancelled.exists() && finish(running).status.success());
    }

    #[test]
    fn what_its_starter_ignores_it_ignores() {
        let scene = Scene::new();
        let mut command = scene.command("sh");
        command.args(["-c", "trap '' HUP; exec \"$SCRIPTED\" --daemon-run"]).env("SCRIPTED", SCRIPTED);
        let daemon = command.stdin(Stdio::null()).spawn().unwrap();
        until("it serves", || scene.daemon_pid("scripted").is_some());
        kill_process(pid(&scene, "scripted"), Signal::HUP).unwrap();
        assert_eq!(told(&scene.run(SCRIPTED, "print on")), success("on\n"));
        kill_process(pid(&scene, "scripted"), Signal::TERM).unwrap();
        assert!(String::from_utf8_lossy(&finish(daemon).stderr).contains("reason=it was sent SIGTERM"));
    }

    #[test]
    fn its_supervisor_is_told_when_it_is_ready_and_when_it_ends() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        fs::write(scene.path("load"), format!("count\nawait {}", go_on.display())).unwrap();
        let notified = UnixDatagram::bind(scene.path("notify")).unwrap();
        notified.set_read_timeout(Some(DEADLINE)).unwrap();
        let told_next = || {
            let mut text = [0; 64];
            let count = notified.recv(&mut text).unwrap();
            String::from_utf8_lossy(&text[..count]).into_owned()
        };
        let mut command = scene.command(STATEFUL);
        command.arg("--daemon-run").env("NOTIFY_SOCKET", scene.path("notify"));
        let mut daemon = command.spawn().unwrap();
        until("it loads", || scene.path("loads").exists());
        notified.set_nonblocking(true).unwrap();
        assert!(notified.recv(&mut [0; 64]).is_err());
        notified.set_nonblocking(false).unwrap();
        fs::write(go_on, "").unwrap();
        assert_eq!(told_next(), "READY=1");
        kill_process(pid(&scene, "stateful"), Signal::TERM).unwrap();
        assert_eq!(told_next(), "STOPPING=1");
        assert!(finish_status(&mut daemon).success());
    }

    #[test]
    fn a_state_that_cannot_be_loaded_is_a_failure() {
        let scene = Scene::new();
        fs::write(scene.path("load"), "fail").unwrap();
        let (stdout, stderr, code) = told(&flag(&scene, STATEFUL, &["--daemon-run"]));
        assert_eq!((&*stdout, code), ("", Some(69)));
        assert!(
            stderr.ends_with("stateful: no dictionary: No such file or directory (os error 2)\n"),
            "{stderr}"
        );
    }

    #[test]
    fn a_daemon_that_a_client_started_tells_nobodys_supervisor() {
        let scene = Scene::new();
        let notified = UnixDatagram::bind(scene.path("notify")).unwrap();
        let mut command = scene.command(SCRIPTED);
        command.env("NOTIFY_SOCKET", scene.path("notify"));
        assert_eq!(told(&finish(start(&mut command, "print hello"))), success("hello\n"));
        flag(&scene, SCRIPTED, &["--daemon-stop"]);
        notified.set_nonblocking(true).unwrap();
        assert!(notified.recv(&mut [0; 64]).is_err());
    }
}

mod supervised {
    use super::*;

    #[test]
    fn sockets_that_are_for_somebody_else_are_left_alone() {
        let scene = Scene::new();
        let mut command = scene.command(SCRIPTED);
        command.arg("--daemon-run").env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
        let mut daemon = command.spawn().unwrap();
        until("it serves", || scene.daemon_pid("scripted").is_some());
        assert_eq!(told(&scene.run(SCRIPTED, "print hello")), success("hello\n"));
        flag(&scene, SCRIPTED, &["--daemon-stop"]);
        assert!(finish_status(&mut daemon).success());
    }

    #[test]
    fn a_socket_that_is_another_ones_is_refused() {
        let scene = Scene::new();
        let supervisor = Supervisor::new(&scene, "other", SCRIPTED);
        let mut caller = std::os::unix::net::UnixStream::connect(scene.file("other", "sock")).unwrap();
        until("it was tried", || supervisor.starts() > 0);
        drop(supervisor);
        // Nobody has answered.
        use std::io::Read as _;
        assert!(!caller.read(&mut [0]).is_ok_and(|count| count > 0));
        assert!(!scene.file("scripted", "sock").exists());
    }

    #[test]
    fn the_next_daemon_is_its_supervisors_too() {
        let scene = Scene::new();
        let supervisor = Supervisor::new(&scene, "scripted", SCRIPTED);
        for count in 1..5 {
            assert_eq!(told(&scene.run(SCRIPTED, "print hello")), success("hello\n"));
            assert_eq!(supervisor.starts(), count);
            assert!(flag(&scene, SCRIPTED, &["--daemon-stop"]).status.success());
            assert!(scene.file("scripted", "sock").exists());
            assert_eq!(flag(&scene, SCRIPTED, &["--daemon-status"]).status.code(), Some(3));
        }
        assert!(flag(&scene, SCRIPTED, &["--daemon-restart"]).status.success());
        assert_eq!(supervisor.starts(), 5);
    }

    #[test]
    fn who_calls_while_its_daemon_ends_waits_for_the_next() {
        let scene = Scene::new();
        let supervisor = Supervisor::new(&scene, "scripted", SCRIPTED);
        let go_on = scene.path("go-on");
        let running = scene.begin(SCRIPTED, &format!("await {}\nprint done", go_on.display()));
        let old = pid(&scene, "scripted");
        assert!(flag(&scene, SCRIPTED, &["--daemon-stop"]).status.success());
        let waiting: Vec<_> =
            (0..10).map(|number| start(&mut scene.command(SCRIPTED), format!("print {number}"))).collect();
        assert!(is_alive(old));
        fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(running)), success("done\n"));
        for (number, waiting) in waiting.into_iter().enumerate() {
            assert_eq!(told(&finish(waiting)), success(&format!("{number}\n")));
        }
        assert_eq!(supervisor.starts(), 2);
    }

    /// None of those who wait may keep the supervisor's daemon from coming.
    #[test]
    fn a_crowd_waits_for_a_daemon_that_is_slow_to_go() {
        let scene = Scene::new();
        let supervisor = Supervisor::new(&scene, "impatient", IMPATIENT);
        let go_on = scene.path("go-on");
        fs::write(scene.path("wait-for"), go_on.as_os_str().as_encoded_bytes()).unwrap();
        let running = start(&mut scene.command(IMPATIENT), "old");
        until("it runs", || scene.path("running").exists());
        assert!(flag(&scene, IMPATIENT, &["--daemon-stop"]).status.success());
        fs::remove_file(scene.path("wait-for")).unwrap();
        let waiting: Vec<_> =
            (0..15).map(|number| start(&mut scene.command(IMPATIENT), number.to_string())).collect();
        // Much longer than this program waits for an answer.
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(2);
        until("they have waited", || std::time::Instant::now() > patience);
        fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(running)), success("old"));
        for (number, waiting) in waiting.into_iter().enumerate() {
            assert_eq!(told(&finish(waiting)), success(&number.to_string()));
        }
        assert_eq!(supervisor.starts(), 2);
    }

    /// Also where there is a socket of its own name, that nobody listens at.
    #[test]
    fn a_socket_that_listens_elsewhere_is_refused() {
        let scene = Scene::new();
        drop(std::os::unix::net::UnixListener::bind(scene.file("scripted", "sock")).unwrap());
        let other = std::os::unix::net::UnixListener::bind(scene.file("other", "sock")).unwrap();
        let mut command = with_socket(&scene, SCRIPTED);
        let (_, stderr, code) =
            told(&finish(command.stdin(std::os::fd::OwnedFd::from(other)).spawn().unwrap()));
        assert_eq!(code, Some(78));
        assert!(stderr.contains("none of the sockets that were passed (LISTEN_FDS) listens at "), "{stderr}");
    }

    #[test]
    fn a_socket_that_does_not_listen_is_refused() {
        let scene = Scene::new();
        let socket = UnixDatagram::bind(scene.file("scripted", "sock")).unwrap();
        let mut command = with_socket(&scene, SCRIPTED);
        let (_, stderr, code) =
            told(&finish(command.stdin(std::os::fd::OwnedFd::from(socket)).spawn().unwrap()));
        assert_eq!(code, Some(78));
        assert!(stderr.contains("none of the sockets that were passed (LISTEN_FDS) listens at "), "{stderr}");
    }

    #[test]
    fn a_supervisor_that_starts_another_build_is_named() {
        let scene = Scene::new();
        let supervisor = Supervisor::new(&scene, "scripted", SCRIPTED);
        let (stdout, stderr, code) = told(&scene.run(REBUILT, "print hello"));
        assert_eq!((&*stdout, code), ("", Some(69)));
        assert!(stderr.contains("starts a daemon of another build; have it start this build"), "{stderr}");
        assert_eq!(told(&scene.run(SCRIPTED, "print hello")), success("hello\n"));
        assert!(supervisor.starts() > 0);
        assert_eq!(scene.processes().len(), 1);
    }

    #[test]
    fn an_own_socket_is_not_made_beside_the_supervisors() {
        let scene = Scene::new();
        let listener = std::os::unix::net::UnixListener::bind(scene.file("scripted", "sock")).unwrap();
        let (stdout, stderr, code) = told(&flag(&scene, SCRIPTED, &["--daemon-run"]));
        assert_eq!((&*stdout, code), ("", Some(69)));
        assert!(stderr.contains("something listens at "), "{stderr}");
        drop(listener);
    }
}

mod elsewhere {
    use super::*;

    #[test]
    fn the_same_behind_a_subcommand() {
        let scene = Scene::new();
        let output = flag(&scene, OPTIONS, &["service", "status"]);
        assert_eq!(told(&output), ("options: not running\n".into(), String::new(), Some(3)));
        let (_, stderr, code) = told(&flag(&scene, OPTIONS, &["service", "statistics"]));
        assert_eq!(
            (&*stderr, code),
            ("options: service is followed by status, stop, restart, log or run\n", Some(64))
        );
        let (_, stderr, code) = told(&flag(&scene, OPTIONS, &["--daemon-stop", "now"]));
        assert_eq!(
            (&*stderr, code),
            ("options: unexpected argument \"now\": --daemon-stop takes --now\n", Some(64))
        );
    }

    #[test]
    fn the_same_as_functions() {
        let scene = Scene::new();
        let call = |word| told(&flag(&scene, OPERATOR, &[word])).0;
        assert_eq!(call("status"), "None\n");
        assert_eq!(call("stop"), "None\n");
        assert_eq!(call("a command"), "");
        let daemon = pid(&scene, "operator").as_raw_pid();
        assert_eq!(call("status"), format!("Some(({daemon}, 1))\n"));
        let next = call("restart");
        assert_eq!(next, format!("{}\n", pid(&scene, "operator").as_raw_pid()));
        assert_ne!(next, format!("{daemon}\n"));
        assert_eq!(call("stop-now"), format!("Some(Some({}))\n", next.trim()));
        assert_eq!(call("log"), format!("{}\n", scene.file("operator", "log").display()));
    }

    #[test]
    fn a_program_without_a_daemon_has_them_too() {
        both_ways(|scene| {
            let output = flag(scene, SCRIPTED, &["--daemon-status"]);
            assert_eq!(told(&output), ("scripted: not running\n".into(), String::new(), Some(3)));
        });
    }

    #[test]
    fn the_help_of_clap_can_have_them() {
        let scene = Scene::new();
        let help = String::from_utf8(flag(&scene, CLI, &["--help"]).stdout).unwrap();
        assert!(help.ends_with(&format!("{}\n", daemon_rpc::control::HELP)), "{help}");
        for name in ["status", "stop", "restart", "log"] {
            assert!(help.contains(&format!("  --daemon-{name} ")), "{help}");
            let output = flag(&scene, CLI, &[&format!("--daemon-{name}"), "x"]);
            assert_eq!(output.status.code(), Some(64));
        }
    }
}
