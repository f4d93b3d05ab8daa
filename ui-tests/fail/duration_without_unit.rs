#[daemon_rpc::main(idle_timeout = "90")]
async fn shout(text: String) {
    let _ = text;
}
