//! Takes short commands only.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(max_command = "1KiB")]
async fn short(text: String, mut out: Stdout) -> anyhow::Result<()> {
    out.write_all(text.as_bytes()).await?;
    Ok(())
}
