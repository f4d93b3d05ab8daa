#[daemon_rpc::main(id = "my/shout")]
async fn shout(text: String) {
    let _ = text;
}
