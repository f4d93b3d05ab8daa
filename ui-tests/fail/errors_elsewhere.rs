#[daemon_rpc::main(errors = "syslog")]
async fn shout(text: String) {
    let _ = text;
}
