//! What a handler asks for is its caller's, unchanged; what it doesn't ask for isn't collected.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use daemon_rpc_tests::scene::{Scene, both_ways, finish, has_strace, start, success, told, until};

const SURROUNDINGS: &str = env!("CARGO_BIN_EXE_surroundings");
const COPY: &str = env!("CARGO_BIN_EXE_copy");
const TWO_STREAMS: &str = env!("CARGO_BIN_EXE_two-streams");
const BLOCKING: &str = env!("CARGO_BIN_EXE_blocking");
const TERMINAL: &str = env!("CARGO_BIN_EXE_terminal");
const HELLO: &str = env!("CARGO_BIN_EXE_hello");

/// Every byte that an argument, a variable or a file name can have.
fn any_bytes() -> OsString {
    OsString::from_vec((1..=u8::MAX).filter(|byte| *byte != b'/').collect())
}

#[test]
fn bytes_are_standard_input_whatever_it_is() {
    both_ways(|scene| {
        let input: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
        assert!(scene.run(COPY, &input).stdout == input);
        assert_eq!(told(&scene.run(COPY, "")), success(""));
        let mut closed = scene.command("sh");
        closed.args(["-c", "exec \"$PROGRAM\" <&-"]).env("PROGRAM", COPY);
        assert_eq!(told(&finish(start(&mut closed, ""))), success(""));
    });
}

#[test]
fn arguments_environment_and_directory_are_the_callers_byte_for_byte() {
    both_ways(|scene| {
        let directory = scene.path("").join(any_bytes());
        fs::create_dir(&directory).unwrap();
        let mut command = scene.command(SURROUNDINGS);
        command.args([OsStr::new(""), OsStr::new("--help"), &any_bytes()]);
        command.env("PROBE", any_bytes()).env("PROBE2", "").current_dir(&directory);
        let output = finish(start(&mut command, ""));

        let bytes = any_bytes().into_vec();
        let directory = directory.canonicalize().unwrap();
        let expected = [
            b"cwd=",
            directory.as_os_str().as_bytes(),
            b"\narg=\narg=--help\narg=",
            &bytes,
            b"\nenv=PROBE ",
            &bytes,
            b"\nenv=PROBE2 \n",
        ]
        .concat();
        assert_eq!(output.stdout, expected, "{:?}", told(&output));
    });
}

#[test]
fn as_many_arguments_as_the_system_takes() {
    both_ways(|scene| {
        let mut command = scene.command(SURROUNDINGS);
        command.args(std::iter::repeat_n("x".repeat(100_000), 15)).args(std::iter::repeat_n("", 10_000));
        let output = finish(start(&mut command, ""));
        assert!(output.status.success(), "{}", told(&output).1);
        assert_eq!(output.stdout.windows(5).filter(|window| window == b"\narg=").count(), 10_015);
    });
}

#[test]
fn a_deleted_directory_is_an_error_only_for_those_who_ask() {
    both_ways(|scene| {
        let called_in_a_deleted_directory = |program: &str| {
            let mut command = scene.command("sh");
            command.args(["-c", "mkdir gone && cd gone && rmdir ../gone && exec \"$PROGRAM\""]);
            told(&finish(start(command.env("PROGRAM", program).current_dir(scene.directory()), "")))
        };
        assert_eq!(called_in_a_deleted_directory(HELLO), ("hello\n".into(), String::new(), Some(0)));
        let message = "surroundings: the directory that this command was called in can't be told, it may have been deleted; \
                   change to another one: No such file or directory (os error 2)\n";
        assert_eq!(called_in_a_deleted_directory(SURROUNDINGS), (String::new(), message.into(), Some(78)));
    });
}

#[test]
fn what_nobody_asks_for_is_not_sent() {
    if !has_strace() {
        return;
    }
    let scene = Scene::new();
    let sent = |program: &str| {
        let trace = scene.path("trace");
        let mut command = scene.command("strace");
        command.args(["-s", "1000000", "-e", "trace=sendto,sendmsg", "-o"]).arg(&trace).arg(program);
        assert!(finish(start(command.env("PROBE", "needle"), "")).status.success());
        fs::read_to_string(trace).unwrap()
    };
    assert!(sent(SURROUNDINGS).contains("needle"));
    assert!(!sent(HELLO).contains("needle"));
    // Nor is it looked at.
    let asked = |program: &str| {
        let trace = scene.path("trace");
        let mut command = scene.command("strace");
        command.args(["-e", "trace=getcwd,ioctl,rt_sigaction,read", "-o"]).arg(&trace).arg(program);
        assert!(finish(start(&mut command, "")).status.success());
        fs::read_to_string(trace).unwrap()
    };
    assert!(asked(SURROUNDINGS).contains("getcwd("));
    assert!(asked(TERMINAL).contains("TIOCGWINSZ"));
    for what in ["getcwd(", "TIOCGWINSZ", "SIGWINCH", "read(0,"] {
        assert!(!asked(HELLO).contains(what), "{what}");
    }
}

#[test]
fn what_a_command_leaves_behind_learns_that_it_has_ended() {
    let scene = Scene::new();
    let directory = scene.directory().to_str().unwrap();
    // Whose input stays open.
    let client = scene.command(env!("CARGO_BIN_EXE_left-behind")).arg(directory).spawn().unwrap();
    assert_eq!(told(&finish(client)), success("done\n"));
    for name in ["input", "terminal", "token"] {
        until("a task has ended", || scene.path(name).exists());
    }
}

mod output_streams {
    use super::*;

    #[test]
    fn each_goes_to_its_own() {
        both_ways(|scene| {
            let output = scene.run(TWO_STREAMS, "out 1\nerr 2\nout 3\n");
            assert_eq!(told(&output), ("1\n3\n".into(), "2\n".into(), Some(0)));
        });
    }

    #[test]
    fn the_order_between_them_is_kept() {
        both_ways(|scene| {
            let lines =
                (0..2000).map(|number| format!("{} {number}\n", if number % 3 == 0 { "err" } else { "out" }));
            let mut command = scene.command("sh");
            command.args(["-c", "exec \"$PROGRAM\" 2>&1"]).env("PROGRAM", TWO_STREAMS);
            let output = finish(start(&mut command, lines.collect::<String>()));
            let expected: String = (0..2000).map(|number| format!("{number}\n")).collect();
            assert_eq!(told(&output), (expected, String::new(), Some(0)));
        });
    }

    #[test]
    fn errors_go_where_the_application_says() {
        both_ways(|scene| {
            let failed = scene.run(TWO_STREAMS, "out before\nfail it broke");
            assert_eq!(told(&failed), ("before\n".into(), "two-streams: it broke\n".into(), Some(1)));
            let panicked = scene.run(TWO_STREAMS, "oh no");
            let message = "two-streams: the command panicked: oh no\n";
            assert_eq!(told(&panicked), (String::new(), message.into(), Some(101)));
        });
    }

    #[test]
    fn a_closed_standard_error_is_no_obstacle() {
        both_ways(|scene| {
            let mut command = scene.command("sh");
            command.args(["-c", "exec \"$PROGRAM\" 2>&-"]).env("PROGRAM", TWO_STREAMS);
            let output = finish(start(&mut command, "err 1\nout 2\n"));
            assert_eq!(told(&output), ("2\n".into(), String::new(), Some(0)));
        });
    }

    #[test]
    fn a_standard_error_that_nobody_reads_ends_the_command_as_it_ends_others() {
        use std::os::unix::process::ExitStatusExt as _;
        both_ways(|scene| {
            let mut command = scene.command(TWO_STREAMS);
            let mut client = command.spawn().unwrap();
            drop(client.stderr.take());
            std::io::Write::write_all(&mut client.stdin.take().unwrap(), b"err 1\nout 2\n").unwrap();
            assert_eq!(finish(client).status.signal(), Some(rustix::process::Signal::PIPE.as_raw()));
        });
    }

    #[test]
    fn code_that_blocks_is_held_back_and_told_when_the_caller_has_gone() {
        both_ways(|scene| {
            let ended = scene.path("ended");
            let mut command = scene.command("sh");
            command.args(["-c", "\"$PROGRAM\" | head -n 3"]).env("PROGRAM", BLOCKING);
            let output = finish(start(&mut command, ended.to_str().unwrap()));
            assert_eq!(told(&output), ("0\n1\n2\n".into(), String::new(), Some(0)));
            until("the thread has ended", || fs::read(&ended).is_ok_and(|kind| kind == b"BrokenPipe"));
        });
    }
}
