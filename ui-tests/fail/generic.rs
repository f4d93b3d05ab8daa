use daemon_rpc::FromInvocation;

#[daemon_rpc::main]
async fn shout<T: FromInvocation>(text: T) {
    let _ = text;
}
