//! Frames: a length of 4 bytes, big-endian, then as many bytes, of which the first is the frame's kind.

use bytes::{Buf as _, Bytes, BytesMut};
use tokio_util::codec::{Decoder as _, LengthDelimitedCodec};

use super::message::{Message, kind};
use super::{ProtocolError, Stream};
use crate::limits::LONG_CHUNK;

const LENGTH_FIELD: usize = 4;

/// How many bytes precede a frame's body: its length and its kind.
pub(crate) const FRAME_HEADER: usize = LENGTH_FIELD + 1;

/// The header of a frame whose body has `body_length` bytes, which all limits keep far below 4 GiB.
pub(super) fn header(kind: u8, body_length: usize) -> [u8; FRAME_HEADER] {
    let length = u32::try_from(body_length.saturating_add(1)).unwrap_or(u32::MAX);
    let [a, b, c, d] = length.to_be_bytes();
    [a, b, c, d, kind]
}

/// The header to write before a chunk of output, so that the chunk itself goes out uncopied.
pub(crate) fn chunk_header(stream: Stream, chunk_length: usize) -> [u8; FRAME_HEADER] {
    let kind = match stream {
        Stream::Stdout => kind::OUTPUT_CHUNK,
        Stream::Stderr => kind::ERROR_CHUNK,
    };
    header(kind, chunk_length)
}

/// The same for a chunk of input.
pub(crate) fn input_chunk_header(chunk_length: usize) -> [u8; FRAME_HEADER] {
    header(kind::INPUT_CHUNK, chunk_length)
}

/// Cuts a stream of bytes into messages, however the bytes were split on their way.
///
/// A chunk of which only a part has come is given out in parts, each a chunk of its own: where one ends and the next begins means nothing,
/// and nobody has to hold or move what was received to make it whole.
#[derive(Debug)]
pub(crate) struct FrameReader {
    codec: LengthDelimitedCodec,
    received: BytesMut,
    /// A chunk of which the rest is still to come.
    begun: Option<BegunChunk>,
    /// The codec has taken the length of a frame of which the rest is still to come.
    is_inside: bool,
}

#[derive(Debug)]
struct BegunChunk {
    kind: u8,
    is_long: bool,
    left: usize,
}

impl FrameReader {
    /// A reader that refuses frames whose body is longer than `body_limit` bytes.
    pub(crate) fn new(body_limit: usize) -> Self {
        Self::of(BytesMut::new(), body_limit)
    }

    /// The same where something has been received already.
    pub(crate) fn of(received: BytesMut, body_limit: usize) -> Self {
        let codec = LengthDelimitedCodec::builder()
            .length_field_length(LENGTH_FIELD)
            .max_frame_length(body_limit.saturating_add(1))
            .new_codec();
        Self { codec, received, begun: None, is_inside: false }
    }

    /// Changes the limit for the frames whose header hasn't been read yet.
    pub(crate) fn set_body_limit(&mut self, body_limit: usize) {
        self.codec.set_max_frame_length(body_limit.saturating_add(1));
    }

    /// Where the bytes that the peer sent are to be appended.
    pub(crate) fn received(&mut self) -> &mut BytesMut {
        &mut self.received
    }

    /// How many bytes are still to come of a long chunk, if that is what comes.
    pub(crate) fn rest_of_long_chunk(&self) -> Option<usize> {
        self.begun.as_ref().filter(|chunk| chunk.is_long).map(|chunk| chunk.left)
    }

    /// How many bytes are known to come.
    pub(crate) fn awaited(&self) -> usize {
        self.begun.as_ref().map_or(0, |chunk| chunk.left)
    }

    /// The next message, or `None` until more bytes have been received.
    ///
    /// # Errors
    ///
    /// When the bytes are not this protocol. The stream can't be read on from there.
    pub(crate) fn next(&mut self) -> Result<Option<Message>, ProtocolError> {
        if self.begun.is_none() && !self.is_inside {
            if !self.header_has_come() {
                return Ok(None);
            }
            self.begun = self.begin_chunk();
        }
        if let Some(chunk) = &mut self.begun {
            let part = chunk.take(&mut self.received);
            let kind = chunk.kind;
            if chunk.left == 0 {
                self.begun = None;
            }
            return part.map(|part| Message::decode(kind, part)).transpose();
        }
        // The codec has one error only: the length is over its limit.
        let limit = self.codec.max_frame_length();
        let frame =
            self.codec.decode(&mut self.received).map_err(|_| ProtocolError::FrameLength { limit })?;
        self.is_inside = frame.is_none();
        match frame {
            None => Ok(None),
            Some(frame) if frame.is_empty() => Err(ProtocolError::FrameLength { limit }),
            Some(mut frame) => {
                let body = frame.split_off(1).freeze();
                let kind = frame.first().copied().unwrap_or_default();
                Message::decode(kind, body).map(Some)
            }
        }
    }

    /// Whether it is known what comes: a frame of which kind, or none because of its length.
    fn header_has_come(&self) -> bool {
        let is_refused = |length| length == 0 || length > self.codec.max_frame_length();
        self.received.len() >= FRAME_HEADER || self.length().is_some_and(is_refused)
    }

    fn length(&self) -> Option<usize> {
        self.received.first_chunk().and_then(|length| usize::try_from(u32::from_be_bytes(*length)).ok())
    }

    /// Takes the header of a chunk that isn't all there. All else is left to the codec.
    fn begin_chunk(&mut self) -> Option<BegunChunk> {
        let length = self.length()?;
        let (&[.., kind], come) = self.received.split_first_chunk::<FRAME_HEADER>()?;
        let left = length.checked_sub(1)?;
        let is_part = kind::is_chunk(kind) && come.len() < left;
        if !is_part || length > self.codec.max_frame_length() {
            return None;
        }
        self.received.advance(FRAME_HEADER);
        Some(BegunChunk { kind, is_long: left >= LONG_CHUNK, left })
    }
}

impl BegunChunk {
    /// What there is of it.
    fn take(&mut self, received: &mut BytesMut) -> Option<Bytes> {
        let count = self.left.min(received.len());
        self.left -= count;
        (count > 0).then(|| received.split_to(count).freeze())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzzing::joined;
    use crate::protocol::{CallersTerminal, Command, StatusReply, StatusRequest, VersionCheck};
    use crate::{ColorSupport, TerminalSize};

    const BODY_LIMIT: usize = 4096;

    fn bytes(longest: usize) -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(any::<u8>(), 0..longest).prop_map(Bytes::from)
    }

    fn commands() -> impl Strategy<Value = Command> {
        let input = (proptest::option::of(".{0,300}"), proptest::option::of(bytes(300)));
        let args = proptest::option::of(proptest::collection::vec(bytes(20), 0..9));
        let env = proptest::option::of(proptest::collection::vec((bytes(9), bytes(20)), 0..9));
        let place = (
            proptest::option::of(bytes(40)),
            proptest::option::of(bytes(40)),
            proptest::option::of(terminals()),
        );
        (input, args, env, place, proptest::option::of(".{0,20}")).prop_map(
            |((text, bytes), args, env, (program, cwd, terminal), log)| Command {
                text,
                bytes,
                program,
                args,
                env,
                cwd,
                terminal,
                log,
            },
        )
    }

    fn sizes() -> impl Strategy<Value = TerminalSize> {
        (any::<u16>(), any::<u16>()).prop_map(|(columns, rows)| TerminalSize { columns, rows })
    }

    fn terminals() -> impl Strategy<Value = CallersTerminal> {
        let colors = || (0_u8..4).prop_map(|number| ColorSupport::try_from(number).unwrap());
        (any::<[bool; 3]>(), proptest::option::of(sizes()), colors(), colors()).prop_map(
            |([stdin, stdout, stderr], size, stdout_colors, stderr_colors)| CallersTerminal {
                stdin,
                stdout,
                stderr,
                size,
                stdout_colors,
                stderr_colors,
            },
        )
    }

    fn statuses() -> impl Strategy<Value = StatusReply> {
        let told = proptest::option::of(any::<u64>());
        (
            any::<[u64; 5]>(),
            any::<(u32, bool)>(),
            ".{0,64}",
            told.clone(),
            told,
            proptest::option::of(".{0,80}"),
        )
            .prop_map(
                |(
                    [uptime_ms, running, waiting, done, failed],
                    (pid, loaded),
                    build,
                    memory,
                    idle_left_ms,
                    log,
                )| StatusReply {
                    pid,
                    build,
                    uptime_ms,
                    loaded,
                    running,
                    waiting,
                    done,
                    failed,
                    memory,
                    idle_left_ms,
                    log,
                },
            )
    }

    fn messages() -> impl Strategy<Value = Message> {
        prop_oneof![
            (any::<u32>(), ".{0,64}")
                .prop_map(|(protocol, build)| { Message::VersionCheck(VersionCheck { protocol, build }) }),
            commands().prop_map(Message::Command),
            bytes(BODY_LIMIT).prop_map(Message::OutputChunk),
            bytes(BODY_LIMIT).prop_map(Message::ErrorChunk),
            ".{0,300}".prop_map(Message::CommandError),
            any::<u8>().prop_map(Message::Exit),
            Just(Message::NotRun),
            any::<u32>().prop_map(Message::InputWindow),
            bytes(BODY_LIMIT).prop_map(Message::InputChunk),
            Just(Message::InputEnd),
            sizes().prop_map(Message::TerminalSize),
            Just(Message::Loading),
            ".{0,300}".prop_map(Message::NotLoaded),
            Just(Message::Busy),
            any::<bool>().prop_map(|when_loaded| Message::StatusRequest(StatusRequest { when_loaded })),
            statuses().prop_map(Message::StatusReply),
        ]
    }

    fn read_all(reader: &mut FrameReader) -> Result<Vec<Message>, ProtocolError> {
        std::iter::from_fn(|| reader.next().transpose()).collect()
    }

    proptest! {
        #[test]
        fn messages_survive_any_split(
            sent in proptest::collection::vec(messages(), 0..8),
            splits in proptest::collection::vec(1_usize..200, 1..50),
        ) {
            let stream: Vec<u8> = sent.iter().flat_map(|message| message.encode()).collect();
            let mut reader = FrameReader::new(BODY_LIMIT);
            let mut received = Vec::new();
            let mut rest = stream.as_slice();
            for split in splits.iter().cycle() {
                if rest.is_empty() { break }
                let (piece, after) = rest.split_at((*split).min(rest.len()));
                reader.received().extend_from_slice(piece);
                received.extend(read_all(&mut reader).unwrap());
                rest = after;
            }
            prop_assert_eq!(joined(received), joined(sent));
            prop_assert!(reader.received().is_empty());
        }

        #[test]
        fn arbitrary_bytes_end_in_messages_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut reader = FrameReader::new(BODY_LIMIT);
            reader.received().extend_from_slice(&bytes);
            // Whatever came out, what is held stays in proportion to what was sent and to the limit.
            let _ = read_all(&mut reader);
            prop_assert!(reader.received().capacity() <= 2 * (BODY_LIMIT + bytes.len()) + 64);
        }

        #[test]
        fn arbitrary_bodies_of_each_kind_never_panic(kind in 0_u8..20, body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(message) = Message::decode(kind, Bytes::from(body)) {
                // What could be read can be written, and then reads the same.
                let mut reader = FrameReader::new(BODY_LIMIT);
                reader.received().extend_from_slice(&message.encode());
                prop_assert_eq!(reader.next().unwrap(), Some(message));
            }
        }

        #[test]
        fn every_length_over_the_limit_is_refused(length in u32::try_from(BODY_LIMIT).unwrap() + 2..=u32::MAX) {
            let mut reader = FrameReader::new(BODY_LIMIT);
            reader.received().extend_from_slice(&length.to_be_bytes());
            let refused = matches!(reader.next(), Err(ProtocolError::FrameLength { .. }));
            prop_assert!(refused);
            prop_assert!(reader.received().capacity() <= BODY_LIMIT);
        }
    }

    #[test]
    fn a_chunk_is_given_out_as_it_comes() {
        let chunk = Message::ErrorChunk(Bytes::from_static(b"in parts"));
        let frames = [chunk.encode(), Message::Exit(0).encode()].concat();
        let mut reader = FrameReader::new(BODY_LIMIT);
        reader.received().extend_from_slice(&frames[..9]);
        assert_eq!(reader.next().unwrap(), Some(Message::ErrorChunk(Bytes::from_static(b"in p"))));
        assert_eq!((reader.next().unwrap(), reader.awaited()), (None, 4));
        reader.received().extend_from_slice(&frames[9..]);
        assert_eq!(reader.next().unwrap(), Some(Message::ErrorChunk(Bytes::from_static(b"arts"))));
        assert_eq!((reader.next().unwrap(), reader.awaited()), (Some(Message::Exit(0)), 0));
    }

    #[test]
    fn a_body_as_long_as_the_limit_is_accepted() {
        let chunk = Message::OutputChunk(Bytes::from(vec![7; BODY_LIMIT]));
        let mut reader = FrameReader::new(BODY_LIMIT);
        reader.received().extend_from_slice(&chunk.encode());
        assert_eq!(reader.next().unwrap(), Some(chunk));
    }

    #[test]
    fn a_frame_without_a_kind_is_refused() {
        let mut reader = FrameReader::new(BODY_LIMIT);
        reader.received().extend_from_slice(&[0, 0, 0, 0]);
        assert!(matches!(reader.next(), Err(ProtocolError::FrameLength { .. })));
    }

    #[test]
    fn the_limit_can_change_between_frames() {
        let mut reader = FrameReader::new(8);
        let long = Message::CommandError("longer than eight bytes".into());
        reader.received().extend_from_slice(&Message::Exit(3).encode());
        assert_eq!(reader.next().unwrap(), Some(Message::Exit(3)));
        reader.set_body_limit(64);
        reader.received().extend_from_slice(&long.encode());
        assert_eq!(reader.next().unwrap(), Some(long));
    }

    #[test]
    fn the_chunk_header_is_that_of_the_whole_message() {
        let chunk = Bytes::from_static(b"some output");
        for (stream, message) in [
            (Stream::Stdout, Message::OutputChunk(chunk.clone())),
            (Stream::Stderr, Message::ErrorChunk(chunk.clone())),
        ] {
            let header = chunk_header(stream, chunk.len());
            assert_eq!([header.as_slice(), &chunk].concat(), message.encode());
        }
        let input = Message::InputChunk(chunk.clone());
        assert_eq!([input_chunk_header(chunk.len()).as_slice(), &chunk].concat(), input.encode());
    }
}
