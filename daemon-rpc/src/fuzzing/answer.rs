//! A daemon's bytes, and the client's whole part of a connection: its handshake, its command, what it passes on.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | what goes before, and who listens: see [`option`] |
//! | rest | what the daemon says, before it closes its writing side |
//!
//! All of it is there before the client begins, so one thread is enough.

use std::env;
use std::fs::{File, OpenOptions, remove_file};
use std::io::{Read as _, Seek as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{BUILD, KIB, reader_of, told, version_check};
use crate::app::Program;
use crate::client::{ClientError, take_answer};
use crate::limits::{BODY_OVERHEAD, MAX_ERROR_TEXT, MAX_VERSION_CHECK};
use crate::protocol::Message;
use crate::settings::{Errors, Settings};

pub(super) mod option {
    /// The daemon's handshake comes first.
    pub(crate) const MET: u8 = 1;
    /// The handler reads standard input, which is at its end.
    pub(crate) const STREAMS_INPUT: u8 = 2;
    /// The handler's error is told on standard error.
    pub(crate) const ERRORS_TO_STDERR: u8 = 4;
    /// Nobody is there any more when the client begins.
    pub(crate) const GONE: u8 = 8;
}

/// As much as surely has room in the socket.
const LONGEST: usize = 64 * KIB;

/// How the program is called.
const PROGRAM: &str = "program";

pub(super) fn run(input: &[u8]) {
    take(input);
}

/// What has come of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// The beginning of what the client makes of it.
    pub(super) end: String,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

pub(super) fn take(input: &[u8]) -> Option<Taken> {
    let (options, said) = input.split_first()?;
    let mut stream = if options & option::MET != 0 { version_check().encode() } else { Vec::new() };
    stream.extend(said.iter().take(LONGEST));
    let mut settings = Settings::default();
    if options & option::ERRORS_TO_STDERR != 0 {
        settings.errors = Errors::ToStderr;
    }
    let program = Program { name: PROGRAM.into(), build: BUILD.into(), settings };
    let streams_input = options & option::STREAMS_INPUT != 0;

    let (client, mut daemon) = UnixStream::pair().expect("there is a pair of sockets");
    daemon.write_all(&stream).expect("there is room");
    daemon.shutdown(Shutdown::Write).expect("it is connected");
    let daemon = (options & option::GONE == 0).then_some(daemon);
    let streams = STREAMS.with(|streams| *streams);
    let end = match take_answer(&program, client, streams.map(File::as_fd), streams_input) {
        Ok(end) => end,
        Err(ClientError::NotLoaded { error }) => format!("NotLoaded({error:?})"),
        Err(error) => panic!("the client failed: {error:?}"),
    };
    let [stdout, stderr] = streams.map(written);
    let taken = Taken { end, stdout, stderr };
    drop(daemon);

    let (expected, loading) = expected(&stream, *options);
    assert!(taken.end.starts_with(&expected.end), "{} instead of {}", taken.end, expected.end);
    assert_eq!(taken.stdout, expected.stdout);
    // A notice that the command waits is only for terminals, such as a tester's.
    if !loading {
        assert_eq!(taken.stderr, expected.stderr);
    }
    Some(taken)
}

/// What the protocol says about such an answer, and whether a notice was to be given.
fn expected(stream: &[u8], options: u8) -> (Taken, bool) {
    let mut expected = Taken::default();
    let mut loading = false;
    // What a daemon has said of a command, it can't take back.
    let mut begun = false;
    let mut reader = reader_of(stream, MAX_VERSION_CHECK);
    let mut next = || {
        let next = reader.next();
        reader.set_body_limit(MAX_ERROR_TEXT + BODY_OVERHEAD);
        next
    };
    expected.end = match next() {
        _ if options & option::GONE != 0 => "Closed".into(),
        Ok(None) => "Closed".into(),
        Ok(Some(first)) if first == version_check() => loop {
            let message = next();
            let refused =
                matches!(message, Ok(Some(Message::NotRun | Message::Busy | Message::NotLoaded(_))));
            begun |= matches!(
                message,
                Ok(Some(
                    Message::OutputChunk(_)
                        | Message::ErrorChunk(_)
                        | Message::CommandError(_)
                        | Message::InputWindow(_)
                ))
            );
            match message {
                Ok(Some(_)) if begun && refused => break "Garbled(Unexpected(".into(),
                Ok(Some(Message::OutputChunk(chunk))) => expected.stdout.extend(chunk),
                Ok(Some(Message::ErrorChunk(chunk))) => expected.stderr.extend(chunk),
                Ok(Some(Message::InputWindow(_))) if options & option::STREAMS_INPUT != 0 => {}
                Ok(Some(Message::Loading)) => loading = true,
                Ok(Some(Message::CommandError(text))) => {
                    let to_stderr = options & option::ERRORS_TO_STDERR != 0;
                    let stream = if to_stderr { &mut expected.stderr } else { &mut expected.stdout };
                    stream.extend(format!("{PROGRAM}: {text}\n").into_bytes());
                }
                Ok(Some(Message::Exit(code))) => break format!("Exit(ExitCode({code}))"),
                Ok(Some(Message::NotLoaded(error))) => break format!("NotLoaded({error:?})"),
                Ok(Some(last @ (Message::NotRun | Message::Busy))) => break last.name().into(),
                Ok(Some(_)) => break "Garbled(Unexpected(".into(),
                Ok(None) => break "DaemonDied".into(),
                Err(error) => {
                    told(error);
                    break "Garbled(".into();
                }
            }
        },
        Ok(Some(Message::VersionCheck(_))) => "OtherBuild".into(),
        Ok(Some(_)) => "Foreign(\"an unexpected ".into(),
        Err(error) => format!("Foreign({:?})", error.to_string()),
    };
    (expected, loading)
}

thread_local! {
    /// A caller's standard output and error. They are never closed: the client takes them for its process's own.
    static STREAMS: [&'static File; 2] = [(); 2].map(|()| &*Box::leak(Box::new(unnamed_file())));
}

/// A file that nobody finds.
fn unnamed_file() -> File {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("daemon-rpc-fuzzing-{}-{number}", process::id()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
    let file = file.expect("there can be temporary files");
    remove_file(path).expect("it was there");
    file
}

/// What is in a file, which is empty from then on.
fn written(mut file: &File) -> Vec<u8> {
    let mut written = Vec::new();
    file.rewind().expect("it is a file");
    file.read_to_end(&mut written).expect("it can be read");
    file.rewind().expect("it is a file");
    file.set_len(0).expect("it can be written");
    written
}
