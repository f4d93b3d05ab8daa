//! Does as it is told, on two threads.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "two-threads", grace_period = "50ms", worker_threads = 2)]
async fn two_threads(script: String, mut out: Stdout, cancel: CancellationToken) -> anyhow::Result<ExitCode> {
    daemon_rpc_tests::script::run(&script, &mut out, &cancel).await
}
