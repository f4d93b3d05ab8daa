//! Doesn't wait long for a daemon to answer.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "impatient", handshake_timeout = "200ms")]
async fn impatient(text: String, mut out: Stdout) -> std::io::Result<()> {
    out.write_all(text.as_bytes()).await
}
