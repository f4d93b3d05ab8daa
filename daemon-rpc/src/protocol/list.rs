//! Lists from a peer, which take much more memory than the bytes that they come in.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

use crate::limits::MAX_ITEMS;

/// Reads a list, but not one with more items than a system passes to a program.
pub(super) fn bounded<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(Items(PhantomData)).map(Some)
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of at most {MAX_ITEMS} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == MAX_ITEMS {
                return Err(A::Error::custom("the list is too long"));
            }
            list.push(item);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::limits::MAX_ITEMS;
    use crate::protocol::{Command, Message, ProtocolError};

    #[test]
    fn a_list_has_its_limit_whatever_it_is_of() {
        let read = |items: usize| {
            let args = Some(vec![Bytes::new(); items]);
            let frame = Message::Command(Command { args, ..Command::default() }).encode();
            Message::decode(frame[4], Bytes::copy_from_slice(&frame[5..]))
        };
        assert!(read(MAX_ITEMS).is_ok());
        assert!(matches!(read(MAX_ITEMS + 1), Err(ProtocolError::Malformed { .. })));
    }
}
