//! An id from a constant.

const ID: &str = "shout";

#[daemon_rpc::main(id = ID)]
async fn shout(_text: String) {}
