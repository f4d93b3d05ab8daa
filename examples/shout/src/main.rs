//! The smallest program possible: what it reads, in capitals.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn shout(text: String, mut out: Stdout) -> anyhow::Result<()> {
    out.write_all(text.to_uppercase().as_bytes()).await?;
    Ok(())
}
