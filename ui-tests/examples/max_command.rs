//! A limit of its own for commands.

#[daemon_rpc::main(id = "short", max_command = "4KiB")]
async fn short(_text: String) {}
