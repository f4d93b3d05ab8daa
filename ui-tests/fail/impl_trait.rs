use daemon_rpc::FromInvocation;

#[daemon_rpc::main]
async fn shout(text: impl FromInvocation) {
    let _ = text;
}
