//! One message: a byte for its kind, then its body.

use super::{reader_of, told};
use crate::protocol::Message;

/// How much longer our own encoding of a value may be than another: the names of all keys, which can also be numbered.
const NAMES: usize = 128;

pub(super) fn run(input: &[u8]) {
    decode(input);
}

/// What a kind and a body are read as, or why they aren't.
pub(super) fn decode(input: &[u8]) -> Option<Result<Message, String>> {
    // The kind is in the body's frame.
    let length = u32::try_from(input.len()).ok().filter(|length| *length > 0)?;
    let frame = [&length.to_be_bytes(), input].concat();
    let mut reader = reader_of(&frame, input.len());
    Some(match reader.next() {
        Ok(message) => {
            assert!(reader.received().is_empty(), "a frame isn't read to its end");
            Ok(written(message?, frame.len()))
        }
        Err(error) => Err(told(error)),
    })
}

/// The message, which can be written and then reads the same.
fn written(message: Message, length: usize) -> Message {
    let encoded = message.encode();
    assert!(encoded.len() <= 2 * length + NAMES, "{length} bytes became {}", encoded.len());
    let again = reader_of(&encoded, encoded.len()).next().ok().flatten();
    assert_eq!(again.as_ref(), Some(&message), "what was read isn't what is written");
    assert_eq!(again.map(|again| again.encode()), Some(encoded), "the same is written in two ways");
    message
}
