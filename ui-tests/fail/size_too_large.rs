#[daemon_rpc::main(max_command = "2GiB")]
async fn shout(text: String) {
    let _ = text;
}
