//! Runs one command at a time, and tells which it is; none before the file `go-on` is there.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use daemon_rpc::prelude::*;

async fn load() -> AtomicU32 {
    let directory = PathBuf::from(std::env::var_os("DAEMON_RPC_DIR").unwrap_or_default());
    while !directory.join("go-on").exists() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    AtomicU32::new(0)
}

#[daemon_rpc::main(id = "queued", state = load, max_concurrent = 1)]
async fn queued(count: State<AtomicU32>, mut out: Stdout) -> std::io::Result<()> {
    let number = count.fetch_add(1, Ordering::Relaxed);
    out.write_all(format!("{number}\n").as_bytes()).await
}
