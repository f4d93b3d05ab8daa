#[daemon_rpc::main]
async fn shout(text: String) -> String {
    text.to_uppercase()
}
