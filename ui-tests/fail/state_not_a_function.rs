struct Dictionary;

#[daemon_rpc::main(state = Dictionary {})]
async fn spell() {}
