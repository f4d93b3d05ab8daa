use daemon_rpc::prelude::*;

#[daemon_rpc::main]
async fn shout(text: String, mut out: Stdout, more: Stdout) {
    let _ = out.write_all(text.as_bytes()).await;
}
