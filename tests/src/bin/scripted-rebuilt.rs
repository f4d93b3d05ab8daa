//! The same program in another build: its daemon has the same id.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = "scripted")]
async fn scripted(script: String, mut out: Stdout, cancel: CancellationToken) -> anyhow::Result<ExitCode> {
    daemon_rpc_tests::script::run(&script, &mut out, &cancel).await
}
