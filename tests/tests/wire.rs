//! The daemon as its socket shows it, to a client that was written from `docs/protocol.md` alone.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use daemon_rpc_tests::scene::{DEADLINE, Scene, finish, peak_kib, start, told, until, until_ended};
use rustix::process::{Signal, kill_process};

const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted");

const TERMINAL: &str = env!("CARGO_BIN_EXE_terminal");

const VERSION_CHECK: u8 = 1;
const COMMAND: u8 = 2;
const OUTPUT_CHUNK: u8 = 3;
const COMMAND_ERROR: u8 = 4;
const EXIT: u8 = 5;
const NOT_RUN: u8 = 6;
const INPUT_CHUNK: u8 = 8;
const INPUT_END: u8 = 9;
const INPUT_WINDOW: u8 = 10;
const TERMINAL_SIZE: u8 = 11;

/// A connection that speaks in frames.
struct Client(UnixStream);

impl Client {
    fn connect(scene: &Scene, id: &str) -> Self {
        let stream = UnixStream::connect(scene.file(id, "sock")).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Self(stream)
    }

    /// Connects and introduces itself as the daemon's own build, which the daemon tells whoever asks.
    fn agreed(scene: &Scene) -> Self {
        Self::agreed_with(scene, "scripted")
    }

    fn agreed_with(scene: &Scene, id: &str) -> Self {
        let mut stranger = Self::connect(scene, id);
        stranger.send(VERSION_CHECK, b"\x92\x01\xa1?");
        let (_, daemons_own) = stranger.receive().unwrap();
        let mut client = Self::connect(scene, id);
        client.send(VERSION_CHECK, &daemons_own);
        assert_eq!(client.receive(), Some((VERSION_CHECK, daemons_own)));
        client
    }

    fn send_raw(&mut self, bytes: &[u8]) {
        // The daemon may have closed already, which is for the next read to tell.
        let _ = self.0.write_all(bytes);
    }

    fn send(&mut self, kind: u8, body: &[u8]) {
        let length = u32::try_from(body.len() + 1).unwrap().to_be_bytes();
        self.send_raw(&[&length, &[kind][..], body].concat());
    }

    fn send_command(&mut self, text: &str) {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        self.send(COMMAND, &[b"\x81\xa4text\xdb", &length[..], text.as_bytes()].concat());
    }

    /// The next frame's kind and body, or `None` at the end.
    fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut length = [0; 4];
        match self.0.read_exact(&mut length) {
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return None;
            }
            result => result.unwrap(),
        }
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut frame).unwrap();
        Some((frame.remove(0), frame))
    }
}

/// A scene with a daemon, and a check at its end that the daemon still serves.
fn with_daemon(test: impl FnOnce(&Scene)) {
    let scene = Scene::new();
    let before = told(&scene.run(SCRIPTED, "pid"));
    test(&scene);
    assert_eq!(told(&scene.run(SCRIPTED, "pid")), before);
}

#[test]
fn a_command_by_hand() {
    with_daemon(|scene| {
        let mut client = Client::agreed(scene);
        client.send_command("print one\nprint two\nexit 7");
        assert_eq!(client.receive(), Some((OUTPUT_CHUNK, b"one\n".to_vec())));
        assert_eq!(client.receive(), Some((OUTPUT_CHUNK, b"two\n".to_vec())));
        assert_eq!(client.receive(), Some((EXIT, vec![7])));
        assert_eq!(client.receive(), None);
    });
}

#[test]
fn an_error_by_hand() {
    with_daemon(|scene| {
        let mut client = Client::agreed(scene);
        client.send_command("fail it: broke");
        assert_eq!(client.receive(), Some((COMMAND_ERROR, b"\xa9it: broke".to_vec())));
        assert_eq!(client.receive(), Some((EXIT, vec![1])));
    });
}

#[test]
fn another_build_gets_an_answer_and_no_service() {
    with_daemon(|scene| {
        for check in [&b"\x92\x01\xa1?"[..], b"\x92\xce\xff\xff\xff\xff\xa1?"] {
            let mut client = Client::connect(scene, "scripted");
            client.send(VERSION_CHECK, check);
            client.send_command(&format!("touch {}", scene.path("ran").display()));
            assert_eq!(client.receive().unwrap().0, VERSION_CHECK);
            assert_eq!(client.receive(), None);
        }
        assert!(!scene.path("ran").exists());
    });
}

#[test]
fn garbage_ends_the_connection_and_not_the_daemon() {
    with_daemon(|scene| {
        for garbage in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"\0\0\0\0",
            b"\0\0\0\x01\x01",
            b"\0\0\0\x03\x01\xc0\xc0",
            b"\0\0\0\x02\x05\0",
            b"\xff\xff\xff\xff\x01",
        ] {
            let mut client = Client::connect(scene, "scripted");
            client.send_raw(garbage);
            assert_eq!(client.receive(), None, "{garbage:?}");
        }
        for garbage in [
            &b"\0\0\0\x02\x02\xc1"[..],
            b"\0\0\0\x01\xee",
            b"\0\0\0\x09\x02\x81\xa4what\xa1x",
            b"\xff\xff\xff\xff\x02",
        ] {
            let mut client = Client::agreed(scene);
            client.send_raw(garbage);
            assert_eq!(client.receive(), None, "{garbage:?}");
        }
    });
}

#[test]
fn a_command_over_the_limit_is_not_held() {
    with_daemon(|scene| {
        let daemon = scene.daemon_pid("scripted").unwrap();
        let before = peak_kib(daemon);
        for _ in 0..4 {
            let mut client = Client::agreed(scene);
            client.send_command(&"x".repeat(40 * 1024 * 1024));
            assert_eq!(client.receive(), None);
        }
        assert!(peak_kib(daemon) < before + 1024);
    });
}

#[test]
fn a_first_frame_over_the_limit_is_not_held() {
    with_daemon(|scene| {
        let daemon = scene.daemon_pid("scripted").unwrap();
        let before = peak_kib(daemon);
        for _ in 0..4 {
            let mut client = Client::connect(scene, "scripted");
            client.send(VERSION_CHECK, &vec![0x92; 40 * 1024 * 1024]);
            assert_eq!(client.receive(), None);
        }
        assert!(peak_kib(daemon) < before + 1024);
    });
}

#[test]
fn half_a_frame_and_silence_keep_nobody_waiting() {
    with_daemon(|scene| {
        let mut half = Client::connect(scene, "scripted");
        half.send_raw(b"\0\0\0\x20\x01\x92");
        let _silent = Client::connect(scene, "scripted");
        let mut late = Client::agreed(scene);
        assert_eq!(told(&scene.run(SCRIPTED, "print served")).0, "served\n");
        // The handshake has a time limit; the half frame is given up then.
        assert_eq!(half.receive(), None);
        late.send_command("print late");
        assert_eq!(late.receive(), Some((OUTPUT_CHUNK, b"late\n".to_vec())));
    });
}

#[test]
fn a_client_that_hangs_up_in_the_middle_of_its_command_is_forgotten() {
    with_daemon(|scene| {
        let mut client = Client::agreed(scene);
        client.send_raw(b"\0\0\x10\0\x02\x81\xa4text");
    });
}

#[test]
fn what_follows_the_command_cancels_it() {
    with_daemon(|scene| {
        let cancelled = scene.path("cancelled");
        let mut client = Client::agreed(scene);
        client.send_command(&format!("print running\nuntil-cancelled {}", cancelled.display()));
        assert_eq!(client.receive(), Some((OUTPUT_CHUNK, b"running\n".to_vec())));
        client.send(INPUT_CHUNK, b"nobody asked");
        until("the command is cancelled", || cancelled.exists());
        assert_eq!(client.receive(), None);
    });
}

/// A command is read before the next client's handshake is answered, so the clients' order is known.
#[test]
fn who_comes_first_while_the_state_is_loaded_is_served_first() {
    let scene = Scene::new();
    let starter = start(&mut scene.command(env!("CARGO_BIN_EXE_queued")), "");
    until("a daemon loads", || scene.daemon_pid("queued").is_some());
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let mut client = Client::agreed_with(&scene, "queued");
            client.send(COMMAND, b"\x80");
            client
        })
        .collect();
    // The last one's command too.
    drop(Client::agreed_with(&scene, "queued"));
    fs::write(scene.path("go-on"), "").unwrap();
    let numbers = waiting.into_iter().map(|mut client| match client.receive() {
        Some((OUTPUT_CHUNK, number)) => String::from_utf8(number).unwrap().trim().parse::<u32>().unwrap(),
        other => panic!("{other:?}"),
    });
    let numbers: Vec<_> = numbers.collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert!(finish(starter).status.success());
}

#[test]
fn a_closed_write_side_cancels() {
    with_daemon(|scene| {
        let cancelled = scene.path("cancelled");
        let mut client = Client::agreed(scene);
        client.send_command(&format!("print begun\nuntil-cancelled {}", cancelled.display()));
        assert_eq!(client.receive(), Some((OUTPUT_CHUNK, b"begun\n".to_vec())));
        client.0.shutdown(std::net::Shutdown::Write).unwrap();
        until("the command is cancelled", || cancelled.exists());
        assert_eq!(client.receive(), None);
    });
}

#[test]
fn who_has_not_sent_its_command_when_the_daemon_retires_is_told_so() {
    let scene = Scene::new();
    scene.run(SCRIPTED, "");
    let daemon = scene.daemon_pid("scripted").unwrap();
    let mut client = Client::agreed(&scene);
    kill_process(daemon, Signal::TERM).unwrap();
    until("the socket is free", || !scene.file("scripted", "sock").exists());
    let ran = scene.path("ran");
    client.send_command(&format!("touch {}", ran.display()));
    assert_eq!(client.receive(), Some((NOT_RUN, vec![])));
    assert_eq!(client.receive(), None);
    until_ended(daemon);
    assert!(!fs::exists(ran).unwrap());
}

#[test]
fn a_retiring_daemon_with_many_connections_closes_them_all() {
    let scene = Scene::new();
    scene.run(SCRIPTED, "");
    let daemon = scene.daemon_pid("scripted").unwrap();
    let waiting: Vec<_> = (0..200).map(|_| Client::agreed(&scene)).collect();
    kill_process(daemon, Signal::TERM).unwrap();
    for mut client in waiting {
        assert_eq!(client.receive(), Some((NOT_RUN, vec![])));
    }
    until_ended(daemon);
}

#[test]
fn a_size_that_is_told_again_is_no_change() {
    let scene = Scene::new();
    assert!(scene.run(TERMINAL, "").status.success());
    let mut client = Client::agreed_with(&scene, "terminal");
    let command = [
        &b"\x82\xa4args\x91\xc4\x06follow\xa8terminal\x86"[..],
        b"\xa5stdin\xc2\xa6stdout\xc2\xa6stderr\xc2\xa4size\x82\xa7columns\x50\xa4rows\x18",
        b"\xadstdout_colors\x00\xadstderr_colors\x00",
    ];
    client.send(COMMAND, &command.concat());
    let described = b"- - - 80x24 (None, None)\n";
    assert_eq!(client.receive(), Some((OUTPUT_CHUNK, described.to_vec())));
    for columns in 81..90 {
        client.send(TERMINAL_SIZE, &[0x92, columns, 24]);
        assert_eq!(client.receive(), Some((OUTPUT_CHUNK, format!("{columns}x24\n").into_bytes())));
        client.send(TERMINAL_SIZE, &[0x92, columns, 24]);
        // By then it has been heard, and would have been passed on.
        drop(Client::agreed_with(&scene, "terminal"));
    }
}

#[test]
fn a_size_from_a_client_that_was_not_asked_for_it_is_a_breach() {
    with_daemon(|scene| {
        let mut client = Client::agreed(scene);
        let cancelled = scene.path("cancelled");
        client.send_command(&format!("print begun\nuntil-cancelled {}", cancelled.display()));
        assert_eq!(client.receive(), Some((OUTPUT_CHUNK, b"begun\n".to_vec())));
        client.send(TERMINAL_SIZE, &[0x92, 80, 24]);
        until("the command is cancelled", || cancelled.exists());
        assert_eq!(client.receive(), None);
    });
}

mod streamed_input {
    use super::*;

    const STREAM: &str = env!("CARGO_BIN_EXE_stream");
    const WINDOW: usize = 512 * 1024;

    /// A client whose command, with these arguments, has begun to run.
    fn called(scene: &Scene, args: &[&str]) -> Client {
        assert!(scene.run_with(STREAM, &["copy"], "").status.success());
        let mut client = Client::agreed_with(scene, "stream");
        let args: Vec<u8> =
            args.iter().flat_map(|arg| [&[0xc4, arg.len() as u8], arg.as_bytes()].concat()).collect();
        client.send(COMMAND, &[b"\x81\xa4args\x91".as_slice(), &args].concat());
        client
    }

    fn granted(client: &mut Client) -> usize {
        match client.receive() {
            Some((INPUT_WINDOW, body)) => match *body {
                [0xcd, a, b] => u16::from_be_bytes([a, b]).into(),
                [0xce, a, b, c, d] => u32::from_be_bytes([a, b, c, d]) as usize,
                _ => panic!("{body:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn comes_once_it_is_granted_and_no_more_than_that() {
        let scene = Scene::new();
        let mut client = called(&scene, &["copy"]);
        assert_eq!(granted(&mut client), WINDOW);
        client.send(INPUT_CHUNK, b"hello");
        assert_eq!(client.receive(), Some((OUTPUT_CHUNK, b"hello".to_vec())));
        client.send(INPUT_CHUNK, &vec![0; WINDOW - 4]);
        while let Some((kind, _)) = client.receive() {
            assert!(matches!(kind, OUTPUT_CHUNK | INPUT_WINDOW), "{kind}");
        }
    }

    #[test]
    fn is_granted_anew_as_it_is_used() {
        let scene = Scene::new();
        let mut client = called(&scene, &["copy"]);
        let mut window = granted(&mut client);
        let (mut sent, mut copied) = (0, 0);
        while copied < 10 * WINDOW {
            let count = window.min(5000);
            client.send(INPUT_CHUNK, &vec![7; count]);
            window -= count;
            sent += count;
            while window == 0 || copied < sent {
                match client.receive() {
                    Some((OUTPUT_CHUNK, chunk)) => copied += chunk.len(),
                    Some((INPUT_WINDOW, body)) => {
                        window += u32::from_be_bytes(body[1..].try_into().unwrap()) as usize;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        client.send(INPUT_END, b"");
        loop {
            match client.receive() {
                Some((INPUT_WINDOW, _)) => {}
                end => break assert_eq!(end, Some((EXIT, vec![0]))),
            }
        }
    }

    #[test]
    fn behind_its_end_is_a_breach() {
        let scene = Scene::new();
        let gone = scene.path("gone");
        let mut client = called(&scene, &[&format!("await {}", gone.display())]);
        for frame in [INPUT_END, INPUT_END] {
            client.send(frame, b"");
        }
        assert_eq!(client.receive(), None);
    }
}
