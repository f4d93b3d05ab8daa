#[daemon_rpc::main(id = "shout", id = "whisper")]
async fn shout(text: String) {
    let _ = text;
}
