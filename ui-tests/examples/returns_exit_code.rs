//! A handler that chooses its exit code.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn check(text: String) -> ExitCode {
    if text.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
