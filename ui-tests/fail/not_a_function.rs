#[daemon_rpc::main]
struct Shout;

fn main() {}
