fn load() -> Result<String, u8> {
    Err(1)
}

#[daemon_rpc::main(state = load)]
async fn spell() {}
