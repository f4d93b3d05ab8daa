//! An id that is checked by the compiler.

#[daemon_rpc::main(id = "shout-2")]
async fn shout(_text: String) {}
