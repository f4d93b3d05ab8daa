#[daemon_rpc::main(id)]
async fn shout(text: String) {
    let _ = text;
}
