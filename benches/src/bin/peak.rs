//! Runs a program and says how much memory it had at most, in KiB.
//!
//! It has to be a process of its own: the system counts what a process had before it became the program as the program's.

use std::error::Error;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("say which program")?;
    // A child that is to have a user of its own is forked; others share the memory of this process until they are the program.
    let uid = rustix::process::getuid().as_raw();
    let status =
        Command::new(program).args(arguments).uid(uid).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if !status.success() {
        return Err(status.to_string().into());
    }
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}
