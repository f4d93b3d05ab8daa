//! The same program without the attribute, for those who want to decide at run time what the attribute decides before.

use std::process::ExitCode;
use std::time::Duration;

use daemon_rpc::prelude::*;
use daemon_rpc::{App, build, handler_fn};

const LONG: Duration = Duration::from_secs(24 * 60 * 60);

async fn shout(text: String, mut out: Stdout) -> anyhow::Result<()> {
    out.write_all(text.to_uppercase().as_bytes()).await?;
    Ok(())
}

fn main() -> ExitCode {
    App::new(build!()).idle_timeout(LONG).run(handler_fn(shout))
}
