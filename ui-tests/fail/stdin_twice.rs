use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn shout(text: String, out: Stdout, raw: Bytes) {
    let _ = (text, out, raw);
}
