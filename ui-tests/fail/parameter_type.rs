use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn shout(loudness: u32, text: String, out: Stdout) {
    let _ = (loudness, text, out);
}
