#[daemon_rpc::main]
fn shout(text: String) {
    let _ = text;
}
