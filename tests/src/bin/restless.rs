//! Its daemon leaves almost at once.

use daemon_rpc::prelude::*;

#[daemon_rpc::main(idle_timeout = "1ms")]
async fn restless(text: String, mut out: Stdout) -> std::io::Result<()> {
    out.write_all(text.as_bytes()).await
}
