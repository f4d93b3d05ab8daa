//! The same program without the attribute, for those who want to decide at run time what the attribute decides before.

use std::process::ExitCode;
use std::time::Duration;

use daemon_rpc::prelude::*;
use daemon_rpc::{App, Errors, build, handler_fn};

const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// What is loaded once, for the sake of showing where.
struct Voice(fn(&str) -> String);

async fn load() -> anyhow::Result<Voice> {
    Ok(Voice(str::to_uppercase))
}

async fn shout(text: String, voice: State<Voice>, mut out: Stdout) -> anyhow::Result<()> {
    out.write_all((voice.0)(&text).as_bytes()).await?;
    Ok(())
}

fn main() -> ExitCode {
    App::new(build!()).idle_timeout(LONG).errors(Errors::ToStderr).state(load).run(handler_fn(shout))
}
