//! Does as it is told, with an option of each kind.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(
    id = "options",
    idle_timeout = "300ms",
    grace_period = "50ms",
    handshake_timeout = "2s",
    max_command = "4KiB",
    max_concurrent = 2,
    chunk_size = "1KiB",
    errors = "stderr",
    worker_threads = 1,
    subcommand = "service"
)]
async fn options(script: String, mut out: Stdout, cancel: CancellationToken) -> anyhow::Result<ExitCode> {
    daemon_rpc_tests::script::run(&script, &mut out, &cancel).await
}
