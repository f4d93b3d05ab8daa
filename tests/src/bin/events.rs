//! Tells with events what it does, here and in a task of its own.

use daemon_rpc::prelude::*;
use tracing::{Instrument as _, debug, info, info_span, trace};

#[daemon_rpc::main(id = "events")]
async fn events(args: Args, mut out: Stdout, mut err: Stderr) -> anyhow::Result<()> {
    let name = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    info!(name, "began");
    err.write_all(b"between\n").await?;
    debug!(answer = 42, "computing");
    let task = async { trace!("inside") }.instrument(info_span!("task"));
    tokio::spawn(task).await?;
    spawn_blocking(|| trace!("on a thread")).await?;
    out.write_all(b"done\n").await?;
    Ok(())
}
