#[daemon_rpc::main(subcommand = daemon)]
async fn shout(text: String) {
    let _ = text;
}
