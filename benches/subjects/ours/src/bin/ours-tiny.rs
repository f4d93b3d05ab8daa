//! The smallest application: what a warm call costs.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn tiny(mut out: Stdout) -> anyhow::Result<()> {
    out.write_all(b"hello\n").await?;
    Ok(())
}
