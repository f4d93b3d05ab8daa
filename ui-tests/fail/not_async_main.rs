#[daemon_rpc::main]
fn main() {}
