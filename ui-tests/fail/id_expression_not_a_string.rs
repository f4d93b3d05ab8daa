#[daemon_rpc::main(id = std::process::id())]
async fn shout(text: String) {
    let _ = text;
}
