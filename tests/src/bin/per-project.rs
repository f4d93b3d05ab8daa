//! Has a daemon for each project, and says which one serves.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(id = std::env::var("PROJECT").unwrap_or_default())]
async fn which(mut out: Stdout) -> std::io::Result<()> {
    let id = std::env::args().nth(2).unwrap_or_default();
    out.write_all(format!("{id} {}\n", std::process::id()).as_bytes()).await
}
