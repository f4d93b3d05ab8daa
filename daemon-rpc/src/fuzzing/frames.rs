//! Any bytes in any pieces.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the limit of a body: 2 to the power of its lower 5 bits, at most 128 KiB; with bit 7 that of a handshake until the first message |
//! | 1 | the lengths of the pieces, in turn: 1 more than the lower half, 1 more than 32 times the upper half |
//! | rest | the stream |

use super::{reader_of, told};
use crate::limits::MAX_VERSION_CHECK;
use crate::protocol::{FrameReader, Message};

/// The largest limit of a body that is tried.
pub(super) const LARGEST_LIMIT: usize = 1 << 17;

/// First the limit of a handshake.
pub(super) const HANDSHAKE: u8 = 0x80;

pub(super) fn run(input: &[u8]) {
    read(input);
}

/// What a stream was read as.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// With the parts of chunks put together.
    messages: Vec<Message>,
    /// How many bytes wait for more.
    pub(super) unread: usize,
    pub(super) error: Option<String>,
}

impl Read {
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.messages.iter().map(Message::name).collect()
    }
}

/// The same messages with chunks that follow each other as one, and without empty ones: so they are the same whatever parts they were
/// given out in.
pub(crate) fn joined(messages: impl IntoIterator<Item = Message>) -> Vec<Message> {
    use Message::{ErrorChunk, InputChunk, OutputChunk};
    let mut all = Vec::new();
    for message in messages {
        match (all.last_mut(), message) {
            (_, OutputChunk(next) | ErrorChunk(next) | InputChunk(next)) if next.is_empty() => {}
            (Some(OutputChunk(last)), OutputChunk(next))
            | (Some(ErrorChunk(last)), ErrorChunk(next))
            | (Some(InputChunk(last)), InputChunk(next)) => *last = [&**last, &next].concat().into(),
            (_, other) => all.push(other),
        }
    }
    all
}

pub(super) fn read(input: &[u8]) -> Option<Read> {
    let [limit, lengths, stream @ ..] = input else { return None };
    let limits = Limits {
        first: (limit & HANDSHAKE != 0).then_some(MAX_VERSION_CHECK),
        then: (1 << (limit & 0x1f)).min(LARGEST_LIMIT),
    };
    let whole = limits.read(std::iter::once(stream));
    let mut rest = stream;
    let lengths = [1 + usize::from(lengths & 0xf), 1 + 32 * usize::from(lengths >> 4)];
    let pieces = lengths.into_iter().cycle().map_while(|length| {
        let (piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(limits.read(pieces), whole, "it depends on how the bytes are split what they are");
    Some(whole)
}

struct Limits {
    first: Option<usize>,
    then: usize,
}

impl Limits {
    fn read<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> Read {
        let mut reader = FrameReader::new(self.first.unwrap_or(self.then));
        let mut messages = Vec::new();
        let mut read = Read::default();
        for piece in pieces {
            let held = reader.received().len();
            reader.received().extend_from_slice(piece);
            read.error = self.read_messages(&mut reader, &mut messages);
            let most = 2 * (self.then.max(MAX_VERSION_CHECK) + held + piece.len()) + 64;
            assert!(reader.received().capacity() <= most, "more is held than there is a reason for");
            if read.error.is_some() {
                break;
            }
        }
        if read.error.is_none() {
            read.unread = reader.received().len();
        }
        read.messages = joined(messages);
        read
    }

    /// Why the stream can't be read on, if so.
    fn read_messages(&self, reader: &mut FrameReader, messages: &mut Vec<Message>) -> Option<String> {
        loop {
            match reader.next() {
                Ok(None) => return None,
                Ok(Some(message)) => {
                    reader.set_body_limit(self.then);
                    let encoded = message.encode();
                    let again = reader_of(&encoded, encoded.len()).next();
                    assert_eq!(
                        again.ok().flatten().as_ref(),
                        Some(&message),
                        "what was read isn't what is written"
                    );
                    messages.push(message);
                }
                Err(error) => return Some(told(error)),
            }
        }
    }
}
