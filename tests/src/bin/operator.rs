//! Looks after its daemon by the library's functions, as its first argument says; anything else is a command.

use std::process::ExitCode;

use daemon_rpc::control::{Control, ControlError, Stop};
use daemon_rpc::params::Args;
use daemon_rpc::{App, build, handler_fn};

async fn nothing(_: Args) {}

fn main() -> ExitCode {
    let app = App::new(build!()).id(|| "operator");
    match std::env::args().nth(1).as_deref() {
        Some(word @ ("status" | "stop" | "stop-now" | "restart" | "log")) => {
            match app.control().and_then(|control| operate(&control, word)) {
                Ok(told) => println!("{told}"),
                Err(error) => {
                    eprintln!("{error}");
                    return error.exit_code().into();
                }
            }
            ExitCode::SUCCESS
        }
        _ => app.run(handler_fn(nothing)),
    }
}

fn operate(control: &Control, word: &str) -> Result<String, ControlError> {
    Ok(match word {
        "status" => format!("{:?}", control.status()?.map(|status| (status.pid, status.done))),
        "stop" => format!("{:?}", control.stop(Stop::Drain)?.map(|stopped| stopped.pid)),
        "stop-now" => format!("{:?}", control.stop(Stop::Now)?.map(|stopped| stopped.pid)),
        "restart" => control.restart()?.pid.to_string(),
        _ => control.log().display().to_string(),
    })
}
