fn load(path: &str) -> String {
    path.to_owned()
}

#[daemon_rpc::main(state = load)]
async fn spell() {}
