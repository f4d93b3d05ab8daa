//! The part of the corpus that is made by hand: what there is of everything, and what comes of it.
//!
//! `FUZZ_SEEDS=overwrite cargo test -p daemon-rpc fuzzing` writes the files.

use std::env;
use std::fs;
use std::path::Path;

use bytes::Bytes;

use super::answer::option::{ERRORS_TO_STDERR, GONE, STREAMS_INPUT};
use super::frames::{self, HANDSHAKE};
use super::session::option::{
    LOADS_IN_VAIN, LOADS_LONG, MET, READS_LATE, RETIRES, STAYS, STOPS, TURNED_AWAY,
};
use super::session::{self, CHUNK_SIZE, MAX_COMMAND, WAITS};
use super::{ANSWER, FRAMES, MESSAGES, SESSION, Target, answer, messages, version_check};
use crate::limits::{INPUT_WINDOW, MAX_ERROR_TEXT, MAX_VERSION_CHECK};
use crate::protocol::{CallersTerminal, Command, Message, StatusReply, StatusRequest, VersionCheck};
use crate::{ColorSupport, TerminalSize};

/// A name, an input and what comes of it in the words of [`outcome`].
type Seed = (&'static str, Vec<u8>, &'static str);

#[test]
fn the_seeds_come_to_what_they_must() {
    for (target, seeds) in
        [(FRAMES, of_frames()), (MESSAGES, of_messages()), (SESSION, of_session()), (ANSWER, of_answer())]
    {
        for (name, input, expected) in seeds {
            assert_eq!(outcome(target, &input), expected, "{}/{name}", target.name);
            let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target.name);
            if env::var_os("FUZZ_SEEDS").is_some_and(|wish| wish == "overwrite") {
                fs::create_dir_all(&corpus).unwrap();
                fs::write(corpus.join(name), &input).unwrap();
            }
            let file = fs::read(corpus.join(name)).unwrap_or_default();
            assert!(file == input, "fuzz/corpus/{}/{name} is another: FUZZ_SEEDS=overwrite", target.name);
        }
    }
}

/// In a few words, what comes of an input.
fn outcome(target: Target, input: &[u8]) -> String {
    match target.name {
        "frames" => {
            let read = frames::read(input).unwrap();
            let end = read.error.clone().unwrap_or_else(|| format!("{} unread", read.unread));
            read.names().iter().fold(String::new(), |words, name| words + name + ", ") + &end
        }
        "messages" => match messages::decode(input).unwrap() {
            Ok(Message::Command(command)) => keys(command),
            Ok(message) => format!("{message:?}"),
            // What follows is in the words of a library.
            Err(error) => error.split(": ").next().unwrap_or_default().to_owned(),
        },
        "session" => {
            let held = session::hold(input).unwrap();
            let end = if held.stayed { "the daemon closes" } else { "the client closes" };
            conversation(&held.heard) + end
        }
        _ => {
            let taken = answer::take(input).unwrap();
            let end = taken.end.split(" source: ").next().unwrap_or_default();
            format!("{end}, out {}, err {}", shown(&taken.stdout), shown(&taken.stderr))
        }
    }
}

/// What a command has.
fn keys(command: Command) -> String {
    let Command { text, bytes, program, args, env, cwd, terminal, log } = command;
    let count = |list: Option<usize>| list.map(|length| format!("{length} of them"));
    let raw = |bytes: Option<Bytes>| bytes.map(|bytes| shown(&bytes));
    let keys = [
        ("text", text.map(|text| shown(text.as_bytes()))),
        ("bytes", raw(bytes)),
        ("program", raw(program)),
        ("args", count(args.map(|args| args.len()))),
        ("env", count(env.map(|env| env.len()))),
        ("cwd", raw(cwd)),
        ("terminal", terminal.map(|terminal| format!("of {:?}", terminal.size.map(|size| size.columns)))),
        ("log", log.map(|log| shown(log.as_bytes()))),
    ];
    let keys = keys.into_iter().filter_map(|(key, value)| Some(format!(" {key} {}", value?)));
    keys.fold("Command".to_owned(), |words, key| words + &key)
}

/// What was said, without how it was cut into chunks.
fn conversation(heard: &[Message]) -> String {
    let mut words = String::new();
    let mut run: Option<(&str, Vec<u8>)> = None;
    for message in heard {
        let chunk = match message {
            Message::OutputChunk(chunk) => Some(("out", chunk)),
            Message::ErrorChunk(chunk) => Some(("err", chunk)),
            _ => None,
        };
        match (&mut run, chunk) {
            (Some((stream, bytes)), Some((also, chunk))) if *stream == also => bytes.extend_from_slice(chunk),
            (run, chunk) => {
                if let Some((stream, bytes)) = run.take() {
                    words += &format!("{stream} {}, ", shown(&bytes));
                }
                *run = chunk.map(|(stream, chunk)| (stream, chunk.to_vec()));
            }
        }
        match message {
            Message::OutputChunk(_) | Message::ErrorChunk(_) => {}
            Message::CommandError(text) => words += &format!("CommandError {}, ", shown(text.as_bytes())),
            Message::VersionCheck(_) => words += "VersionCheck, ",
            // How long it has been there and what it holds is different each time.
            Message::StatusReply(status) => words += &format!("StatusReply loaded {}, ", status.loaded),
            other => words += &format!("{other:?}, "),
        }
    }
    if let Some((stream, bytes)) = run {
        words += &format!("{stream} {}, ", shown(&bytes));
    }
    words
}

/// Short bytes as they are, of others how many.
fn shown(bytes: &[u8]) -> String {
    match bytes.len() {
        0..200 => format!("{:?}", String::from_utf8_lossy(bytes)),
        length => format!("{length} bytes"),
    }
}

// How things are written.

/// A frame of any kind and body.
fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 1).unwrap();
    [&length.to_be_bytes(), [kind].as_slice(), body].concat()
}

fn chunk_of(length: usize) -> Vec<u8> {
    Message::InputChunk(vec![b'i'; length].into()).encode()
}

fn input(text: &'static str) -> Vec<u8> {
    Message::InputChunk(text.into()).encode()
}

fn input_end() -> Vec<u8> {
    Message::InputEnd.encode()
}

fn size(columns: u16) -> Vec<u8> {
    Message::TerminalSize(TerminalSize { columns, rows: 24 }).encode()
}

fn status(when_loaded: bool) -> Vec<u8> {
    Message::StatusRequest(StatusRequest { when_loaded }).encode()
}

fn text(text: &str) -> Vec<u8> {
    Message::Command(Command { text: Some(text.into()), ..Command::default() }).encode()
}

fn args(args: &[&'static str]) -> Command {
    Command { args: Some(args.iter().copied().map(Bytes::from).collect()), ..Command::default() }
}

fn script(steps: &[&'static str]) -> Vec<u8> {
    Message::Command(args(steps)).encode()
}

fn terminal() -> CallersTerminal {
    CallersTerminal {
        stdin: true,
        stdout: true,
        stderr: false,
        size: Some(TerminalSize { columns: 80, rows: 24 }),
        stdout_colors: ColorSupport::TrueColor,
        stderr_colors: ColorSupport::None,
    }
}

fn script_on_terminal(steps: &[&'static str]) -> Vec<u8> {
    Message::Command(Command { terminal: Some(terminal()), ..args(steps) }).encode()
}

/// A command with all that there is.
fn everything() -> Vec<u8> {
    let command = Command {
        text: Some("text ".into()),
        bytes: Some("bytes ".into()),
        program: Some("program".into()),
        env: Some(vec![("NAME ".into(), "value ".into()), (Bytes::new(), Bytes::new())]),
        cwd: Some("/directory ".into()),
        terminal: Some(terminal()),
        log: Some("off".into()),
        ..args(&["wwritten", "ewrong"])
    };
    Message::Command(command).encode()
}

fn whole(limit: u8, lengths: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[limit, lengths], parts.concat().as_slice()].concat()
}

/// What a client says at once.
fn at_once(options: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    [vec![options, 0, 0], parts.concat()].concat()
}

/// What a client says frame by frame, each when nothing happens any more.
fn in_turns(options: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    [vec![options, WAITS, 0], parts.concat()].concat()
}

/// The same with its last frame so many times more.
fn again(options: u8, repeats: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    [vec![options, WAITS, repeats], parts.concat()].concat()
}

fn said(options: u8, messages: &[Message]) -> Vec<u8> {
    [vec![options], messages.iter().flat_map(Message::encode).collect()].concat()
}

// What there is of everything.

fn of_frames() -> Vec<Seed> {
    let check = version_check().encode();
    let exit = Message::Exit(3).encode();
    let all = [
        version_check(),
        Message::Command(args(&["a", ""])),
        Message::OutputChunk("out".into()),
        Message::ErrorChunk("err".into()),
        Message::CommandError("failed".into()),
        Message::Exit(0),
        Message::NotRun,
        Message::InputWindow(1 << 18),
        Message::InputChunk("in".into()),
        Message::InputEnd,
        Message::TerminalSize(TerminalSize { columns: 80, rows: 24 }),
        Message::Loading,
        Message::NotLoaded("failed".into()),
        Message::Busy,
        Message::StatusRequest(StatusRequest::default()),
        Message::StatusReply(StatusReply::default()),
    ];
    let all: Vec<_> = all.iter().flat_map(Message::encode).collect();
    let long = frame(3, &[b'o'; 5000]);
    vec![
        ("nothing", whole(12, 0, &[]), "0 unread"),
        (
            "every-kind-byte-by-byte",
            whole(12, 0, &[&all]),
            "VersionCheck, Command, OutputChunk, ErrorChunk, CommandError, Exit, NotRun, InputWindow, InputChunk, InputEnd, TerminalSize, Loading, NotLoaded, Busy, StatusRequest, StatusReply, 0 unread",
        ),
        (
            "every-kind-in-odd-pieces",
            whole(12, 0x0d, &[&all]),
            "VersionCheck, Command, OutputChunk, ErrorChunk, CommandError, Exit, NotRun, InputWindow, InputChunk, InputEnd, TerminalSize, Loading, NotLoaded, Busy, StatusRequest, StatusReply, 0 unread",
        ),
        (
            "every-kind-over-a-small-limit",
            whole(3, 0x11, &[&all]),
            "a frame is empty or longer than the 9 bytes allowed here",
        ),
        (
            "handshake-then-a-longer-frame",
            whole(HANDSHAKE | 13, 0x22, &[&check, &long, &exit]),
            "VersionCheck, OutputChunk, Exit, 0 unread",
        ),
        (
            "handshake-too-long",
            whole(HANDSHAKE | 13, 0x22, &[&long]),
            "a frame is empty or longer than the 257 bytes allowed here",
        ),
        ("as-long-as-the-limit", whole(5, 0, &[&frame(8, &[b'i'; 32])]), "InputChunk, 0 unread"),
        (
            "one-over-the-limit",
            whole(5, 0, &[&frame(8, &[b'i'; 33])]),
            "a frame is empty or longer than the 33 bytes allowed here",
        ),
        (
            "length-0",
            whole(12, 0, &[&exit, &[0, 0, 0, 0], &exit]),
            "Exit, a frame is empty or longer than the 4097 bytes allowed here",
        ),
        ("length-1", whole(12, 0, &[&[0, 0, 0, 1, 9]]), "InputEnd, 0 unread"),
        (
            "length-4-gib",
            whole(17, 0, &[&[0xff, 0xff, 0xff, 0xff, 3]]),
            "a frame is empty or longer than the 131073 bytes allowed here",
        ),
        (
            "length-2-gib",
            whole(17, 0, &[&[0x80, 0, 0, 0, 3]]),
            "a frame is empty or longer than the 131073 bytes allowed here",
        ),
        ("length-promised", whole(17, 0, &[&[0, 1, 0xff, 0xff, 3, b'o']]), "OutputChunk, 0 unread"),
        ("header-cut", whole(12, 0, &[&exit, &[0, 0, 0]]), "Exit, 3 unread"),
        ("body-cut", whole(12, 0, &[&check[..9]]), "5 unread"),
        ("kind-0", whole(12, 0, &[&frame(0, &[])]), "a frame has the unknown kind 0"),
        ("kind-17", whole(12, 0, &[&exit, &frame(17, &[])]), "Exit, a frame has the unknown kind 17"),
        (
            "many-small",
            whole(12, 0xf0, &[&exit.repeat(9)]),
            "Exit, Exit, Exit, Exit, Exit, Exit, Exit, Exit, Exit, 0 unread",
        ),
        ("long-in-pieces", whole(13, 0x1f, &[&long, &exit]), "OutputChunk, Exit, 0 unread"),
    ]
}

fn of_messages() -> Vec<Seed> {
    let body = |message: Message| message.encode()[4..].to_vec();
    let check = VersionCheck { protocol: u32::MAX, build: "another".into() };
    let pair = |a: &[u8], b: &[u8]| [a, b].concat();
    let colors = |number: u8| {
        let streams = b"\x02\x81\xa8terminal\x85\xa5stdin\xc2\xa6stdout\xc3\xa6stderr\xc2";
        [streams.as_slice(), b"\xadstdout_colors", &[number], b"\xadstderr_colors\0"].concat()
    };
    vec![
        (
            "version-check",
            body(version_check()),
            "VersionCheck(VersionCheck { protocol: 1, build: \"fuzzed\" })",
        ),
        (
            "version-check-of-another",
            body(Message::VersionCheck(check)),
            "VersionCheck(VersionCheck { protocol: 4294967295, build: \"another\" })",
        ),
        (
            "version-check-as-map",
            pair(&[1], b"\x82\xa8protocol\x01\xa5build\xa1?"),
            "a frame of kind 1 is not of that kind's shape",
        ),
        ("version-check-of-1", pair(&[1], b"\x91\x01"), "a frame of kind 1 is malformed"),
        ("version-check-of-3", pair(&[1], b"\x93\x01\xa1?\x01"), "a frame of kind 1 is malformed"),
        ("version-check-negative", pair(&[1], b"\x92\xff\xa1?"), "a frame of kind 1 is malformed"),
        (
            "version-check-in-wide-numbers",
            pair(&[1], b"\xdd\0\0\0\x02\xcf\0\0\0\0\0\0\0\x01\xdb\0\0\0\x01?"),
            "VersionCheck(VersionCheck { protocol: 1, build: \"?\" })",
        ),
        (
            "version-check-goes-on",
            pair(&body(version_check()), b"\0"),
            "a frame of kind 1 goes on behind its end, for 1 bytes",
        ),
        ("version-check-cut", body(version_check())[..5].to_vec(), "a frame of kind 1 is malformed"),
        ("command-empty", body(Message::Command(Command::default())), "Command"),
        (
            "command-of-everything",
            everything()[4..].to_vec(),
            "Command text \"text \" bytes \"bytes \" program \"program\" args 2 of them env 2 of them cwd \"/directory \" terminal of Some(80) log \"off\"",
        ),
        ("command-text", text("hi")[4..].to_vec(), "Command text \"hi\""),
        ("command-text-not-utf8", pair(&[2], b"\x81\xa4text\xa1\xff"), "a frame of kind 2 is malformed"),
        ("command-text-nil", pair(&[2], b"\x81\xa4text\xc0"), "Command"),
        ("command-bytes-as-string", pair(&[2], b"\x81\xa5bytes\xa1b"), "Command bytes \"b\""),
        (
            "command-bytes-as-array",
            pair(&[2], b"\x81\xa5bytes\x92\x01\x02"),
            "Command bytes \"\\u{1}\\u{2}\"",
        ),
        ("command-program", pair(&[2], b"\x81\xa7program\xc4\x01p"), "Command program \"p\""),
        ("command-args", script(&["a", "", "bc"])[4..].to_vec(), "Command args 3 of them"),
        (
            "command-args-claim-4-gi",
            pair(&[2], b"\x81\xa4args\xdd\xff\xff\xff\xff"),
            "a frame of kind 2 is malformed",
        ),
        (
            "command-args-many-empty",
            pair(&pair(&[2], b"\x81\xa4args\xdc\x04\0"), &[0xa0; 1024]),
            "Command args 1024 of them",
        ),
        ("command-env", pair(&[2], b"\x81\xa3env\x91\x92\xc4\x01N\xc4\x01v"), "Command env 1 of them"),
        (
            "command-env-of-3",
            pair(&[2], b"\x81\xa3env\x91\x93\xc4\x01N\xc4\x01v\xc4\0"),
            "a frame of kind 2 is malformed",
        ),
        (
            "command-env-claims-4-gi",
            pair(&[2], b"\x81\xa3env\xdd\xff\xff\xff\xff\x92"),
            "a frame of kind 2 is malformed",
        ),
        ("command-cwd", pair(&[2], b"\x81\xa3cwd\xc4\x01/"), "Command cwd \"/\""),
        (
            "command-cwd-claims-4-gib",
            pair(&[2], b"\x81\xa3cwd\xc6\xff\xff\xff\xff/"),
            "a frame of kind 2 is malformed",
        ),
        ("command-terminal-without-size", colors(3), "Command terminal of None"),
        ("command-terminal-colors-4", colors(4), "a frame of kind 2 is malformed"),
        (
            "command-terminal-incomplete",
            pair(&[2], b"\x81\xa8terminal\x81\xa5stdin\xc2"),
            "a frame of kind 2 is malformed",
        ),
        ("command-log", pair(&[2], b"\x81\xa3log\xa5debug"), "Command log \"debug\""),
        ("command-key-unknown", pair(&[2], b"\x81\xa5never\x01"), "a frame of kind 2 is malformed"),
        (
            "command-key-long",
            pair(&pair(&[2], b"\x81\xda\x04\0"), &[0x1b; 1024]),
            "a frame of kind 2 is malformed",
        ),
        (
            "command-key-twice",
            pair(&[2], b"\x82\xa4text\xa1a\xa4text\xa1b"),
            "a frame of kind 2 is malformed",
        ),
        ("command-key-missing", pair(&[2], b"\x82\xa4text\xa1a"), "a frame of kind 2 is malformed"),
        ("command-key-a-number", pair(&[2], b"\x81\x00\xa1a"), "Command text \"a\""),
        ("command-as-array", pair(&[2], b"\x91\xa2hi"), "a frame of kind 2 is not of that kind's shape"),
        ("command-map-claims-4-gi", pair(&[2], b"\xdf\xff\xff\xff\xff"), "a frame of kind 2 is malformed"),
        (
            "command-nested",
            pair(&pair(&[2], b"\x81\xa5never"), &[0x91; 2000]),
            "a frame of kind 2 is malformed",
        ),
        ("command-goes-on", pair(&[2], b"\x80\x80"), "a frame of kind 2 goes on behind its end, for 1 bytes"),
        ("output-chunk", body(Message::OutputChunk("out".into())), "OutputChunk(b\"out\")"),
        ("output-chunk-empty", vec![3], "OutputChunk(b\"\")"),
        ("command-error", body(Message::CommandError("why not".into())), "CommandError(\"why not\")"),
        (
            "command-error-claims-4-gib",
            pair(&[4], b"\xdb\xff\xff\xff\xffx"),
            "a frame of kind 4 is malformed",
        ),
        ("command-error-a-number", pair(&[4], b"\x07"), "a frame of kind 4 is malformed"),
        ("exit", body(Message::Exit(255)), "Exit(255)"),
        ("exit-256", pair(&[5], b"\xcd\x01\x00"), "a frame of kind 5 is malformed"),
        ("exit-negative", pair(&[5], b"\xff"), "a frame of kind 5 is malformed"),
        ("exit-a-float", pair(&[5], b"\xca\0\0\0\0"), "a frame of kind 5 is malformed"),
        ("exit-without-body", vec![5], "a frame of kind 5 is malformed"),
        ("exit-goes-on", vec![5, 0, 0], "a frame of kind 5 goes on behind its end, for 1 bytes"),
        ("not-run", vec![6], "NotRun"),
        ("not-run-goes-on", vec![6, 0], "a frame of kind 6 goes on behind its end, for 1 bytes"),
        ("error-chunk", body(Message::ErrorChunk("err".into())), "ErrorChunk(b\"err\")"),
        ("input-chunk", body(Message::InputChunk("in".into())), "InputChunk(b\"in\")"),
        ("input-end", vec![9], "InputEnd"),
        ("input-end-goes-on", vec![9, 0xc0], "a frame of kind 9 goes on behind its end, for 1 bytes"),
        ("input-window", body(Message::InputWindow(u32::MAX)), "InputWindow(4294967295)"),
        (
            "input-window-of-64-bits",
            pair(&[10], b"\xcf\0\0\0\x01\0\0\0\0"),
            "a frame of kind 10 is malformed",
        ),
        ("terminal-size", size(80)[4..].to_vec(), "TerminalSize(TerminalSize { columns: 80, rows: 24 })"),
        (
            "terminal-size-of-17-bits",
            pair(&[11], b"\x92\xce\0\x01\0\0\x01"),
            "a frame of kind 11 is malformed",
        ),
        (
            "terminal-size-as-map",
            pair(&[11], b"\x82\xa7columns\x01\xa4rows\x01"),
            "a frame of kind 11 is not of that kind's shape",
        ),
        ("loading", vec![12], "Loading"),
        ("loading-goes-on", vec![12, 12], "a frame of kind 12 goes on behind its end, for 1 bytes"),
        ("not-loaded", body(Message::NotLoaded("no file".into())), "NotLoaded(\"no file\")"),
        ("busy", vec![14], "Busy"),
        ("busy-goes-on", vec![14, 14], "a frame of kind 14 goes on behind its end, for 1 bytes"),
        ("status-request", status(true)[4..].to_vec(), "StatusRequest(StatusRequest { when_loaded: true })"),
        (
            "status-request-of-later-keys",
            pair(&[15], b"\x82\xa5later\x92\x80\xc0\xa6latest\xca\0\0\0\0"),
            "StatusRequest(StatusRequest { when_loaded: false })",
        ),
        (
            "status-request-nested",
            pair(&pair(&[15], b"\x81\xa5later"), &[0x91; 2000]),
            "a frame of kind 15 is malformed",
        ),
        (
            "status-request-as-array",
            pair(&[15], b"\x91\xc3"),
            "a frame of kind 15 is not of that kind's shape",
        ),
        (
            "status-request-goes-on",
            pair(&[15], b"\x80\x80"),
            "a frame of kind 15 goes on behind its end, for 1 bytes",
        ),
        (
            "status-reply",
            body(Message::StatusReply(StatusReply {
                memory: Some(1),
                log: Some("/log".into()),
                ..StatusReply::default()
            })),
            "StatusReply(StatusReply { pid: 0, build: \"\", uptime_ms: 0, loaded: false, running: 0, waiting: 0, done: 0, failed: 0, memory: Some(1), idle_left_ms: None, log: Some(\"/log\") })",
        ),
        (
            "status-reply-empty",
            pair(&[16], b"\x80"),
            "StatusReply(StatusReply { pid: 0, build: \"\", uptime_ms: 0, loaded: false, running: 0, waiting: 0, done: 0, failed: 0, memory: None, idle_left_ms: None, log: None })",
        ),
        ("status-reply-negative", pair(&[16], b"\x81\xa3pid\xff"), "a frame of kind 16 is malformed"),
        ("version-check-without-body", vec![1], "a frame of kind 1 is not of that kind's shape"),
        ("command-without-body", vec![2], "a frame of kind 2 is not of that kind's shape"),
        ("command-error-without-body", vec![4], "a frame of kind 4 is malformed"),
        ("input-window-without-body", vec![10], "a frame of kind 10 is malformed"),
        ("terminal-size-without-body", vec![11], "a frame of kind 11 is not of that kind's shape"),
        ("not-loaded-without-body", vec![13], "a frame of kind 13 is malformed"),
        ("status-request-without-body", vec![15], "a frame of kind 15 is not of that kind's shape"),
        ("status-reply-without-body", vec![16], "a frame of kind 16 is not of that kind's shape"),
        ("kind-0", vec![0], "a frame has the unknown kind 0"),
        ("kind-17", vec![17, 0x80], "a frame has the unknown kind 17"),
        ("kind-255", vec![255], "a frame has the unknown kind 255"),
    ]
}

fn of_session() -> Vec<Seed> {
    const STAYS_MET: u8 = MET | STAYS;
    let full = INPUT_WINDOW / 64;
    let command = |body: &[u8]| frame(2, body);
    let other = Message::VersionCheck(VersionCheck::of("another")).encode();
    let later = Message::VersionCheck(VersionCheck { protocol: 2, build: "fuzzed".into() }).encode();
    vec![
        ("silence", at_once(0, &[]), "the client closes"),
        ("silence-that-stays", at_once(STAYS, &[]), "the daemon closes"),
        (
            "handshake-by-hand",
            at_once(STAYS, &[version_check().encode(), text("hi")]),
            "VersionCheck, out \"hi\", CommandError \"the command came without its arguments\", Exit(1), the daemon closes",
        ),
        (
            "handshake-of-another-build",
            at_once(STAYS, &[other, text("hi")]),
            "VersionCheck, the daemon closes",
        ),
        (
            "handshake-of-another-protocol",
            at_once(STAYS, &[later, text("hi")]),
            "VersionCheck, the daemon closes",
        ),
        ("handshake-cut", at_once(STAYS, &[version_check().encode()[..7].to_vec()]), "the daemon closes"),
        (
            "handshake-too-long",
            at_once(STAYS, &[frame(1, &[0x92; MAX_VERSION_CHECK + 1])]),
            "the daemon closes",
        ),
        ("handshake-skipped", at_once(STAYS, &[text("hi")]), "the daemon closes"),
        (
            "handshake-twice",
            at_once(STAYS_MET, &[version_check().encode(), text("hi")]),
            "VersionCheck, the daemon closes",
        ),
        ("handshake-only", at_once(STAYS_MET, &[]), "VersionCheck, NotRun, the daemon closes"),
        ("handshake-and-away", at_once(MET, &[]), "VersionCheck, the client closes"),
        ("status", at_once(STAYS, &[status(false)]), "StatusReply loaded true, the daemon closes"),
        ("status-and-away", at_once(0, &[status(false)]), "StatusReply loaded true, the client closes"),
        (
            "status-when-loaded",
            at_once(STAYS | LOADS_LONG, &[status(true)]),
            "StatusReply loaded true, the daemon closes",
        ),
        (
            "status-when-loaded-in-vain",
            at_once(STAYS | LOADS_IN_VAIN, &[status(true)]),
            "NotLoaded(\"nothing to load\"), the daemon closes",
        ),
        (
            "status-when-loaded-for-ever",
            at_once(STAYS | LOADS_LONG | LOADS_IN_VAIN, &[status(true)]),
            "the client closes",
        ),
        (
            "status-when-loaded-and-more",
            at_once(STAYS | LOADS_LONG, &[status(true), text("hi")]),
            "the daemon closes",
        ),
        (
            "status-behind-handshake",
            at_once(STAYS_MET, &[status(false)]),
            "VersionCheck, StatusReply loaded true, the daemon closes",
        ),
        (
            "status-behind-command",
            in_turns(STAYS_MET, &[script(&["c"]), status(false)]),
            "VersionCheck, the daemon closes",
        ),
        (
            "status-where-there-is-no-room",
            at_once(STAYS | TURNED_AWAY, &[status(false)]),
            "StatusReply loaded true, the daemon closes",
        ),
        (
            "status-nested",
            at_once(STAYS_MET, &[frame(15, &[b"\x81\xa5later".as_slice(), &[0x91; 2000]].concat())]),
            "VersionCheck, the daemon closes",
        ),
        ("http", at_once(STAYS, &[b"GET / HTTP/1.1\r\n\r\n".to_vec()]), "the daemon closes"),
        (
            "command-of-nothing",
            at_once(STAYS_MET, &[command(b"\x80")]),
            "VersionCheck, CommandError \"the command came without its arguments\", Exit(1), the daemon closes",
        ),
        (
            "command-of-no-steps",
            at_once(STAYS_MET, &[script(&[])]),
            "VersionCheck, Exit(0), the daemon closes",
        ),
        (
            "command-of-everything",
            at_once(STAYS_MET, &[everything()]),
            "VersionCheck, out \"text \", err \"bytes \", out \"NAME \", err \"value \", out \"/directory TrueColor Some(TerminalSize { columns: 80, rows: 24 }) written\", err \"wrong\", Exit(0), the daemon closes",
        ),
        (
            "command-of-everything-byte-by-byte",
            [vec![STAYS_MET, WAITS | 1, 0], everything()].concat(),
            "VersionCheck, out \"text \", err \"bytes \", out \"NAME \", err \"value \", out \"/directory TrueColor Some(TerminalSize { columns: 80, rows: 24 }) written\", err \"wrong\", Exit(0), the daemon closes",
        ),
        ("command-and-away", at_once(MET, &[script(&["wwritten"])]), "VersionCheck, the client closes"),
        (
            "command-cut",
            at_once(STAYS_MET, &[everything()[..40].to_vec()]),
            "VersionCheck, NotRun, the daemon closes",
        ),
        (
            "command-cut-and-away",
            at_once(MET, &[everything()[..40].to_vec()]),
            "VersionCheck, the client closes",
        ),
        (
            "command-as-long-as-allowed",
            at_once(STAYS_MET, &[text(&"x".repeat(MAX_COMMAND))]),
            "VersionCheck, out 3500 bytes, CommandError \"the command came without its arguments\", Exit(1), the daemon closes",
        ),
        (
            "command-too-long",
            at_once(STAYS_MET, &[text(&"x".repeat(MAX_COMMAND + 1))]),
            "VersionCheck, the daemon closes",
        ),
        (
            "command-claims-4-gib",
            at_once(STAYS_MET, &[vec![0xff, 0xff, 0xff, 0xff, 2]]),
            "VersionCheck, the daemon closes",
        ),
        (
            "command-claims-16-mib",
            at_once(STAYS_MET, &[vec![1, 0, 0, 0, 2]]),
            "VersionCheck, NotRun, the daemon closes",
        ),
        (
            "command-of-an-unknown-key",
            at_once(STAYS_MET, &[command(b"\x81\xa5never\x01")]),
            "VersionCheck, the daemon closes",
        ),
        ("command-goes-on", at_once(STAYS_MET, &[command(b"\x80\x80")]), "VersionCheck, the daemon closes"),
        (
            "command-twice",
            at_once(STAYS_MET, &[script(&["c"]), script(&["c"])]),
            "VersionCheck, the daemon closes",
        ),
        (
            "command-is-a-daemons-message",
            at_once(STAYS_MET, &[Message::Exit(0).encode()]),
            "VersionCheck, the daemon closes",
        ),
        ("command-is-input", at_once(STAYS_MET, &[input("too early")]), "VersionCheck, the daemon closes"),
        (
            "command-logs",
            at_once(
                STAYS_MET,
                &[Message::Command(Command { log: Some("info".into()), ..args(&["x"]) }).encode()],
            ),
            "VersionCheck, Exit(0), the daemon closes",
        ),
        ("exit-code", at_once(STAYS_MET, &[script(&["x\x07"])]), "VersionCheck, Exit(7), the daemon closes"),
        (
            "error",
            at_once(STAYS_MET, &[script(&["wbefore", "fwhy not", "wnever"])]),
            "VersionCheck, out \"before\", CommandError \"why not\", Exit(1), the daemon closes",
        ),
        (
            "error-too-long",
            at_once(STAYS_MET, &[script(&["F"])]),
            "VersionCheck, CommandError 262143 bytes, Exit(1), the daemon closes",
        ),
        (
            "error-too-long-read-late",
            at_once(STAYS_MET | READS_LATE, &[script(&["F"])]),
            "VersionCheck, CommandError 262143 bytes, Exit(1), the daemon closes",
        ),
        (
            "output-much",
            at_once(STAYS_MET, &[script(&["m", "eerr", "m"])]),
            "VersionCheck, out 15000 bytes, err \"err\", out 15000 bytes, Exit(0), the daemon closes",
        ),
        (
            "output-much-read-late",
            in_turns(STAYS_MET | READS_LATE, &[script(&["m", "eerr", "m"])]),
            "VersionCheck, out 15000 bytes, err \"err\", out 15000 bytes, Exit(0), the daemon closes",
        ),
        (
            "output-much-and-away",
            at_once(MET | READS_LATE, &[script(&["m", "m"])]),
            "VersionCheck, the client closes",
        ),
        (
            "output-left-behind",
            at_once(STAYS_MET, &[script(&["l", "z111"])]),
            "VersionCheck, out \"left behindleft behindleft behind\", Exit(0), the daemon closes",
        ),
        (
            "output-left-behind-and-away",
            at_once(MET, &[script(&["l", "c"])]),
            "VersionCheck, the client closes",
        ),
        (
            "input",
            in_turns(STAYS_MET, &[script(&["R"]), input("one"), input("two"), input_end()]),
            "VersionCheck, InputWindow(524288), out \"onetwo\", Exit(0), the daemon closes",
        ),
        (
            "input-at-once",
            at_once(STAYS_MET, &[script(&["R"]), input("one"), input_end()]),
            "VersionCheck, the daemon closes",
        ),
        (
            "input-read-once",
            in_turns(STAYS_MET, &[script(&["r", "wread"]), input("one"), input_end()]),
            "VersionCheck, InputWindow(524288), out \"oneread\", Exit(0), the daemon closes",
        ),
        (
            "input-empty-chunk",
            in_turns(STAYS_MET, &[script(&["R"]), input(""), input("one"), input_end()]),
            "VersionCheck, InputWindow(524288), out \"one\", Exit(0), the daemon closes",
        ),
        (
            "input-never-read",
            in_turns(STAYS_MET, &[script(&["c"]), input("one")]),
            "VersionCheck, the daemon closes",
        ),
        (
            "input-end-at-once",
            in_turns(STAYS_MET, &[script(&["R"]), input_end()]),
            "VersionCheck, InputWindow(524288), Exit(0), the daemon closes",
        ),
        (
            "input-end-unasked",
            in_turns(STAYS_MET, &[script(&["c"]), input_end()]),
            "VersionCheck, the daemon closes",
        ),
        (
            "input-end-twice",
            in_turns(STAYS_MET, &[script(&["R", "c"]), input_end(), input_end()]),
            "VersionCheck, InputWindow(524288), the daemon closes",
        ),
        (
            "input-behind-its-end",
            in_turns(STAYS_MET, &[script(&["R", "c"]), input_end(), input("late")]),
            "VersionCheck, InputWindow(524288), the daemon closes",
        ),
        (
            "input-end-with-a-body",
            in_turns(STAYS_MET, &[script(&["R"]), frame(9, &[0])]),
            "VersionCheck, InputWindow(524288), the daemon closes",
        ),
        (
            "input-without-end",
            in_turns(MET, &[script(&["R"]), input("one")]),
            "VersionCheck, InputWindow(524288), out \"one\", the client closes",
        ),
        (
            "input-never-comes",
            in_turns(STAYS_MET, &[script(&["R"])]),
            "VersionCheck, InputWindow(524288), the client closes",
        ),
        (
            "input-fills-the-window",
            again(STAYS_MET, 62, &[script(&["d"]), chunk_of(full)]),
            "VersionCheck, InputWindow(524288), InputWindow(131072), InputWindow(131072), InputWindow(131072), the client closes",
        ),
        (
            "input-over-what-is-granted",
            again(STAYS_MET, 64, &[script(&["r", "i"]), chunk_of(full)]),
            "VersionCheck, InputWindow(524288), out 8192 bytes, the daemon closes",
        ),
        (
            "input-chunk-too-long",
            in_turns(STAYS_MET, &[script(&["R"]), vec![0, 8, 1, 2, 8]]),
            "VersionCheck, InputWindow(524288), the daemon closes",
        ),
        (
            "input-chunk-cut",
            in_turns(STAYS_MET, &[script(&["R"]), chunk_of(100)[..50].to_vec()]),
            "VersionCheck, InputWindow(524288), out \"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii\", the client closes",
        ),
        (
            "size",
            in_turns(STAYS_MET, &[script_on_terminal(&["s", "s"]), size(100), size(0)]),
            "VersionCheck, out \"TrueColor Some(TerminalSize { columns: 80, rows: 24 }) Some(TerminalSize { columns: 100, rows: 24 }) Some(TerminalSize { columns: 0, rows: 24 }) \", Exit(0), the daemon closes",
        ),
        (
            "size-the-same",
            in_turns(STAYS_MET, &[script_on_terminal(&["s"]), size(80), size(81)]),
            "VersionCheck, out \"TrueColor Some(TerminalSize { columns: 80, rows: 24 }) Some(TerminalSize { columns: 81, rows: 24 }) \", Exit(0), the daemon closes",
        ),
        (
            "size-without-terminal",
            in_turns(STAYS_MET, &[script(&["c"]), size(100)]),
            "VersionCheck, the daemon closes",
        ),
        (
            "size-between-input",
            in_turns(
                STAYS_MET,
                &[script_on_terminal(&["R", "s"]), size(90), input("one"), size(91), input_end()],
            ),
            "VersionCheck, out \"TrueColor Some(TerminalSize { columns: 80, rows: 24 }) \", InputWindow(524288), out \"oneSome(TerminalSize { columns: 91, rows: 24 }) \", Exit(0), the daemon closes",
        ),
        (
            "size-and-away",
            in_turns(MET, &[script_on_terminal(&["s", "s"]), size(100)]),
            "VersionCheck, out \"TrueColor Some(TerminalSize { columns: 80, rows: 24 }) Some(TerminalSize { columns: 100, rows: 24 }) \", the client closes",
        ),
        (
            "size-many",
            again(STAYS_MET, 200, &[script_on_terminal(&["z1"]), size(100)]),
            "VersionCheck, out \"TrueColor Some(TerminalSize { columns: 80, rows: 24 }) \", Exit(0), the daemon closes",
        ),
        (
            "unknown-kind-behind-command",
            in_turns(STAYS_MET, &[script(&["c"]), frame(99, &[])]),
            "VersionCheck, the daemon closes",
        ),
        (
            "handshake-behind-command",
            in_turns(STAYS_MET, &[script(&["c"]), version_check().encode()]),
            "VersionCheck, the daemon closes",
        ),
        ("cancelled", at_once(MET, &[script(&["c", "wto nobody"])]), "VersionCheck, the client closes"),
        ("cancelled-and-ignored", at_once(MET, &[script(&["i"])]), "VersionCheck, the client closes"),
        ("patience-ends", at_once(STAYS_MET, &[script(&["i"])]), "VersionCheck, the client closes"),
        (
            "loads-long",
            at_once(STAYS_MET | LOADS_LONG, &[script(&["wdone"])]),
            "VersionCheck, Loading, out \"done\", Exit(0), the daemon closes",
        ),
        (
            "loads-long-and-away",
            at_once(MET | LOADS_LONG, &[script(&["wdone"])]),
            "VersionCheck, the client closes",
        ),
        (
            "loads-long-and-input-comes",
            in_turns(STAYS_MET | LOADS_LONG, &[script(&["R"]), input("too early")]),
            "VersionCheck, the daemon closes",
        ),
        (
            "loads-in-vain",
            at_once(STAYS_MET | LOADS_IN_VAIN, &[script(&["wdone"])]),
            "VersionCheck, NotLoaded(\"nothing to load\"), the daemon closes",
        ),
        (
            "loads-for-ever",
            at_once(STAYS_MET | LOADS_LONG | LOADS_IN_VAIN, &[script(&["wdone"])]),
            "VersionCheck, Loading, the client closes",
        ),
        (
            "turned-away",
            at_once(STAYS_MET | TURNED_AWAY, &[script(&["wdone"])]),
            "VersionCheck, Busy, the daemon closes",
        ),
        (
            "turned-away-without-handshake",
            at_once(STAYS | TURNED_AWAY, &[script(&["wdone"])]),
            "the daemon closes",
        ),
        (
            "retires-before-the-command",
            in_turns(STAYS_MET | RETIRES, &[script(&["wdone"])]),
            "VersionCheck, NotRun, the daemon closes",
        ),
        (
            "retires-behind-the-command",
            at_once(STAYS_MET | RETIRES, &[script(&["wdone"])]),
            "VersionCheck, NotRun, the daemon closes",
        ),
        (
            "retires-while-loading",
            [vec![STAYS_MET | RETIRES | LOADS_LONG, 127, 0], script(&["wdone"])].concat(),
            "VersionCheck, NotRun, the daemon closes",
        ),
        (
            "retires-while-it-runs",
            [vec![STAYS_MET | RETIRES, 127, 0], script(&["z1", "wdone"])].concat(),
            "VersionCheck, out \"done\", Exit(0), the daemon closes",
        ),
        (
            "stops",
            at_once(STAYS_MET | STOPS, &[script(&["c", "wlast words"])]),
            "VersionCheck, out \"last words\", Exit(0), the daemon closes",
        ),
        (
            "stops-with-much-to-say",
            at_once(STAYS_MET | STOPS, &[script(&["c", "m", "m"])]),
            "VersionCheck, out 30000 bytes, Exit(0), the daemon closes",
        ),
        (
            "stops-and-is-ignored",
            at_once(STAYS_MET | STOPS, &[script(&["i"])]),
            "VersionCheck, the daemon closes",
        ),
        (
            "stops-while-input-is-awaited",
            at_once(STAYS_MET | STOPS, &[script(&["R"])]),
            "VersionCheck, InputWindow(524288), CommandError \"the daemon has to end\", Exit(1), the daemon closes",
        ),
        (
            "stops-and-away",
            at_once(MET | STOPS, &[script(&["c", "wlast words"])]),
            "VersionCheck, the client closes",
        ),
        (
            "chunks-at-their-edges",
            at_once(
                STAYS_MET,
                &[Message::Command(Command {
                    bytes: Some(vec![b'b'; CHUNK_SIZE + 1].into()),
                    ..args(&["w"])
                })
                .encode()],
            ),
            "VersionCheck, err 3001 bytes, Exit(0), the daemon closes",
        ),
    ]
}

fn of_answer() -> Vec<Seed> {
    let out = || Message::OutputChunk("out ".into());
    let err = || Message::ErrorChunk("err ".into());
    let exit = || Message::Exit(0);
    let raw = |options: u8, parts: &[&[u8]]| [&[options], parts.concat().as_slice()].concat();
    vec![
        ("nothing", said(0, &[]), "Closed, out \"\", err \"\""),
        ("handshake-only", said(MET, &[]), "DaemonDied, out \"\", err \"\""),
        ("handshake-by-hand", said(0, &[version_check(), exit()]), "Exit(ExitCode(0)), out \"\", err \"\""),
        (
            "handshake-of-another-build",
            said(0, &[Message::VersionCheck(VersionCheck::of("another"))]),
            "OtherBuild, out \"\", err \"\"",
        ),
        (
            "handshake-of-another-protocol",
            said(0, &[Message::VersionCheck(VersionCheck { protocol: 2, build: "fuzzed".into() })]),
            "OtherBuild, out \"\", err \"\"",
        ),
        (
            "handshake-is-something-else",
            said(0, &[exit()]),
            "Foreign(\"an unexpected Exit message came\"), out \"\", err \"\"",
        ),
        ("handshake-cut", raw(0, &[&version_check().encode()[..8]]), "Closed, out \"\", err \"\""),
        (
            "handshake-too-long",
            raw(0, &[&frame(1, &[b'x'; MAX_VERSION_CHECK + 1])]),
            "Foreign(\"a frame is empty or longer than the 257 bytes allowed here\"), out \"\", err \"\"",
        ),
        ("handshake-and-no-more", raw(MET, &[&[0]]), "DaemonDied, out \"\", err \"\""),
        ("gone", said(MET | GONE, &[exit()]), "Closed, out \"\", err \"\""),
        (
            "http",
            raw(0, &[b"HTTP/1.1 400 Bad Request\r\n\r\n"]),
            "Foreign(\"a frame is empty or longer than the 257 bytes allowed here\"), out \"\", err \"\"",
        ),
        ("exit-0", said(MET, &[exit()]), "Exit(ExitCode(0)), out \"\", err \"\""),
        ("exit-255", said(MET, &[Message::Exit(255)]), "Exit(ExitCode(255)), out \"\", err \"\""),
        (
            "exit-256",
            raw(MET, &[&frame(5, b"\xcd\x01\x00")]),
            "Garbled(Malformed { kind: 5,, out \"\", err \"\"",
        ),
        (
            "output",
            said(MET, &[out(), err(), out(), exit()]),
            "Exit(ExitCode(0)), out \"out out \", err \"err \"",
        ),
        (
            "output-empty",
            said(MET, &[Message::OutputChunk(Bytes::new()), exit()]),
            "Exit(ExitCode(0)), out \"\", err \"\"",
        ),
        ("output-without-exit", said(MET, &[out()]), "DaemonDied, out \"out \", err \"\""),
        ("output-behind-exit", said(MET, &[exit(), out()]), "Exit(ExitCode(0)), out \"\", err \"\""),
        ("output-cut", raw(MET, &[&out().encode()[..7]]), "DaemonDied, out \"ou\", err \"\""),
        (
            "output-as-long-as-allowed",
            raw(MET, &[&frame(3, &[b'o'; 2000]), &exit().encode()]),
            "Exit(ExitCode(0)), out 2000 bytes, err \"\"",
        ),
        (
            "output-claims-4-gib",
            raw(MET, &[&[0xff, 0xff, 0xff, 0xff, 3, b'o']]),
            "Garbled(FrameLength { limit: 262401 }), out \"\", err \"\"",
        ),
        (
            "output-promised",
            raw(MET, &[&u32::try_from(MAX_ERROR_TEXT).unwrap().to_be_bytes(), &[3, b'o']]),
            "DaemonDied, out \"o\", err \"\"",
        ),
        (
            "error",
            said(MET, &[out(), Message::CommandError("why not".into()), Message::Exit(1)]),
            "Exit(ExitCode(1)), out \"out program: why not\\n\", err \"\"",
        ),
        (
            "error-to-stderr",
            said(MET | ERRORS_TO_STDERR, &[out(), Message::CommandError("why not".into()), Message::Exit(1)]),
            "Exit(ExitCode(1)), out \"out \", err \"program: why not\\n\"",
        ),
        (
            "error-twice",
            said(MET, &[Message::CommandError("a".into()), Message::CommandError("b".into()), exit()]),
            "Exit(ExitCode(0)), out \"program: a\\nprogram: b\\n\", err \"\"",
        ),
        (
            "error-without-exit",
            said(MET, &[Message::CommandError("a".into())]),
            "DaemonDied, out \"program: a\\n\", err \"\"",
        ),
        (
            "error-not-utf8",
            raw(MET, &[&frame(4, b"\xa1\xff")]),
            "Garbled(Malformed { kind: 4,, out \"\", err \"\"",
        ),
        ("not-run", said(MET, &[Message::NotRun]), "NotRun, out \"\", err \"\""),
        (
            "not-run-behind-output",
            said(MET, &[out(), Message::NotRun]),
            "Garbled(Unexpected(\"NotRun\")), out \"out \", err \"\"",
        ),
        ("busy", said(MET, &[Message::Busy]), "Busy, out \"\", err \"\""),
        (
            "loading",
            said(MET, &[Message::Loading, out(), exit()]),
            "Exit(ExitCode(0)), out \"out \", err \"\"",
        ),
        (
            "not-loaded",
            said(MET, &[Message::NotLoaded("no file".into())]),
            "NotLoaded(\"no file\"), out \"\", err \"\"",
        ),
        (
            "window",
            said(MET | STREAMS_INPUT, &[Message::InputWindow(1 << 18), out(), exit()]),
            "Exit(ExitCode(0)), out \"out \", err \"\"",
        ),
        (
            "window-of-nothing",
            said(MET | STREAMS_INPUT, &[Message::InputWindow(0), exit()]),
            "Exit(ExitCode(0)), out \"\", err \"\"",
        ),
        (
            "window-huge",
            said(
                MET | STREAMS_INPUT,
                &[Message::InputWindow(u32::MAX), Message::InputWindow(u32::MAX), exit()],
            ),
            "Exit(ExitCode(0)), out \"\", err \"\"",
        ),
        (
            "window-unasked",
            said(MET, &[Message::InputWindow(1), exit()]),
            "Garbled(Unexpected(\"InputWindow\")), out \"\", err \"\"",
        ),
        (
            "clients-input",
            said(MET, &[Message::InputChunk("in".into())]),
            "Garbled(Unexpected(\"InputChunk\")), out \"\", err \"\"",
        ),
        (
            "clients-input-end",
            said(MET, &[Message::InputEnd]),
            "Garbled(Unexpected(\"InputEnd\")), out \"\", err \"\"",
        ),
        ("clients-size", raw(MET, &[&size(80)]), "Garbled(Unexpected(\"TerminalSize\")), out \"\", err \"\""),
        (
            "clients-command",
            raw(MET, &[&everything()]),
            "Garbled(Unexpected(\"Command\")), out \"\", err \"\"",
        ),
        (
            "handshake-again",
            said(MET, &[version_check(), exit()]),
            "Garbled(Unexpected(\"VersionCheck\")), out \"\", err \"\"",
        ),
        (
            "status-reply",
            said(MET, &[Message::StatusReply(StatusReply::default())]),
            "Garbled(Unexpected(\"StatusReply\")), out \"\", err \"\"",
        ),
        (
            "status-request",
            raw(MET, &[&status(false)]),
            "Garbled(Unexpected(\"StatusRequest\")), out \"\", err \"\"",
        ),
        ("unknown-kind", raw(MET, &[&frame(17, &[])]), "Garbled(UnknownKind(17)), out \"\", err \"\""),
        (
            "length-0",
            raw(MET, &[&[0, 0, 0, 0]]),
            "Garbled(FrameLength { limit: 262401 }), out \"\", err \"\"",
        ),
        (
            "goes-on",
            raw(MET, &[&frame(6, &[0])]),
            "Garbled(TrailingBytes { kind: 6, count: 1 }), out \"\", err \"\"",
        ),
    ]
}
