//! Notes each command that it runs in the file `ran` beside the daemon's files, and answers with its input. Faults are put into it.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "faulty", handshake_timeout = "500ms", grace_period = "100ms")]
async fn faulty(token: String, out: Stdout) -> anyhow::Result<()> {
    daemon_rpc_tests::noted::run(&token, out).await
}
