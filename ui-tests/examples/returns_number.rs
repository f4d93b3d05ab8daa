//! A handler that returns its exit code as a number.

#[daemon_rpc::main]
async fn seven() -> u8 {
    7
}
