//! Does as it is told by a daemon with acceptors, which is soon idle.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "short-lived", idle_timeout = "2s", worker_threads = 2)]
async fn short_lived(script: String, mut out: Stdout, cancel: CancellationToken) -> anyhow::Result<ExitCode> {
    daemon_rpc_tests::script::run(&script, &mut out, &cancel).await
}
