//! The wire: messages and their framing. Pure: bytes in, messages out, no I/O; client and daemon share it.
//!
//! `docs/protocol.md` describes the same for people who write a client in another language.

mod frame;
mod list;
mod message;
mod status;

pub(crate) use frame::{FRAME_HEADER, FrameReader, chunk_header, input_chunk_header};
pub(crate) use message::{CallersTerminal, Command, Message, VersionCheck};
pub(crate) use status::{StatusReply, StatusRequest};

/// Which of the caller's streams a chunk of output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The peer sent something that this protocol doesn't have.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProtocolError {
    #[error("a frame is empty or longer than the {limit} bytes allowed here")]
    FrameLength { limit: usize },
    #[error("a frame has the unknown kind {0}")]
    UnknownKind(u8),
    #[error("a frame of kind {kind} is malformed")]
    Malformed { kind: u8, source: rmp_serde::decode::Error },
    #[error("a frame of kind {kind} is not of that kind's shape")]
    WrongShape { kind: u8 },
    #[error("a frame of kind {kind} goes on behind its end, for {count} bytes")]
    TrailingBytes { kind: u8, count: usize },
    #[error("an unexpected {0} message came")]
    Unexpected(&'static str),
}
