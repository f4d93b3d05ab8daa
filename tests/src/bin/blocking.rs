//! Writes numbers without end on a thread that blocks, and touches the file that its input names once it can't any more.

use std::io::{BufWriter, Write as _};

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn blocking(path: String, out: Stdout) -> anyhow::Result<()> {
    spawn_blocking(move || {
        let mut out = BufWriter::new(SyncIoBridge::new(out));
        let Err(error) = (0_u64..).try_for_each(|number| writeln!(out, "{number}")) else { unreachable!() };
        std::fs::write(path, format!("{:?}", error.kind()))
    })
    .await??;
    Ok(())
}
