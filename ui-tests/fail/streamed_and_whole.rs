use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn shout(text: String, stdin: Stdin) {}
