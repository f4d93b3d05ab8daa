#[daemon_rpc::main]
async unsafe fn shout(text: String) {
    let _ = text;
}
