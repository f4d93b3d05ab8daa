#[daemon_rpc::main(max_command = "16")]
async fn shout(text: String) {
    let _ = text;
}
