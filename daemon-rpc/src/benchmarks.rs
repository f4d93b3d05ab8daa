//! Pieces of a call that are private, for `benches/`.

use bytes::Bytes;

use crate::protocol::{Command, FrameReader, Message};

/// A stream of chunks of output, each of so many bytes.
#[must_use]
pub fn chunks(count: usize, bytes: usize) -> Vec<u8> {
    Message::OutputChunk(Bytes::from(vec![b'x'; bytes])).encode().repeat(count)
}

/// The frame of a command with this text.
#[must_use]
pub fn command(text: &str) -> Vec<u8> {
    Message::Command(Command { text: Some(text.to_owned()), ..Command::default() }).encode()
}

/// Reads a stream in one piece, and says how many messages it has. An error ends it.
#[must_use]
pub fn read(stream: &[u8]) -> usize {
    let mut reader = FrameReader::new(stream.len());
    reader.received().extend_from_slice(stream);
    std::iter::from_fn(|| reader.next().ok().flatten()).count()
}
