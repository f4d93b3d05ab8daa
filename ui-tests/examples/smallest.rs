//! Asks for nothing and gives nothing.

#[daemon_rpc::main]
async fn nothing() {}
