//! Gives back what it gets.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn echo(text: String, mut out: Stdout) -> anyhow::Result<()> {
    out.write_all(text.as_bytes()).await?;
    Ok(())
}
