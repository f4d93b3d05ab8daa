//! Loads, and keeps a processor busy with it, until the file `go-on` is there; and has little patience with a daemon that
//! doesn't answer.

use std::hint::spin_loop;
use std::path::PathBuf;

use daemon_rpc::prelude::*;

fn load() -> u32 {
    let directory = PathBuf::from(std::env::var_os("DAEMON_RPC_DIR").unwrap_or_default());
    while !directory.join("go-on").exists() {
        spin_loop();
    }
    std::process::id()
}

#[daemon_rpc::main(id = "slow-to-load", state = load, handshake_timeout = "1s")]
async fn slow_to_load(loaded_by: State<u32>, mut out: Stdout) -> std::io::Result<()> {
    out.write_all(format!("{}\n", *loaded_by).as_bytes()).await
}
