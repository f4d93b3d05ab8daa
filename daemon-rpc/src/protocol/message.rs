//! The messages that client and daemon exchange, one variant each.

use bytes::Bytes;
use rmp_serde::decode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::status::{StatusReply, StatusRequest};
use super::{ProtocolError, frame, list};
use crate::terminal::{ColorSupport, TerminalSize};

/// The number of this protocol: raised with every change that a client in another language would notice.
pub(crate) const PROTOCOL: u32 = 1;

/// The first byte of each frame. A number is never used again for something else.
pub(super) mod kind {
    pub(crate) const VERSION_CHECK: u8 = 1;
    pub(crate) const COMMAND: u8 = 2;
    pub(crate) const OUTPUT_CHUNK: u8 = 3;
    pub(crate) const COMMAND_ERROR: u8 = 4;
    pub(crate) const EXIT: u8 = 5;
    pub(crate) const NOT_RUN: u8 = 6;
    pub(crate) const ERROR_CHUNK: u8 = 7;
    pub(crate) const INPUT_CHUNK: u8 = 8;
    pub(crate) const INPUT_END: u8 = 9;
    pub(crate) const INPUT_WINDOW: u8 = 10;
    pub(crate) const TERMINAL_SIZE: u8 = 11;
    pub(crate) const LOADING: u8 = 12;
    pub(crate) const NOT_LOADED: u8 = 13;
    pub(crate) const BUSY: u8 = 14;
    pub(crate) const STATUS_REQUEST: u8 = 15;
    pub(crate) const STATUS_REPLY: u8 = 16;

    /// Whether its body is raw bytes, and a part of it as good as the whole.
    pub(crate) fn is_chunk(kind: u8) -> bool {
        matches!(kind, OUTPUT_CHUNK | ERROR_CHUNK | INPUT_CHUNK)
    }
}

/// One frame's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Both ways, the first frame of each side.
    VersionCheck(VersionCheck),
    /// Client to daemon, once: what to run.
    Command(Command),
    /// Daemon to client: bytes for standard output.
    OutputChunk(Bytes),
    /// Daemon to client: bytes for standard error.
    ErrorChunk(Bytes),
    /// Daemon to client: why the handler failed, its whole chain of causes.
    CommandError(String),
    /// Daemon to client, the last frame: the command has ended with this exit code.
    Exit(u8),
    /// Daemon to client, the last frame: no handler saw the command and none will, so it is safe to ask again.
    NotRun,
    /// Daemon to client: so many more bytes of standard input may be sent.
    InputWindow(u32),
    /// Client to daemon: bytes from standard input, within what the daemon allowed.
    InputChunk(Bytes),
    /// Client to daemon: standard input has ended.
    InputEnd,
    /// Client to daemon: the caller's terminal has another size now.
    TerminalSize(TerminalSize),
    /// Daemon to client: the command waits until the application's state has been loaded, which takes a while.
    Loading,
    /// Daemon to client, the last frame: why the application's state couldn't be loaded. No handler saw the command.
    NotLoaded(String),
    /// Daemon to client, the last frame: there is no room for one more caller. It is safe to ask again, and may help.
    Busy,
    /// Client to daemon, the only frame, instead of the handshake: how is it?
    StatusRequest(StatusRequest),
    /// Daemon to client, the only frame: so it is.
    StatusReply(StatusReply),
}

/// Who is speaking. Its layout is frozen: builds on any two versions of this library read each other's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VersionCheck {
    pub(crate) protocol: u32,
    pub(crate) build: String,
}

impl VersionCheck {
    /// The check that a program of this build sends.
    pub(crate) fn of(build: &str) -> Self {
        Self { protocol: PROTOCOL, build: build.to_owned() }
    }
}

/// What the handler's parameters asked the client for; what they didn't is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    /// All of standard input, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// All of standard input, as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<Bytes>,
    /// How the program was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) program: Option<Bytes>,
    /// The arguments after the program's name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "list::bounded")]
    pub(crate) args: Option<Vec<Bytes>>,
    /// The environment's variables, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "list::bounded")]
    pub(crate) env: Option<Vec<(Bytes, Bytes)>>,
    /// The directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cwd: Option<Bytes>,
    /// The terminal, or that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) terminal: Option<CallersTerminal>,
    /// Which of the command's events its caller wants to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
}

/// What the caller's standard streams are connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallersTerminal {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    /// Of the first of standard output, error and input that is a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<TerminalSize>,
    pub(crate) stdout_colors: ColorSupport,
    pub(crate) stderr_colors: ColorSupport,
}

impl Command {
    /// How long the input is that the command carries, in bytes.
    pub(crate) fn input_length(&self) -> usize {
        self.text.as_ref().map_or(0, String::len) + self.bytes.as_ref().map_or(0, Bytes::len)
    }
}

impl Message {
    /// The message's name in documentation and errors.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::VersionCheck(_) => "VersionCheck",
            Self::Command(_) => "Command",
            Self::OutputChunk(_) => "OutputChunk",
            Self::ErrorChunk(_) => "ErrorChunk",
            Self::CommandError(_) => "CommandError",
            Self::Exit(_) => "Exit",
            Self::NotRun => "NotRun",
            Self::InputWindow(_) => "InputWindow",
            Self::InputChunk(_) => "InputChunk",
            Self::InputEnd => "InputEnd",
            Self::TerminalSize(_) => "TerminalSize",
            Self::Loading => "Loading",
            Self::NotLoaded(_) => "NotLoaded",
            Self::Busy => "Busy",
            Self::StatusRequest(_) => "StatusRequest",
            Self::StatusReply(_) => "StatusReply",
        }
    }

    /// The whole frame.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::VersionCheck(check) => packed(kind::VERSION_CHECK, check),
            Self::Command(command) => packed_map(kind::COMMAND, command),
            Self::OutputChunk(chunk) => framed(kind::OUTPUT_CHUNK, chunk),
            Self::ErrorChunk(chunk) => framed(kind::ERROR_CHUNK, chunk),
            Self::CommandError(text) => packed(kind::COMMAND_ERROR, text),
            Self::Exit(code) => packed(kind::EXIT, code),
            Self::NotRun => framed(kind::NOT_RUN, &[]),
            Self::InputWindow(bytes) => packed(kind::INPUT_WINDOW, bytes),
            Self::InputChunk(chunk) => framed(kind::INPUT_CHUNK, chunk),
            Self::InputEnd => framed(kind::INPUT_END, &[]),
            Self::TerminalSize(size) => packed(kind::TERMINAL_SIZE, size),
            Self::Loading => framed(kind::LOADING, &[]),
            Self::NotLoaded(text) => packed(kind::NOT_LOADED, text),
            Self::Busy => framed(kind::BUSY, &[]),
            Self::StatusRequest(request) => packed_map(kind::STATUS_REQUEST, request),
            Self::StatusReply(status) => packed_map(kind::STATUS_REPLY, status),
        }
    }

    /// Reads the body of a frame of this kind.
    pub(super) fn decode(kind: u8, body: Bytes) -> Result<Self, ProtocolError> {
        match kind {
            // The library would take one for the other.
            kind::VERSION_CHECK | kind::TERMINAL_SIZE if !is_array(&body) => {
                Err(ProtocolError::WrongShape { kind })
            }
            kind::COMMAND | kind::STATUS_REQUEST | kind::STATUS_REPLY if !is_map(&body) => {
                Err(ProtocolError::WrongShape { kind })
            }
            kind::NOT_RUN | kind::INPUT_END | kind::LOADING | kind::BUSY if !body.is_empty() => {
                Err(ProtocolError::TrailingBytes { kind, count: body.len() })
            }
            kind::VERSION_CHECK => unpack(kind, &body).map(Self::VersionCheck),
            kind::COMMAND => unpack(kind, &body).map(Self::Command),
            kind::OUTPUT_CHUNK => Ok(Self::OutputChunk(body)),
            kind::ERROR_CHUNK => Ok(Self::ErrorChunk(body)),
            kind::COMMAND_ERROR => unpack(kind, &body).map(Self::CommandError),
            kind::EXIT => unpack(kind, &body).map(Self::Exit),
            kind::NOT_RUN => Ok(Self::NotRun),
            kind::INPUT_WINDOW => unpack(kind, &body).map(Self::InputWindow),
            kind::INPUT_CHUNK => Ok(Self::InputChunk(body)),
            kind::INPUT_END => Ok(Self::InputEnd),
            kind::TERMINAL_SIZE => unpack(kind, &body).map(Self::TerminalSize),
            kind::LOADING => Ok(Self::Loading),
            kind::NOT_LOADED => unpack(kind, &body).map(Self::NotLoaded),
            kind::BUSY => Ok(Self::Busy),
            kind::STATUS_REQUEST => unpack(kind, &body).map(Self::StatusRequest),
            kind::STATUS_REPLY => unpack(kind, &body).map(Self::StatusReply),
            unknown => Err(ProtocolError::UnknownKind(unknown)),
        }
    }
}

/// A frame whose body is one value. Neither our values nor writing to memory can fail.
fn packed(kind: u8, value: &impl Serialize) -> Vec<u8> {
    framed(kind, &rmp_serde::to_vec(value).unwrap_or_default())
}

/// The same for a value whose fields have names.
fn packed_map(kind: u8, value: &impl Serialize) -> Vec<u8> {
    framed(kind, &rmp_serde::to_vec_named(value).unwrap_or_default())
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    [frame::header(kind, body.len()).as_slice(), body].concat()
}

/// How MessagePack begins an array.
fn is_array(body: &[u8]) -> bool {
    matches!(body, [0x90..=0x9f | 0xdc | 0xdd, ..])
}

/// How MessagePack begins a map.
fn is_map(body: &[u8]) -> bool {
    matches!(body, [0x80..=0x8f | 0xde | 0xdf, ..])
}

fn unpack<T: DeserializeOwned>(kind: u8, body: &[u8]) -> Result<T, ProtocolError> {
    let mut unread = body;
    let mut deserializer = rmp_serde::Deserializer::new(&mut unread);
    deserializer.set_max_depth(MAX_DEPTH);
    let value = T::deserialize(&mut deserializer)
        .map_err(|error| ProtocolError::Malformed { kind, source: quotable(&error) })?;
    match unread.len() {
        0 => Ok(value),
        count => Err(ProtocolError::TrailingBytes { kind, count }),
    }
}

/// How deep a body may be nested, which costs stack: more than any of ours is, for keys of status that will be added.
const MAX_DEPTH: usize = 16;

/// The longest reason why a body can't be read, in characters. It is for people who read a log.
const MAX_REASON: usize = 200;

/// The error as it can be told. It may quote what the peer sent, however long that is and whatever a terminal would do with it.
fn quotable(error: &decode::Error) -> decode::Error {
    let text = error.to_string();
    let plain = text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character });
    decode::Error::Syntax(plain.take(MAX_REASON).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that must never change: daemons of every past and future build speak them.
    #[test]
    fn the_version_check_is_frozen() {
        let check = Message::VersionCheck(VersionCheck { protocol: 1, build: "1763886646".into() });
        let expected = b"\x00\x00\x00\x0e\x01\x92\x01\xaa1763886646";
        assert_eq!(check.encode(), expected);
        assert_eq!(Message::decode(1, Bytes::from_static(&expected[5..])).unwrap(), check);
    }

    #[test]
    fn a_later_protocols_number_can_be_read() {
        let check = Message::VersionCheck(VersionCheck { protocol: u32::MAX, build: String::new() });
        let frame = check.encode();
        assert_eq!(Message::decode(frame[4], Bytes::copy_from_slice(&frame[5..])).unwrap(), check);
    }

    #[test]
    fn a_command_says_only_what_was_asked_for() {
        assert_eq!(Message::Command(Command::default()).encode(), b"\x00\x00\x00\x02\x02\x80");
        let text = Message::Command(Command { text: Some("hi".into()), ..Command::default() });
        assert_eq!(text.encode(), b"\x00\x00\x00\x0a\x02\x81\xa4text\xa2hi");
        let args =
            Message::Command(Command { args: Some(vec![Bytes::from_static(b"\xff")]), ..Command::default() });
        assert_eq!(args.encode(), b"\x00\x00\x00\x0b\x02\x81\xa4args\x91\xc4\x01\xff");
    }

    #[test]
    fn arrays_and_maps_are_not_taken_for_each_other() {
        let check_as_map = b"\x82\xa8protocol\x01\xa5build\xa1?";
        let command_as_array = b"\x91\xa2hi";
        for (kind, body) in [(kind::VERSION_CHECK, &check_as_map[..]), (kind::COMMAND, command_as_array)] {
            let error = Message::decode(kind, Bytes::copy_from_slice(body)).unwrap_err();
            assert!(matches!(error, ProtocolError::WrongShape { .. }), "{error}");
        }
    }

    #[test]
    fn every_encoding_of_a_value_is_read() {
        for body in [&b"\x92\x01\xa1?"[..], b"\x92\xcc\x01\xd9\x01?", b"\xdc\0\x02\xce\0\0\0\x01\xda\0\x01?"]
        {
            let check = Message::VersionCheck(VersionCheck { protocol: 1, build: "?".into() });
            assert_eq!(Message::decode(kind::VERSION_CHECK, Bytes::copy_from_slice(body)).unwrap(), check);
        }
    }

    #[test]
    fn what_follows_a_body_is_an_error() {
        let error = Message::decode(kind::EXIT, Bytes::from_static(&[0, 0])).unwrap_err();
        assert_eq!(error.to_string(), "a frame of kind 5 goes on behind its end, for 1 bytes");
    }

    #[test]
    fn a_text_that_claims_to_be_huge_is_refused_without_room_for_it() {
        let str32_of_4_gib = [0xdb, 0xff, 0xff, 0xff, 0xff, b'x'];
        let error = Message::decode(kind::COMMAND_ERROR, Bytes::copy_from_slice(&str32_of_4_gib));
        assert!(matches!(error, Err(ProtocolError::Malformed { .. })), "{error:?}");
    }

    #[test]
    fn an_error_quotes_little_of_what_is_wrong() {
        let mut body = vec![0x81, 0xda, 0x40, 0x00];
        body.extend([0x1b; 0x4000]);
        let error = Message::decode(kind::COMMAND, body.into()).unwrap_err();
        let told = format!("{:#}", anyhow::Error::from(error));
        assert!(told.starts_with("a frame of kind 2 is malformed: unknown field `"), "{told}");
        assert!(told.len() < 1024 && !told.contains('\x1b'), "{told}");
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let nested = |depth: usize| {
            let value = [vec![0x91; depth], vec![0xc0]].concat();
            Message::decode(kind::STATUS_REQUEST, [b"\x81\xa5later".as_slice(), &value].concat().into())
        };
        assert!(nested(MAX_DEPTH / 2).is_ok());
        let error = nested(2 * MAX_DEPTH).unwrap_err();
        assert!(matches!(error, ProtocolError::Malformed { .. }), "{error}");
    }
}
