//! A handler of whose every run there is a trace.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use daemon_rpc::prelude::*;

/// Adds `token` to the file `ran` beside the daemon's files, and answers with it.
///
/// # Errors
///
/// When one of the two can't be done.
pub async fn run(token: &str, mut out: Stdout) -> anyhow::Result<()> {
    let directory = std::env::var_os("DAEMON_RPC_DIR").context("no directory")?;
    let path = PathBuf::from(directory).join("ran");
    OpenOptions::new().append(true).create(true).open(path)?.write_all(format!("{token}\n").as_bytes())?;
    out.write_all(token.as_bytes()).await?;
    Ok(())
}
