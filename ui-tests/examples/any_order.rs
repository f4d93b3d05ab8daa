//! Parameters in any order, and empty parentheses.

use daemon_rpc::prelude::*;

#[daemon_rpc::main()]
async fn shout(cancel: CancellationToken, mut out: Stdout, text: String) -> anyhow::Result<()> {
    if !cancel.is_cancelled() {
        out.write_all(text.as_bytes()).await?;
    }
    Ok(())
}
