//! A handler that is called `main`.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn main(text: String, mut out: Stdout) -> std::io::Result<()> {
    out.write_all(text.as_bytes()).await
}
