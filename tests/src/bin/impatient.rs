//! Doesn't wait long for a daemon to answer. Its handler waits for the file that the file `wait-for` names, if there is one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "impatient", handshake_timeout = "200ms", grace_period = "100ms")]
async fn impatient(text: String, mut out: Stdout) -> std::io::Result<()> {
    let directory = PathBuf::from(std::env::var_os("DAEMON_RPC_DIR").unwrap_or_default());
    if let Ok(awaited) = std::fs::read_to_string(directory.join("wait-for")) {
        std::fs::write(directory.join("running"), "")?;
        while !Path::new(&awaited).exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    out.write_all(text.as_bytes()).await
}
