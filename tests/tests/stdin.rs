//! `Stdin`: input while it comes, and only where the handler reads it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::thread;

use daemon_rpc_tests::scene::{Scene, both_ways, finish, has_strace, peak_kib, start, success, told, until};
use rustix::process::{Pid, Signal, kill_process};

const STREAM: &str = env!("CARGO_BIN_EXE_stream");

#[test]
fn what_comes_in_goes_out_whatever_it_is() {
    both_ways(|scene| {
        let input: Vec<u8> = (0..=u8::MAX).cycle().take(3_000_001).collect();
        assert!(scene.run_with(STREAM, &["copy"], &input).stdout == input);
        assert_eq!(told(&scene.run_with(STREAM, &["copy"], "")), success(""));
    });
}

#[test]
fn output_streams_while_input_still_comes() {
    both_ways(|scene| {
        let mut client = scene.command(STREAM).arg("copy").spawn().unwrap();
        let mut stdin = client.stdin.take().unwrap();
        let mut stdout = BufReader::new(client.stdout.take().unwrap());
        for line in ["one\n", "two\n", "three\n"] {
            stdin.write_all(line.as_bytes()).unwrap();
            let mut answer = String::new();
            stdout.read_line(&mut answer).unwrap();
            assert_eq!(answer, line);
        }
        drop(stdin);
        assert!(finish(client).status.success());
    });
}

#[test]
fn files_and_what_is_no_input_at_all() {
    both_ways(|scene| {
        let file = scene.path("file");
        fs::write(&file, "in a file\n").unwrap();
        let with =
            |stdin: Stdio| told(&finish(scene.command(STREAM).arg("copy").stdin(stdin).spawn().unwrap()));
        assert_eq!(with(File::open(&file).unwrap().into()), success("in a file\n"));
        assert_eq!(with(Stdio::null()), success(""));
        let mut closed = scene.command("sh");
        closed.args(["-c", "exec \"$STREAM\" copy <&-"]).env("STREAM", STREAM);
        assert_eq!(told(&finish(start(&mut closed, ""))), success(""));
        let (_, message, code) = with(File::open(scene.directory()).unwrap().into());
        assert_eq!(
            (message.as_str(), code),
            ("stream: can't read standard input: Is a directory (os error 21)\n", Some(74))
        );
    });
}

#[test]
fn a_handler_that_does_not_read_leaves_the_input_to_the_next() {
    both_ways(|scene| {
        let mut shell = scene.command("sh");
        shell.args(["-c", "\"$STREAM\" 'print first'; cat; \"$STREAM\" 'print last'"]).env("STREAM", STREAM);
        assert_eq!(told(&finish(start(&mut shell, "left alone\n"))), success("first\nleft alone\nlast\n"));
    });
}

#[test]
fn a_handler_that_ends_before_its_input_ends_the_command() {
    both_ways(|scene| {
        let mut client = scene.command(STREAM).arg("line").spawn().unwrap();
        let mut stdin = client.stdin.take().unwrap();
        stdin.write_all(b"one\ntwo\n").unwrap();
        // The input is still open.
        assert_eq!(told(&finish(client)), success("one\n"));
    });
}

#[test]
fn a_handler_that_does_not_read_on_holds_the_writer_back() {
    const FAR_AHEAD: usize = 1024 * 1024;
    let scene = Scene::new();
    let go_on = scene.path("go-on");
    let mut command = scene.command(STREAM);
    let mut client = command.args(["line", &format!("await {}", go_on.display()), "copy"]).spawn().unwrap();
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"begin\n").unwrap();
    rustix::io::ioctl_fionbio(&stdin, true).unwrap();
    let piece = [b'x'; 4096];
    let mut written = 0;
    // The daemon's window, a pipe and what the client has in its hands are all that can be written.
    let mut full = || match stdin.write(&piece) {
        Ok(count) => {
            written += count;
            false
        }
        Err(_) => true,
    };
    until("there is no more room", &mut full);
    for _ in 0..100 {
        thread::yield_now();
        full();
    }
    assert!(written < FAR_AHEAD, "{written}");
    drop(stdin);
    fs::write(go_on, "").unwrap();
    assert_eq!(finish(client).stdout.len(), "begin\n".len() + written);
}

#[test]
fn a_caller_that_goes_away_is_noticed_by_a_handler_that_reads_nothing() {
    both_ways(|scene| {
        let told = scene.path("told");
        let mut command = scene.command(STREAM);
        command.args(["line", "print running", &format!("until-cancelled {}", told.display())]);
        let mut client = command.spawn().unwrap();
        let mut stdin = client.stdin.take().unwrap();
        stdin.write_all(b"begin\n").unwrap();
        let mut stdout = BufReader::new(client.stdout.take().unwrap());
        for expected in ["begin\n", "running\n"] {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            assert_eq!(line, expected);
        }
        stdin.write_all(b"unread\n").unwrap();
        kill_process(Pid::from_child(&client), Signal::TERM).unwrap();
        assert_eq!(finish(client).status.signal(), Some(Signal::TERM.as_raw()));
        until("the handler is told", || fs::read(&told).is_ok_and(|told| told == b"Err(BrokenPipe)"));
    });
}

/// Its client still has input to send, for which nobody has any use.
#[test]
fn what_a_command_writes_when_its_daemon_ends_arrives() {
    let scene = Scene::new();
    let mut client = scene.command(STREAM).args(["line", "print running", "bye"]).spawn().unwrap();
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"begin\n").unwrap();
    let mut stdout = BufReader::new(client.stdout.take().unwrap());
    let mut line = String::new();
    while line != "begin\nrunning\n" {
        stdout.read_line(&mut line).unwrap();
    }
    let writer = thread::spawn(move || drop(stdin.write_all(&vec![b'y'; 1_000_000])));
    // Twice as long as commands may go on, since the first half is theirs.
    kill_process(scene.daemon_pid("stream").unwrap(), Signal::TERM).unwrap();
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), 1_000_000);
    assert!(finish(client).status.success());
    writer.join().unwrap();
}

#[test]
fn code_that_blocks_reads_too() {
    both_ways(|scene| {
        assert_eq!(told(&scene.run_with(STREAM, &["numbers-sync"], "a\nb\n")), success("0 a\n1 b\n"));
    });
}

/// Through a window that is granted anew thousands of times, in a daemon that holds no more of it for that.
#[test]
fn gigabytes_arrive_unchanged_and_take_no_memory() {
    // 2 GiB.
    const BLOCKS: usize = 21_476;
    const GROWTH: u64 = 2 * 1024;
    const CLIENTS_MEMORY: u64 = 8 * 1024;
    let scene = Scene::new();
    assert_eq!(told(&scene.run_with(STREAM, &["copy"], "warm")), success("warm"));
    let daemon = scene.daemon_pid("stream").unwrap();
    let before = peak_kib(daemon);

    let mut client = scene.command(STREAM).arg("copy").spawn().unwrap();
    let mut stdin = client.stdin.take().unwrap();
    // Of a length that fits no buffer's, so that every boundary is somewhere else.
    let block: Vec<u8> =
        (0..99_991_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let sent = block.clone();
    let writer = thread::spawn(move || (0..BLOCKS).for_each(|_| stdin.write_all(&sent).unwrap()));
    let mut stdout = client.stdout.take().unwrap();
    let (mut received, mut piece) = (0, vec![0; 64 * 1024]);
    let mut clients_peak = 0;
    loop {
        if clients_peak == 0 && received > BLOCKS / 2 * block.len() {
            clients_peak = peak_kib(Pid::from_child(&client));
        }
        let count = stdout.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        let mut rest = &piece[..count];
        while !rest.is_empty() {
            let expected = &block[received % block.len()..];
            let (now, later) = rest.split_at(rest.len().min(expected.len()));
            assert!(now == &expected[..now.len()], "another byte than was sent, behind {received}");
            received += now.len();
            rest = later;
        }
    }
    writer.join().unwrap();
    assert_eq!(received, BLOCKS * block.len());
    assert!(finish(client).status.success());
    let after = peak_kib(daemon);
    assert!(after < before + GROWTH, "from {before} to {after} KiB");
    assert!((1..CLIENTS_MEMORY).contains(&clients_peak), "{clients_peak} KiB");
}

#[test]
fn nothing_is_read_before_the_handler_reads() {
    if !has_strace() {
        return;
    }
    let scene = Scene::new();
    let reads = |args: &[&str]| {
        let trace = scene.path("trace");
        let mut command = scene.command("strace");
        command.args(["-e", "trace=read", "-o"]).arg(&trace).arg(STREAM).args(args);
        assert!(finish(start(&mut command, "input")).status.success());
        fs::read_to_string(trace).unwrap().lines().filter(|line| line.starts_with("read(0,")).count()
    };
    assert_eq!(reads(&["print nothing"]), 0);
    assert!(reads(&["copy"]) > 0);
}
