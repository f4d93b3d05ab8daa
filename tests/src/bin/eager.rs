//! Copies its input to its output without ever letting go of the thread that it begins on, whose name it tells.

use std::thread;

use daemon_rpc::prelude::*;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

#[daemon_rpc::main(id = "eager", worker_threads = 2)]
async fn eager(mut input: Stdin, mut out: Stdout) -> anyhow::Result<()> {
    let name = thread::current().name().unwrap_or_default().to_owned();
    let copy = async {
        out.write_all(format!("{name}\n").as_bytes()).await?;
        tokio::io::copy(&mut input, &mut out).await
    };
    block_in_place(|| Handle::current().block_on(copy))?;
    Ok(())
}
