use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn shout(#[cfg(unix)] _text: String, _out: Stdout) {}
