//! Not a program of ours: a process that names itself in a file as a daemon does, and then waits to be killed.

use std::fs::OpenOptions;
use std::io::Write as _;

use rustix::fs::{FlockOperation, fcntl_lock};

fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).expect("the file");
    let file = OpenOptions::new().write(true).open(path)?;
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)?;
    std::io::stdout().write_all(b"named\n")?;
    loop {
        std::thread::park();
    }
}
