#[daemon_rpc::main]
async fn shout(text: &str) {
    let _ = text;
}
