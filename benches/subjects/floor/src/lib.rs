//! What the least-possible client asks of the least-possible server: one line a connection.

#[cfg(target_os = "linux")]
pub mod event_loop;

/// The answer to `tiny`.
pub const TINY: &[u8] = b"hello\n";

/// What one of ten million lines says.
pub const LINE: &[u8] = b"a short line\n";

/// How much is written, or read, at once.
pub const BLOCK: usize = 64 * 1024;

/// How many bytes there are before each piece of `framed-lines`, as many as a daemon has there.
pub const FRAME_HEADER: usize = 5;
