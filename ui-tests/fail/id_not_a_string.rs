#[daemon_rpc::main(id = 7)]
async fn shout(text: String) {
    let _ = text;
}
