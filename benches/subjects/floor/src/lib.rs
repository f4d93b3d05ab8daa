//! What the least-possible client asks of the least-possible server: one line a connection.

#[cfg(target_os = "linux")]
pub mod event_loop;

use std::io;
use std::os::fd::AsFd;

use rustix::buffer::spare_capacity;
use rustix::io::{read, write};

/// The answer to `tiny`.
pub const TINY: &[u8] = b"hello\n";

/// A line, with its end.
pub const LINE: &[u8] = b"a short line\n";

/// How much is written, or read, at once.
pub const BLOCK: usize = 64 * 1024;

/// How many bytes there are before each piece of `framed-lines`, as many as a daemon has there.
pub const FRAME_HEADER: usize = 5;

/// Copies all there is, as the least-possible client and server do. `std::io::copy` might leave it to the kernel, which is another measurement.
///
/// # Errors
///
/// When reading or writing fails.
pub fn copy(from: impl AsFd, to: impl AsFd) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK);
    while read(&from, spare_capacity(&mut block))? > 0 {
        let mut rest = &block[..];
        while !rest.is_empty() {
            let count = write(&to, rest)?;
            rest = rest.get(count..).unwrap_or_default();
        }
        block.clear();
    }
    Ok(())
}
