//! Every parameter that is a stream, on everything that a stream can be, with a daemon and without.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};

use daemon_rpc_tests::scene::{Scene, both_ways, finish, finish_status, start, success, told, until};
use pty_process::blocking::{Command, Pty, open};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");
const ECHO: &str = env!("CARGO_BIN_EXE_echo");
const COPY: &str = env!("CARGO_BIN_EXE_copy");
const STREAM: &str = env!("CARGO_BIN_EXE_stream");
const TWO_STREAMS: &str = env!("CARGO_BIN_EXE_two-streams");

/// A program that gives back its input, for each of the parameters that take it.
const COPIES: [(&str, &[&str]); 3] = [(ECHO, &[]), (COPY, &[]), (STREAM, &["copy"])];

/// Runs a program in a terminal of its own, with one of its streams redirected by the shell.
fn in_terminal(scene: &Scene, program: &str, arguments: &[&str], redirection: &str) -> (Pty, Child) {
    let (pty, pts) = open().unwrap();
    let command = Command::new("sh")
        .args(["-c", &format!("exec \"$0\" \"$@\" {redirection}"), program])
        .args(arguments)
        .env("DAEMON_RPC_DIR", scene.directory())
        .env("DAEMON_RPC_INLINE", if scene.is_inline() { "1" } else { "0" });
    let child = command.spawn(pts).unwrap();
    (pty, child)
}

/// All that a terminal showed.
fn shown(mut pty: Pty, mut child: Child) -> String {
    assert!(finish_status(&mut child).success());
    let mut shown = Vec::new();
    // A terminal whose last program has gone gives an error instead of an end.
    let _ = pty.read_to_end(&mut shown);
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn input_is_a_pipe_a_file_nothing_or_closed() {
    both_ways(|scene| {
        let file = scene.path("input");
        fs::write(&file, "in a file\n").unwrap();
        for (program, arguments) in COPIES {
            let with = |stdin: Stdio| {
                told(&finish(scene.command(program).args(arguments).stdin(stdin).spawn().unwrap()))
            };
            assert_eq!(told(&scene.run_with(program, arguments, "in a pipe\n")), success("in a pipe\n"));
            assert_eq!(with(File::open(&file).unwrap().into()), success("in a file\n"));
            assert_eq!(with(Stdio::null()), success(""));
            let mut closed = scene.command("sh");
            closed.args(["-c", "exec \"$0\" \"$@\" <&-", program]).args(arguments);
            assert_eq!(told(&finish(start(&mut closed, ""))), success(""));
        }
    });
}

/// `poll` says of these what it says of a pipe that nobody reads.
#[test]
fn output_is_a_file_that_the_kernel_makes_up() {
    const FILE: &str = "/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan";
    let file = || File::options().write(true).open(FILE);
    let (Ok(value), Ok(_)) = (fs::read_to_string(FILE), file()) else {
        eprintln!("skipped: {FILE} isn't there, or only root may write it");
        return;
    };
    both_ways(|scene| {
        let (running, go_on) = (scene.path("running"), scene.path("go-on"));
        let script = format!("touch {}\nawait {}\nprint {value}", running.display(), go_on.display());
        let client = start(scene.command(SCRIPTED).stdout(file().unwrap()), script);
        until("the command runs, and its client waits", || running.exists());
        fs::write(go_on, "").unwrap();
        assert_eq!(told(&finish(client)), success(""));
    });
}

#[test]
fn input_is_typed() {
    both_ways(|scene| {
        for (program, arguments) in COPIES {
            let output = scene.path("output");
            let (mut pty, mut child) = in_terminal(scene, program, arguments, "> \"$DAEMON_RPC_DIR/output\"");
            pty.write_all(b"typed\n\x04").unwrap();
            assert!(finish_status(&mut child).success());
            assert_eq!(fs::read(output).unwrap(), b"typed\n");
        }
    });
}

#[test]
fn output_is_a_file_nothing_or_closed() {
    both_ways(|scene| {
        for (line, redirection) in [("out line\n", ">"), ("err line\n", "2>")] {
            let to = |target: &str| {
                let mut shell = scene.command("sh");
                shell.args(["-c", &format!("exec \"$0\" {redirection}{target}"), TWO_STREAMS]);
                told(&finish(start(shell.env("FILE", scene.path("output")), line)))
            };
            assert_eq!(to("\"$FILE\""), success(""));
            assert_eq!(fs::read_to_string(scene.path("output")).unwrap(), "line\n");
            assert_eq!(to("/dev/null"), success(""));
            assert_eq!(to("&-"), success(""));
        }
    });
}

#[test]
fn output_is_a_terminal() {
    both_ways(|scene| {
        let input = scene.path("input");
        for line in ["out line\n", "err line\n"] {
            fs::write(&input, line).unwrap();
            let (pty, child) = in_terminal(scene, TWO_STREAMS, &[], "< \"$DAEMON_RPC_DIR/input\"");
            assert_eq!(shown(pty, child), "line\r\n");
        }
    });
}

#[test]
fn results_are_exit_codes() {
    both_ways(|scene| {
        assert_eq!(told(&scene.run(env!("CARGO_BIN_EXE_nothing"), "")), success(""));
        for code in [0, 1, 3, 255] {
            let number = scene.run_with(env!("CARGO_BIN_EXE_number"), &[&code.to_string()], "");
            assert_eq!(told(&number), (String::new(), String::new(), Some(code)));
        }
    });
}
