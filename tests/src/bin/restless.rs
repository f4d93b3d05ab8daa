//! Its daemon leaves almost at once, and each notes in the file `daemons` beside its own that it has been there.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use daemon_rpc::prelude::*;

fn load() -> anyhow::Result<()> {
    let directory = PathBuf::from(std::env::var_os("DAEMON_RPC_DIR").context("no directory")?);
    let mut daemons = OpenOptions::new().append(true).create(true).open(directory.join("daemons"))?;
    Ok(daemons.write_all(b".")?)
}

#[daemon_rpc::main(state = load, idle_timeout = "1ms")]
async fn restless(text: String, mut out: Stdout) -> std::io::Result<()> {
    out.write_all(text.as_bytes()).await
}
