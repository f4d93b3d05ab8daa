//! The flows of a command: normal, error, cancellation. The fourth, version mismatch, and more of the second are in
//! `field_failures.rs`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::time::{Duration, Instant};

use daemon_rpc_tests::scene::{
    Scene, both_ways, finish, finish_status, resident_kib, start, success, told, until, until_ended,
};
use rustix::process::{Pid, Signal, kill_process};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const ECHO: &str = env!("CARGO_BIN_EXE_echo");
const OPTIONS: &str = env!("CARGO_BIN_EXE_options");

mod normal_operation {
    use super::*;

    #[test]
    fn the_first_call_starts_a_daemon_and_later_calls_use_it() {
        let scene = Scene::new();
        let first = scene.run(SCRIPTED, "pid");
        let pid = scene.daemon_pid("scripted").unwrap();
        assert_eq!(told(&first), success(&format!("{}\n", pid.as_raw_pid())));
        assert_eq!(told(&scene.run(SCRIPTED, "pid")), told(&first));
    }

    #[test]
    fn output_is_the_handlers_byte_for_byte() {
        both_ways(|scene| {
            for text in ["", "one line\n", "no newline", "\0 and \u{1F980}\r\n"] {
                assert_eq!(told(&scene.run(ECHO, text)), success(text));
            }
        });
    }

    #[test]
    fn a_large_command_goes_both_ways_whole() {
        both_ways(|scene| {
            let text: String = (0..1_500_000).map(|number| format!("{number:>9}\n")).collect();
            assert!(scene.run(ECHO, &text).stdout == text.as_bytes());
        });
    }

    #[test]
    fn exit_codes_are_the_handlers() {
        both_ways(|scene| {
            for code in [0, 1, 3, 64, 255] {
                assert_eq!(scene.run(SCRIPTED, format!("exit {code}")).status.code(), Some(code));
            }
        });
    }

    #[test]
    fn commands_run_at_the_same_time() {
        let scene = Scene::new();
        let ours = |step: &str, name: &str| format!("{step} {}\n", scene.path(name).display());
        // Each waits for a file that the other makes.
        let first = [ours("touch", "a"), ours("await", "b"), "print first".into()].concat();
        let second = [ours("await", "a"), ours("touch", "b"), "print second".into()].concat();
        let first = start(&mut scene.command(SCRIPTED), first);
        let second = start(&mut scene.command(SCRIPTED), second);
        assert_eq!(told(&finish(first)), success("first\n"));
        assert_eq!(told(&finish(second)), success("second\n"));
    }
}

mod streaming {
    use super::*;

    #[test]
    fn a_chunk_arrives_before_the_handler_goes_on() {
        both_ways(|scene| {
            let go_on = scene.path("go-on");
            let script = format!("print first\nawait {}\nprint second", go_on.display());
            let mut client = start(&mut scene.command(SCRIPTED), script);
            let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
            assert_eq!(lines.next().unwrap().unwrap(), "first");
            std::fs::write(go_on, "").unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), "second");
            assert!(lines.next().is_none());
            assert!(finish(client).status.success());
        });
    }

    #[test]
    fn a_chunk_arrives_though_the_handler_blocks_its_thread() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let script = format!("bulk 1000000\nblock-thread {}", go_on.display());
        let mut client = start(&mut scene.command(SCRIPTED), script);
        let mut output = vec![0; 1_000_000];
        let mut stdout = client.stdout.take().unwrap();
        stdout.read_exact(&mut output).unwrap();
        std::fs::write(go_on, "").unwrap();
        assert!(finish(client).status.success());
    }
}

mod error_flow {
    use super::*;

    #[test]
    fn an_endless_error_is_cut() {
        both_ways(|scene| {
            let output = scene.run(SCRIPTED, format!("fail {}", "ä".repeat(400_000)));
            assert_eq!(output.status.code(), Some(1));
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.ends_with("ä… (truncated)\n"), "{}", text.len());
        });
    }
}

mod cancellation_flow {
    use super::*;

    /// The command is cancelled when its client gets the signal, which ends it.
    #[track_caller]
    fn assert_cancelled_by(signal: Signal, scene: &Scene) {
        use std::os::unix::process::ExitStatusExt as _;
        let cancelled = scene.path("cancelled");
        let client = scene.begin(SCRIPTED, &format!("until-cancelled {}", cancelled.display()));
        kill_process(Pid::from_child(&client), signal).unwrap();
        let output = finish(client);
        until("the command is cancelled", || cancelled.exists());
        assert_eq!(told(&scene.run(SCRIPTED, "print next")), success("next\n"));
        assert_eq!(output.status.signal(), Some(signal.as_raw()));
        assert_eq!(output.stderr, b"");
    }

    #[test]
    fn sigint_cancels() {
        both_ways(|scene| assert_cancelled_by(Signal::INT, scene));
    }

    #[test]
    fn sigterm_cancels() {
        both_ways(|scene| assert_cancelled_by(Signal::TERM, scene));
    }

    #[test]
    fn sighup_cancels() {
        both_ways(|scene| assert_cancelled_by(Signal::HUP, scene));
    }

    #[test]
    fn a_reader_that_goes_away_cancels_a_handler_that_writes_nothing() {
        use std::os::unix::process::ExitStatusExt as _;
        both_ways(|scene| {
            let (running, cancelled) = (scene.path("running"), scene.path("cancelled"));
            let script =
                format!("print line\ntouch {}\nuntil-cancelled {}", running.display(), cancelled.display());
            let mut client = start(&mut scene.command(SCRIPTED), script);
            let mut stdout = BufReader::new(client.stdout.take().unwrap());
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            assert_eq!(line, "line\n");
            drop(stdout);
            until("the command is cancelled", || cancelled.exists());
            let output = finish(client);
            assert_eq!((output.status.signal(), &*output.stderr), (Some(Signal::PIPE.as_raw()), &b""[..]));
        });
    }

    #[test]
    fn a_reader_that_goes_away_stops_a_handler_that_writes_without_end() {
        both_ways(|scene| {
            let mut command = scene.command("sh");
            command.args(["-c", "\"$SCRIPTED\" | head -c 3"]).env("SCRIPTED", SCRIPTED);
            let ended = scene.path("ended");
            let script = format!("touch-at-end {}\nprint yes\nbulk {}", ended.display(), u64::MAX);
            let output = finish(start(&mut command, script));
            assert_eq!(told(&output), success("yes"));
            until("the handler has ended", || ended.exists());
        });
    }

    #[test]
    fn a_handler_that_ignores_its_token_is_aborted_after_the_grace_period() {
        both_ways(|scene| {
            let aborted = scene.path("aborted");
            let client = scene.begin(SCRIPTED, &format!("until-aborted {}", aborted.display()));
            kill_process(Pid::from_child(&client), Signal::INT).unwrap();
            // Others are served while it has its grace.
            assert_eq!(told(&scene.run(SCRIPTED, "print next")), success("next\n"));
            finish(client);
            until("the handler is aborted", || aborted.exists());
        });
    }

    #[test]
    fn a_handler_whose_caller_goes_while_the_daemon_ends_has_its_grace_period() {
        let scene = Scene::new();
        let [noticed, go_on, ended] = ["noticed", "go-on", "ended"].map(|name| scene.path(name));
        let script = format!(
            "until-cancelled {}\nawait {}\ntouch {}",
            noticed.display(),
            go_on.display(),
            ended.display()
        );
        let client = scene.begin(SCRIPTED, &script);
        let daemon = scene.daemon_pid("scripted").unwrap();
        kill_process(daemon, Signal::QUIT).unwrap();
        until("the handler has noticed", || noticed.exists());
        kill_process(Pid::from_child(&client), Signal::KILL).unwrap();
        finish(client);
        // Longer than a daemon takes to end that has nothing more to do.
        let patience = Instant::now() + Duration::from_millis(500);
        until("some time has passed", || Instant::now() > patience);
        fs::write(go_on, "").unwrap();
        until_ended(daemon);
        assert!(ended.exists());
    }

    #[test]
    fn a_signal_that_is_ignored_stays_ignored() {
        both_ways(|scene| {
            let (running, go_on) = (scene.path("running"), scene.path("go-on"));
            let script = format!("touch {}\nawait {}\nprint done", running.display(), go_on.display());
            let mut command = scene.command("sh");
            command.args(["-c", "trap '' HUP INT; exec \"$SCRIPTED\""]).env("SCRIPTED", SCRIPTED);
            let client = start(&mut command, script);
            until("the command runs", || running.exists());
            for signal in [Signal::HUP, Signal::INT] {
                kill_process(Pid::from_child(&client), signal).unwrap();
            }
            std::fs::write(go_on, "").unwrap();
            assert_eq!(told(&finish(client)), success("done\n"));
        });
    }

    #[test]
    fn a_command_without_daemon_ends_while_its_output_waits_for_a_reader() {
        use std::os::unix::process::ExitStatusExt as _;
        let scene = Scene::inline();
        let ended = scene.path("ended");
        // More than a pipe holds, and less than pipe and socket together.
        let mut client =
            start(&mut scene.command(SCRIPTED), format!("touch-at-end {}\nbulk 150000", ended.display()));
        until("the handler has ended", || ended.exists());
        kill_process(Pid::from_child(&client), Signal::TERM).unwrap();
        assert_eq!(finish_status(&mut client).signal(), Some(Signal::TERM.as_raw()));
    }

    /// The one that runs isn't the one that was interrupted, and goes on.
    #[test]
    fn a_command_that_no_handler_has_begun_can_be_interrupted_without_harm_to_others() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        let running = scene.begin(OPTIONS, &format!("block-thread {}\nprint done", go_on.display()));
        let daemon = scene.daemon_pid("options").unwrap();
        let status = || {
            let status = scene.run_with(OPTIONS, &["--daemon-status"], "").stdout;
            String::from_utf8_lossy(&status).into_owned()
        };
        let waiting = start(&mut scene.command(OPTIONS), "");
        until("it is in the daemon", || status().contains(" 1 running, 1 waiting,"));
        kill_process(Pid::from_child(&waiting), Signal::INT).unwrap();
        finish(waiting);
        // Longer than its grace period and what an abortion may take.
        let patience = Instant::now() + Duration::from_secs(2);
        until("some time has passed", || Instant::now() > patience);
        assert_eq!(scene.daemon_pid("options"), Some(daemon));
        fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(running)), success("done\n"));
    }

    #[test]
    fn a_command_that_no_handler_has_begun_is_left_to_the_next_daemon() {
        let scene = Scene::new();
        let stuck = scene.begin(OPTIONS, &format!("block-thread {}", scene.path("never").display()));
        let daemon = scene.daemon_pid("options").unwrap();
        // It has its turn, but the only thread is blocked.
        let next = start(&mut scene.command(OPTIONS), "pid");
        until("it is in the daemon", || {
            let status = scene.run_with(OPTIONS, &["--daemon-status"], "").stdout;
            String::from_utf8_lossy(&status).contains(" 1 running, 1 waiting,")
        });
        kill_process(Pid::from_child(&stuck), Signal::INT).unwrap();
        finish(stuck);
        let (stdout, stderr, code) = told(&finish(next));
        assert_eq!((&*stderr, code), ("", Some(0)));
        assert_ne!(stdout, format!("{}\n", daemon.as_raw_pid()));
    }

    #[test]
    fn a_handler_that_blocks_its_thread_does_not_keep_a_command_without_daemon() {
        use std::os::unix::process::ExitStatusExt as _;
        let scene = Scene::inline();
        let client = scene.begin(SCRIPTED, &format!("block-thread {}", scene.path("never").display()));
        kill_process(Pid::from_child(&client), Signal::TERM).unwrap();
        assert_eq!(finish(client).status.signal(), Some(Signal::TERM.as_raw()));
    }

    #[test]
    fn backpressure_holds_a_handler_back_that_writes_faster_than_its_client_reads() {
        const FAR_AHEAD: u64 = 2 * 1024 * 1024;
        let scene = Scene::new();
        scene.run(SCRIPTED, "bulk 100000");
        let daemon = scene.daemon_pid("scripted").unwrap();
        let idle = resident_kib(daemon);
        let progress = scene.path("progress");
        let written = || -> u64 {
            std::fs::read_to_string(&progress).ok().and_then(|count| count.parse().ok()).unwrap_or(0)
        };
        let ten_gib = 10_u64 << 30;
        let mut client =
            start(&mut scene.command(SCRIPTED), format!("counted-bulk {ten_gib} {}", progress.display()));
        let mut stdout = client.stdout.take().unwrap();
        let mut read = 0;
        let mut block = vec![0; 256 * 1024];
        for _ in 0..40 {
            stdout.read_exact(&mut block).unwrap();
            read += block.len() as u64;
            let mut ahead = None;
            until("the handler goes on", || {
                ahead = written().checked_sub(read);
                ahead.is_some()
            });
            assert!(ahead < Some(FAR_AHEAD), "{ahead:?} bytes are somewhere in between");
        }
        let grown = resident_kib(daemon).saturating_sub(idle);
        assert!(grown < 2048, "the daemon has grown by {grown} KiB");
        kill_process(Pid::from_child(&client), Signal::KILL).unwrap();
        finish(client);
    }
}
