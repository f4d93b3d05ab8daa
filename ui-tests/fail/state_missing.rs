use daemon_rpc::prelude::*;

struct Dictionary;

#[daemon_rpc::main]
async fn spell(text: String, dictionary: State<Dictionary>) {}
