//! Another build of `faulty`: it shares its daemon's id.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "faulty", handshake_timeout = "500ms", grace_period = "100ms")]
async fn faulty_rebuilt(token: String, out: Stdout) -> anyhow::Result<()> {
    daemon_rpc_tests::noted::run(&token, out).await
}
