//! Returns nothing.

#[daemon_rpc::main]
async fn nothing() {}
