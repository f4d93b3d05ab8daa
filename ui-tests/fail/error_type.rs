#[daemon_rpc::main]
async fn shout(text: String) -> Result<(), String> {
    Err(text)
}
