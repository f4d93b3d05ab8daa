#[daemon_rpc::main(id = ".shout")]
async fn shout(text: String) {
    let _ = text;
}
