#[daemon_rpc::main(name = "shout")]
async fn shout(text: String) {
    let _ = text;
}
