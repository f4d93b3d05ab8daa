//! Gives back what it gets, whatever it is.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn copy(input: Bytes, mut out: Stdout) -> std::io::Result<()> {
    out.write_all(&input).await
}
