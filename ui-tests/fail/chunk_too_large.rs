#[daemon_rpc::main(chunk_size = "2MiB")]
async fn shout(text: String) {
    let _ = text;
}
