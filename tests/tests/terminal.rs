//! A command in a terminal.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;

use daemon_rpc_tests::scene::{Scene, both_ways, finish, finish_status, start, told, until};
use daemon_rpc_tests::terminal::{CTRL_C, CTRL_D, in_terminal, in_terminal_of, read_until};
use pty_process::Size;
use pty_process::blocking::Pty;
use rustix::process::{Pid, Signal};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const TERMINAL: &str = env!("CARGO_BIN_EXE_terminal");
const STREAM: &str = env!("CARGO_BIN_EXE_stream");
const STATEFUL: &str = env!("CARGO_BIN_EXE_stateful");

/// A first call in a terminal of its own, so that its client is the one that starts the daemon. It runs until it is
/// cancelled.
fn running_in_terminal(scene: &Scene) -> (Pty, Child, Pid) {
    let (mut pty, client) = in_terminal(scene, SCRIPTED, &[], &[]);
    let cancelled = scene.path("cancelled");
    pty.write_all(format!("print running\nuntil-cancelled {}\n", cancelled.display()).as_bytes()).unwrap();
    pty.write_all(CTRL_D).unwrap();
    read_until(&mut pty, "\r\nrunning\r\n");
    (pty, client, scene.daemon_pid("scripted").unwrap())
}

/// The command was cancelled, and the daemon serves on.
#[track_caller]
fn assert_cancelled(scene: &Scene, daemon: Pid) {
    until("the command is cancelled", || scene.path("cancelled").exists());
    assert_eq!(told(&scene.run(SCRIPTED, "pid")).0, format!("{}\n", daemon.as_raw_pid()));
}

#[test]
fn a_shell_loop_stops_at_ctrl_c() {
    let scene = Scene::new();
    let script = "for i in 1 2 3; do printf 'print round\nuntil-cancelled %s\n' \"$DAEMON_RPC_DIR/cancelled\" | \
                  \"$SCRIPTED\"; done; echo never";
    let (mut pty, mut shell) = in_terminal(&scene, "bash", &["-c", script], &[("SCRIPTED", SCRIPTED)]);
    read_until(&mut pty, "round");
    pty.write_all(CTRL_C).unwrap();
    finish_status(&mut shell);
    let mut rest = Vec::new();
    // A terminal whose last program has gone gives an error instead of an end.
    let _ = pty.read_to_end(&mut rest);
    let rest = String::from_utf8_lossy(&rest).into_owned();
    assert!(!rest.contains("round") && !rest.contains("never"), "{rest}");
}

#[test]
fn a_terminal_that_closes_takes_its_command_with_it_and_not_the_daemon() {
    let scene = Scene::new();
    let (pty, mut client, daemon) = running_in_terminal(&scene);
    drop(pty);
    assert!(!finish_status(&mut client).success());
    assert_cancelled(&scene, daemon);
}

mod description {
    use super::*;

    /// The first line that a program writes in a terminal.
    fn line(pty: &mut Pty) -> String {
        read_until(pty, "\r\n").trim_end().to_owned()
    }

    fn described(variables: &[(&str, &str)]) -> String {
        let mut lines = [Scene::new(), Scene::inline()].map(|scene| {
            let (mut pty, mut client) = in_terminal(&scene, TERMINAL, &[], variables);
            let line = line(&mut pty);
            assert!(finish_status(&mut client).success());
            line
        });
        assert_eq!(lines[0], lines[1]);
        std::mem::take(&mut lines[0])
    }

    #[test]
    fn has_the_colours_that_the_caller_wants() {
        let all = "stdin stdout stderr 80x24";
        for (variables, colors) in [
            (&[][..], "(Basic, Basic)"),
            (&[("TERM", "xterm-256color")], "(Ansi256, Ansi256)"),
            (&[("COLORTERM", "truecolor")], "(TrueColor, TrueColor)"),
            (&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], "(None, None)"),
            (&[("TERM", "dumb")], "(None, None)"),
            (&[("CLICOLOR", "0")], "(None, None)"),
            (&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], "(Basic, Basic)"),
        ] {
            assert_eq!(described(variables), format!("{all} {colors}"), "{variables:?}");
        }
    }

    #[test]
    fn tells_the_streams_apart() {
        let scene = Scene::new();
        for (redirection, streams) in [
            ("< /dev/null", "- stdout stderr 80x24 (Basic, Basic)"),
            ("2> /dev/null", "stdin stdout - 80x24 (Basic, None)"),
            ("| cat", "stdin - stderr 80x24 (None, Basic)"),
        ] {
            let script = format!("\"$TERMINAL\" {redirection}");
            let (mut pty, mut shell) = in_terminal(&scene, "sh", &["-c", &script], &[("TERMINAL", TERMINAL)]);
            assert_eq!(line(&mut pty), streams);
            finish_status(&mut shell);
        }
    }

    #[test]
    fn is_that_of_the_moment_when_the_input_has_ended() {
        let scene = Scene::new();
        let (mut pty, mut client) = in_terminal(&scene, env!("CARGO_BIN_EXE_typed"), &[], &[]);
        pty.write_all(b"text\n").unwrap();
        read_until(&mut pty, "text\r\n");
        pty.resize(Size::new(30, 123)).unwrap();
        pty.write_all(CTRL_D).unwrap();
        assert_eq!(line(&mut pty), "text Some(123)");
        assert!(finish_status(&mut client).success());
    }

    #[test]
    fn follows_the_size_of_a_terminal_that_has_none_yet() {
        both_ways(|scene| {
            let (mut pty, mut client) = in_terminal_of(Size::new(0, 0), scene, TERMINAL, &["follow"], &[]);
            assert_eq!(line(&mut pty), "stdin stdout stderr no size (Basic, Basic)");
            pty.resize(Size::new(30, 100)).unwrap();
            assert_eq!(line(&mut pty), "100x30");
            pty.write_all(CTRL_C).unwrap();
            assert_eq!(finish_status(&mut client).signal(), Some(Signal::INT.as_raw()));
        });
    }

    #[test]
    fn follows_the_terminals_size() {
        both_ways(|scene| {
            let (mut pty, mut client) = in_terminal(scene, TERMINAL, &["follow"], &[]);
            line(&mut pty);
            for columns in [100, 50, 133] {
                pty.resize(Size::new(30, columns)).unwrap();
                assert_eq!(line(&mut pty), format!("{columns}x30"));
            }
            pty.write_all(CTRL_C).unwrap();
            assert_eq!(finish_status(&mut client).signal(), Some(Signal::INT.as_raw()));
        });
    }
}

#[test]
fn what_is_typed_arrives_line_by_line() {
    both_ways(|scene| {
        let (mut pty, mut client) = in_terminal(scene, STREAM, &["copy"], &[]);
        for line in ["one", "two"] {
            pty.write_all(format!("{line}\n").as_bytes()).unwrap();
            // Once as the terminal's echo, once as the answer.
            read_until(&mut pty, &format!("{line}\r\n"));
            read_until(&mut pty, &format!("{line}\r\n"));
        }
        pty.write_all(CTRL_D).unwrap();
        assert!(finish_status(&mut client).success());
    });
}

mod loading {
    use super::*;

    #[test]
    fn is_said_after_a_while_and_taken_back() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        std::fs::write(scene.path("load"), format!("await {}", go_on.display())).unwrap();
        let (mut pty, mut client) = in_terminal(&scene, STATEFUL, &[], &[]);
        assert_eq!(read_until(&mut pty, "…"), "stateful: loading…");
        std::fs::write(go_on, "").unwrap();
        assert_eq!(read_until(&mut pty, "\n"), "\r\x1b[K1\r\n");
        assert!(finish_status(&mut client).success());
    }

    #[test]
    fn that_is_quick_goes_unsaid() {
        let scene = Scene::new();
        let (mut pty, mut client) = in_terminal(&scene, STATEFUL, &[], &[]);
        assert_eq!(read_until(&mut pty, "\n"), "1\r\n");
        assert!(finish_status(&mut client).success());
    }

    #[test]
    fn is_nobodys_business_who_reads_no_terminal() {
        let scene = Scene::new();
        let go_on = scene.path("go-on");
        std::fs::write(scene.path("load"), format!("await {}", go_on.display())).unwrap();
        let (mut pty, mut told_so) = in_terminal(&scene, STATEFUL, &[], &[]);
        let elsewhere = start(&mut scene.command(STATEFUL), "");
        // Both wait for the same, and the one in the terminal is told.
        read_until(&mut pty, "…");
        std::fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(elsewhere)).1, "");
        assert!(finish_status(&mut told_so).success());
    }
}
