//! The tiny handler as a program without a daemon.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(bench_floor::TINY)
}
