#[daemon_rpc::main(grace_period = 5)]
async fn shout(text: String) {
    let _ = text;
}
