use std::process::ExitCode;

#[daemon_rpc::main]
async fn shout() -> ExitCode {
    ExitCode::SUCCESS
}
