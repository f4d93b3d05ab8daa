#[daemon_rpc::main(max_concurrent = 0)]
async fn shout(text: String) {
    let _ = text;
}
