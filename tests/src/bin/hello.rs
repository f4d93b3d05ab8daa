//! Reads nothing; and the handler is called `main`.

use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn main(mut out: Stdout) -> std::io::Result<()> {
    out.write_all(b"hello\n").await
}
